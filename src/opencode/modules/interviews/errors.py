"""
What can go wrong in an interview.

    NotFound    InterviewNotFound · ParticipantNotFound · InterviewRunNotFound · CodeNotKnown
                AssistantNotHere · QuestionNotFound · SummariesOff · SummaryNotFound
    Forbidden   NotYours · NotAdmitted (contracts.collaboration)
    Conflict    InterviewNotLive · InterviewOver · StillLive · ParticipantMoved · EditingFrozen · TooManyRuns
                WaitingRoomFull · KeyReused · CodeTaken · NoTerminal · DocumentEnded (contracts.collaboration)
                AssistantNotAllowed · AnswerUnderWay · QuestionsSpent · AssistantBudgetSpent
                InterviewNotOver · SummaryNotReady · SummaryMoved · SummaryAccepted
    Invalid     LanguageNotKnown · TextRefused · AssistantModelNotKnown
    Busy        JoinThrottled · TooFast · TooManyStreams · NoCodeFree · TerminalFull
    Unavailable TerminalElsewhere
    Unauthenticated  TerminalTicketRefused
"""

from collections.abc import Sequence

from opencode.kernel.errors import (
    Busy,
    Conflict,
    FieldProblem,
    Forbidden,
    Invalid,
    NotFound,
    Unauthenticated,
    Unavailable,
)


class InterviewNotFound(NotFound):
    """No such interview, or none that this person may know of: both read the same."""

    title = "The interview was not found"

    def __init__(self, interview_id: str) -> None:
        super().__init__(
            f"There is no interview {interview_id} that you take part in.",
            action="Check the address, or open the list of your interviews.",
        )


class ParticipantNotFound(NotFound):
    """Nobody with this id joined this interview."""

    title = "The participant was not found"

    def __init__(self, participant_id: str) -> None:
        super().__init__(
            f"Nobody with the id {participant_id} joined this interview.", action="List its participants again."
        )


class InterviewRunNotFound(NotFound):
    """No such run, or it belongs to an interview that this person may not know of."""

    title = "The run was not found"

    def __init__(self, run_id: str) -> None:
        super().__init__(f"There is no run {run_id} that you may see.", action="List the runs of your interview.")


class CodeNotKnown(NotFound):
    """
    Nobody can join with this code. A code that never was, one that expired and one whose interview ended read the
    same, and the code is not repeated: the answer must teach a guesser nothing.
    """

    title = "The code is not known"

    def __init__(self) -> None:
        super().__init__(
            "No interview can be joined with this code.",
            action="Check the six digits with your interviewer: a code stops working when the interview ends.",
        )


class NotYours(Forbidden):
    """The person takes part in the interview, in a part that may not do this."""

    title = "Not allowed for you"

    def __init__(self, doing: str, part: str) -> None:
        super().__init__(f"Your part in this interview ({part}) may not {doing}.", action="Ask the interviewer to.")


class InterviewNotLive(Conflict):
    """The action needs another state of the interview than the one it is in."""

    title = "The interview is not live"

    def __init__(self, interview_id: str, state: str, doing: str) -> None:
        super().__init__(
            f"Interview {interview_id} is {state}: nobody can {doing} now.", action="Start the interview first."
        )


class InterviewOver(Conflict):
    """The interview has ended, and what was asked for would change it or is not open to this person any more."""

    title = "The interview is over"

    def __init__(self, interview_id: str, doing: str) -> None:
        super().__init__(
            f"Interview {interview_id} has ended: you can no longer {doing}.",
            action="The interviewer can still read and export it.",
        )


class InterviewNotOver(Conflict):
    """What was asked for comes after the end of the interview."""

    title = "The interview is not over"

    def __init__(self, interview_id: str, state: str, doing: str) -> None:
        super().__init__(
            f"Interview {interview_id} is {state}: nobody can {doing} yet.", action="End the interview first."
        )


class StillLive(Conflict):
    """An interview that is live cannot be deleted."""

    title = "The interview is live"

    def __init__(self, interview_id: str) -> None:
        super().__init__(f"Interview {interview_id} is live, so it cannot be deleted.", action="End it first.")


class ParticipantMoved(Conflict):
    """The participant is in a state from which this step does not lead on; somebody was quicker, perhaps."""

    title = "Not possible for this participant"

    def __init__(self, name: str, status: str, wanted: str) -> None:
        super().__init__(
            f"{name} is {status} and cannot become {wanted}.",
            action="Look at the list of participants; whoever is gone can join again with the code.",
        )


class EditingFrozen(Conflict):
    """The interviewer has frozen the editor; candidates neither edit, run nor switch language meanwhile."""

    title = "Editing is frozen"

    def __init__(self, doing: str) -> None:
        super().__init__(
            f"The interviewer has frozen the editor: candidates cannot {doing} meanwhile.",
            action="Wait until the interviewer lifts the freeze.",
        )


class TooManyRuns(Conflict):
    """As many runs of one interview as the server allows are under way."""

    title = "Runs are under way"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} runs of this interview are under way, which is the most at once.",
            action="Wait for one of them to finish, or stop it.",
        )


class WaitingRoomFull(Conflict):
    """As many people wait to be let in as the server allows."""

    title = "The waiting room is full"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} people wait to be let in already.", action="Ask your interviewer to admit or decline somebody."
        )


class KeyReused(Conflict):
    """An `Idempotency-Key` came again with another request."""

    title = "The key was used before"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used for a different request within the last 24 hours.",
            action="Make a new key for a new request.",
        )


class CodeTaken(Conflict):
    """People join another interview with this code; draw another one."""

    title = "The code is in use"

    def __init__(self) -> None:
        super().__init__("Another interview has this code.", action="Try again.")


class LanguageNotKnown(Invalid):
    """No such language. `nearest` are the ids that look most like what was asked for."""

    title = "The language is not known"

    def __init__(self, asked: str, nearest: tuple[str, ...]) -> None:
        hint = f"Did you mean {' or '.join(nearest)}? " if nearest else ""
        named = f"; nearest: {', '.join(nearest)}" if nearest else ""
        super().__init__(
            f"There is no language {asked!r}.",
            action=f"{hint}GET /api/v1/languages lists them all.",
            problems=(FieldProblem("/language", f"is not known{named}"),),
        )


class TextRefused(Invalid):
    """A name, title, message or argument that breaks a rule about text."""

    title = "The text cannot be taken"

    def __init__(self, pointer: str, problem: str) -> None:
        super().__init__(
            f"{pointer.lstrip('/').capitalize()} {problem}.",
            action="Correct what errors lists.",
            problems=(FieldProblem(pointer, problem),),
        )


class JoinThrottled(Busy):
    """Too many attempts to join. Says nothing about the code, which was not even looked at."""

    title = "Too many attempts to join"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "Too many codes were tried.",
            action=f"Wait {retry_after_s} s, check the code with your interviewer, then try again.",
            retry_after_s=retry_after_s,
        )


class TooFast(Busy):
    """One person sends more than the server takes."""

    title = "Too fast"

    def __init__(self, what: str, retry_after_s: int) -> None:
        super().__init__(
            f"You are sending {what} faster than this server takes them.",
            action=f"Wait {retry_after_s} s.",
            retry_after_s=retry_after_s,
        )


class NoCodeFree(Busy):
    """So many interviews are open that no free code was found."""

    title = "No code is free"

    def __init__(self) -> None:
        super().__init__(
            "No free code was found: very many interviews are open.",
            action="End interviews that are over, then try again.",
            retry_after_s=60,
        )


class TooManyStreams(Busy):
    """One person holds as many event streams open as the server allows."""

    title = "Too many event streams"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"You have {limit} event streams open, which is the most.",
            action="Close a tab that shows an interview.",
            retry_after_s=10,
        )


class NoTerminal(Conflict):
    """The run was started without a terminal."""

    title = "The run has no terminal"

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"Run {run_id} was started without a terminal.", action="Start one with terminal: {columns, rows}."
        )


class TerminalTicketRefused(Unauthenticated):
    """The ticket for a terminal is missing, wrong, expired, or for another run."""

    title = "The ticket is not good for this terminal"

    def __init__(self, why: str) -> None:
        super().__init__(f"The ticket {why}.", action="Get a new one from POST /api/v1/runs/{run_id}/tickets.")


class TerminalElsewhere(Unavailable):
    """Another server of this deployment drives the run, and only that one has its terminal."""

    title = "The terminal is on another server"

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"The terminal of run {run_id} is on another server of this deployment, or is just being set up.",
            action="Connect again. If it stays, the proxy must send one interview to one server: docs/deploy.md.",
        )


class TerminalFull(Busy):
    """As many connections are open to one terminal as the server allows."""

    title = "Too many look at the terminal"

    def __init__(self, open_ones: int, own: int) -> None:
        super().__init__(
            f"{open_ones} connections are open to this terminal, {own} of them yours.",
            action="Close a tab that shows it.",
            retry_after_s=10,
        )


class AssistantNotHere(NotFound):
    """The interviewer can use no language model on this server, so that interviews of theirs have no assistant."""

    title = "There is no assistant"

    def __init__(self) -> None:
        super().__init__(
            "This interview has no assistant.", action="An administrator can set up a model provider: docs/ai.md."
        )


class AssistantNotAllowed(Conflict):
    """The interviewer lets nobody ask the assistant, or interviewers only."""

    title = "The assistant is not allowed"

    def __init__(self, interview_id: str) -> None:
        super().__init__(
            f"You may not ask the assistant in interview {interview_id} now.", action="Ask your interviewer."
        )


class AnswerUnderWay(Conflict):
    """The assistant answers another question of this interview."""

    title = "The assistant is answering"

    def __init__(self) -> None:
        super().__init__(
            "The assistant answers one question at a time, and is at one.", action="Wait for its answer, or stop it."
        )


class QuestionsSpent(Conflict):
    """As many questions were asked in this interview as the interviewer allows."""

    title = "No questions are left"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"All {most} questions of this interview have been asked.", action="The interviewer can allow more."
        )


class AssistantBudgetSpent(Conflict):
    """The answers of this interview have cost what the interviewer allows."""

    title = "The assistant's budget is spent"

    def __init__(self) -> None:
        super().__init__(
            "The answers in this interview have cost what they may.", action="The interviewer can allow more."
        )


class QuestionNotFound(NotFound):
    """No such question to the assistant in this interview."""

    title = "The question was not found"

    def __init__(self, question_id: str) -> None:
        super().__init__(f"There is no question {question_id} in this interview.", action="List its questions again.")


class AssistantModelNotKnown(Invalid):
    """The interviewer may not use this model, or there is none of that name."""

    title = "The model is not known"

    def __init__(self, model: str, available: Sequence[str], pointer: str = "/assistant/model") -> None:
        detail = f"There is no model {model[:80]!r} for you."
        super().__init__(
            detail,
            action=f"Choose one of these: {', '.join(available[:5])}." if available else "",
            problems=(FieldProblem(pointer, detail),),
        )


class SummariesOff(NotFound):
    """The interviewer can use no language model, or this server lets nobody draft summaries with one."""

    title = "There are no draft summaries"

    def __init__(self) -> None:
        super().__init__(
            "No model drafts summaries of your interviews.",
            action="An administrator can set up a model provider, and OCP_INTERVIEW_SUMMARIES: docs/ai.md.",
        )


class SummaryNotFound(NotFound):
    """The interview has no summary, and no draft of one: perhaps somebody discarded it just now."""

    title = "There is no summary"

    def __init__(self) -> None:
        super().__init__("This interview has no summary.", action="Have one drafted.")


class SummaryNotReady(Conflict):
    """The draft is being written, or broke off: only one that is whole can be changed or accepted."""

    title = "The draft is not whole"

    def __init__(self, state: str) -> None:
        if state == "writing":
            super().__init__("The draft is still being written.", action="Wait for its end, or discard it.")
        else:
            super().__init__("The draft broke off, and is not whole.", action="Have it drafted again, or discard it.")


class SummaryMoved(Conflict):
    """Somebody else changed the summary since it was read."""

    title = "The summary has changed"

    def __init__(self) -> None:
        super().__init__("Somebody changed this summary meanwhile.", action="Read it again, then add your changes.")


class SummaryAccepted(Conflict):
    """The summary was accepted, and with that it is part of the interview's record."""

    title = "The summary was accepted"

    def __init__(self) -> None:
        super().__init__(
            "This summary was accepted, and is part of the record.",
            action="It stays as it is for as long as the interview.",
        )
