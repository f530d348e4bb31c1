"""What goes in and out over HTTP, beside the shapes of `domain.views`."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from opencode.contracts.execution import Language
from opencode.infra.http import Body
from opencode.modules.interviews.domain.assistant import (
    FORBIDDEN,
    MAX_QUESTION,
    MOST_QUESTIONS,
    MOST_USD,
    NANO_PER_USD,
    AssistantMode,
    AssistantTerms,
)
from opencode.modules.interviews.domain.interview import MAX_TITLE, Interview, InterviewState
from opencode.modules.interviews.domain.people import Participant
from opencode.modules.interviews.domain.records import SIGNALS_AT_ONCE, SignalKind
from opencode.modules.interviews.domain.summary import MAX_SUMMARY
from opencode.modules.interviews.domain.views import ParticipantView, SummaryView
from opencode.modules.interviews.domain.words import MAX_MESSAGE, MAX_NAME

MAX_STDIN = 256 * 1024
MAX_ARGS = 50
MAX_ARG = 1000

# Typed text may hold characters that are taken out before it is measured again, so the door is twice as wide.
_Title = Annotated[str, Meta(min_length=1, max_length=2 * MAX_TITLE, description="1 to 200 characters")]
_LanguageWord = Annotated[str, Meta(min_length=1, max_length=60, description="id or alias, see /api/v1/languages")]
_Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
_Characters = Annotated[int, Meta(ge=1, le=1000)]
_SummaryId = Annotated[str, Meta(max_length=40)]
_Arg = Annotated[str, Meta(max_length=MAX_ARG, pattern="^[^\\x00]*$")]


class AssistantWish(Body):
    """
    Who may ask the assistant: nobody, interviewers, or candidates too. Without a model the interviewer's first one
    answers. `budget_usd` is what all answers together may cost.
    """

    mode: AssistantMode
    model: Annotated[str, Meta(max_length=400, pattern="^[^\\x00]*$")] = ""
    most_questions: Annotated[int, Meta(ge=1, le=MOST_QUESTIONS)] = FORBIDDEN.most_questions
    budget_usd: Annotated[float, Meta(ge=0.01, le=MOST_USD)] | None = None

    @property
    def terms(self) -> AssistantTerms:
        budget_nano = None if self.budget_usd is None else round(self.budget_usd * NANO_PER_USD)
        return AssistantTerms(self.mode, self.model, self.most_questions, budget_nano)


class QuestionDraft(Body):
    """A question to the assistant; with `include_code`, the shared text as the server has it goes along."""

    text: Annotated[str, Meta(min_length=1, max_length=2 * MAX_QUESTION, description="1 to 8000 characters")]
    include_code: bool = False


class SummaryWish(Body):
    """
    A draft summary. Without a model the interview's own one writes it, or else the interviewer's first. `replaces` is
    the id of the draft that this one takes the place of.
    """

    model: Annotated[str, Meta(max_length=400, pattern="^[^\\x00]*$")] = ""
    replaces: _SummaryId | None = None


class SummaryChange(Body):
    """What somebody made of the draft; `id` and `revision` are those of the text that they had."""

    id: _SummaryId
    text: Annotated[str, Meta(min_length=1, max_length=2 * MAX_SUMMARY, description="1 to 20000 characters")]
    revision: _Count


class SummaryAcceptance(Body):
    """`id` and `revision` are those of the text that is accepted."""

    id: _SummaryId
    revision: _Count


class InterviewDraft(Body):
    """A new interview."""

    title: _Title
    language: _LanguageWord | None = None
    duration_minutes: Annotated[int, Meta(ge=1, le=1440)] | None = None
    assistant: AssistantWish | None = None


class InterviewChange(Body):
    """What is to change; what is absent or null stays."""

    title: _Title | None = None
    language: _LanguageWord | None = None
    frozen: bool | None = None
    assistant: AssistantWish | None = None


class JoinRequest(Body):
    """A code, and what the others are to call you."""

    code: Annotated[str, Meta(pattern="^[0-9]{6}$", description="six digits")]
    name: Annotated[str, Meta(min_length=1, max_length=2 * MAX_NAME, description="1 to 80 characters")]


class TerminalDraft(Body):
    """The size of a terminal, in characters."""

    columns: _Characters
    rows: _Characters


class RunDraft(Body):
    """
    A run of the shared text; the source is taken from the document on the server. With `terminal` it runs in one that
    people watch and type into; `stdin` is typed first.
    """

    language: _LanguageWord | None = None
    stdin: Annotated[str, Meta(max_length=MAX_STDIN)] | None = None
    args: Annotated[list[_Arg], Meta(max_length=MAX_ARGS)] | None = None
    terminal: TerminalDraft | None = None


class MessageDraft(Body):
    text: Annotated[str, Meta(min_length=1, max_length=2 * MAX_MESSAGE, description="1 to 4000 characters")]


class SignalDraft(Body):
    """Something that the candidate's page observed: how much, where, how long; never what."""

    kind: SignalKind
    size: _Count | None = None
    language: Annotated[str, Meta(max_length=60, pattern="^[^\\x00]*$")] | None = None
    line: _Count | None = None
    column: _Count | None = None
    duration_ms: _Count | None = None


class SignalReport(Body):
    signals: Annotated[list[SignalDraft], Meta(max_length=SIGNALS_AT_ONCE)]


class TerminalTicketView(msgspec.Struct, frozen=True):
    """Two minutes of leave to open the WebSocket of a run's terminal."""

    ticket: str
    expires_at: datetime


class JoinedView(msgspec.Struct, frozen=True):
    """`token` is secret, is shown once, and works for this interview only."""

    interview_id: str
    participant: ParticipantView
    token: str


class OwnInterviewView(msgspec.Struct, frozen=True):
    """As much of an interview as somebody may know who waits or is gone."""

    id: str
    title: str
    state: InterviewState
    interviewer_name: str


class OwnPlaceView(msgspec.Struct, frozen=True):
    participant: ParticipantView
    interview: OwnInterviewView

    @classmethod
    def of(cls, me: Participant, interview: Interview) -> "OwnPlaceView":
        known = OwnInterviewView(interview.id, interview.title, interview.state, interview.interviewer_name)
        return cls(ParticipantView.of(me), known)


class LanguageView(msgspec.Struct, frozen=True, kw_only=True):
    """A language. `reason` says why it cannot be run here."""

    id: str
    name: str
    version: str | None
    available: bool
    reason: str | None
    file_name: str
    template: str

    @classmethod
    def of(cls, language: Language) -> "LanguageView":
        return cls(
            id=language.id,
            name=language.name,
            version=language.version,
            available=language.available,
            reason=language.reason,
            file_name=language.file_name,
            template=language.template,
        )


class LanguagesView(msgspec.Struct, frozen=True):
    items: list[LanguageView]


class AssistantPlaceView(msgspec.Struct, frozen=True):
    """
    The assistant as the reader finds it.

    `models` are those that the interviewer can choose from, for interviewers only; without any, there is no assistant.
    `may_ask`: the reader may ask, while nothing is being answered. `budget_usd` and `spent_usd` are for interviewers
    only, too; without a budget the first is null.
    """

    mode: AssistantMode
    model: str
    most_questions: int
    questions_left: int
    may_ask: bool
    models: list[str]
    budget_usd: float | None
    spent_usd: float | None


class SummaryPlaceView(msgspec.Struct, frozen=True):
    """
    The summary as the reader finds it; null while there is none. `may_change`: the reader may change, accept and
    discard a draft. `models` are those that the reader may have it drafted by; without any, drafts cannot be asked
    for.
    """

    summary: SummaryView | None
    may_change: bool
    models: list[str]
