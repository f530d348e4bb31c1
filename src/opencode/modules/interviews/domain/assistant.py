"""The assistant of an interview: who may ask it, what was asked, and what is said to the model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from opencode.contracts.ai import Answered, Turn
from opencode.kernel.ids import InterviewId, QuestionId
from opencode.modules.interviews.domain.people import Part

MAX_QUESTION = 8000
MAX_CODE = 64 * 1024
"""Characters of the shared code that go with a question; what is behind them is left out."""
MAX_ANSWER = 64 * 1024
"""Characters; a model that says more than that has lost its way."""
MOST_QUESTIONS = 500
MOST_USD = 1_000
NANO_PER_USD = 1_000_000_000
MOST_OUTPUT_TOKENS = 4096
TURNS_REMEMBERED = 10
"""Earlier questions of the interview that go with a new one, with their answers."""

RESTARTED = "The server restarted while the assistant answered."
INTERVIEW_ENDED = "Stopped: the interview ended."
STOPPED = "Stopped by {name}."
FORBIDDEN_MEANWHILE = "Stopped: the assistant is no longer allowed."
TOO_LONG = "The answer is too long, and was broken off."

SYSTEM = (
    "You assist people in a technical interview who work on one program together. Everybody in the room, the "
    "interviewer among them, reads each question and each of your answers. Answer what was asked, briefly and in the "
    "language in which it was asked. Where code helps, give it in a fenced block."
)


class AssistantMode(StrEnum):
    FORBIDDEN = "forbidden"
    INTERVIEWERS = "interviewers"
    EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class AssistantTerms:
    """
    Who may ask, and how much.

    Attributes:
        model: a model or alias that the interviewer may use; empty while nobody may ask.
        most_questions: of the whole interview, by everybody together.
        budget_nano: billionths of a US dollar that all answers of the interview may cost together; the one that is
            being given when they are spent is given to its end. None is without a limit.
    """

    mode: AssistantMode = AssistantMode.FORBIDDEN
    model: str = ""
    most_questions: int = 50
    budget_nano: int | None = None

    def is_spent(self, cost_nano: int) -> bool:
        return self.budget_nano is not None and cost_nano >= self.budget_nano


FORBIDDEN = AssistantTerms()


USAGE = ("input_tokens", "output_tokens", "cost_nano")
"""What an answer took."""


class QuestionState(StrEnum):
    ANSWERING = "answering"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Question:
    """
    A question to the assistant, and what became of it.

    Attributes:
        language, code: the shared text that went with it; None when none did.
        alive_at: when the server that waits for the answer was last heard of.
        answer: all that the model said; empty while it answers.
        cut: the answer had as many tokens as it may.
        failure: a sentence for people.
        answered_by: `<provider>/<model>`; another one than was asked where that one could not.
    """

    id: QuestionId
    interview_id: InterviewId
    asked_by_id: str
    asked_by_name: str
    asked_by_role: Part
    model: str
    text: str
    language: str | None
    code: str | None
    asked_at: datetime
    alive_at: datetime
    state: QuestionState = QuestionState.ANSWERING
    answer: str = ""
    cut: bool = False
    failure: str | None = None
    answered_by: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_nano: int | None = None
    finished_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state is QuestionState.ANSWERING

    def without_usage(self) -> "Question":
        """As candidates see it: what an answer took is its interviewer's business."""
        return replace(self, **dict.fromkeys(USAGE))

    def answered(self, answer: str, end: Answered, at: datetime) -> "Question":
        return replace(
            self,
            state=QuestionState.ANSWERED,
            answer=answer,
            cut=end.cut,
            answered_by=end.model,
            input_tokens=end.input_tokens,
            output_tokens=end.output_tokens,
            cost_nano=end.cost_nano,
            finished_at=at,
        )

    def failed(self, answer: str, failure: str, at: datetime) -> "Question":
        return replace(self, state=QuestionState.FAILED, answer=answer, failure=failure, finished_at=at)


def turns_of(earlier: Sequence[Question], question: Question) -> list[Turn]:
    """
    What the model is told: the conversation so far, and the question with its code.

    Args:
        earlier: those that were answered, oldest first.
    """
    turns: list[Turn] = []
    for each in (each for each in earlier if each.answer):
        turns += [Turn("person", each.text), Turn("assistant", each.answer)]
    text = question.text
    if question.code:
        text = f"{text}\n\nThe shared {question.language} code now:\n\n{question.code}"
    return [*turns, Turn("person", text)]
