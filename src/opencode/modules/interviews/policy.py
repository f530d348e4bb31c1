"""Who may do what to an interview in which state: one table, enumerated by a test."""

from enum import StrEnum

from opencode.contracts.collaboration import DocumentEnded, NotAdmitted, PeerRole
from opencode.kernel.errors import Unauthenticated
from opencode.kernel.principal import Principal, PrincipalKind
from opencode.modules.interviews.domain.assistant import AssistantMode, Question
from opencode.modules.interviews.domain.interview import Interview, InterviewState
from opencode.modules.interviews.domain.people import Part, Participant, Status
from opencode.modules.interviews.domain.records import Audience, EventType, Said
from opencode.modules.interviews.errors import (
    AssistantNotAllowed,
    EditingFrozen,
    InterviewNotFound,
    InterviewNotLive,
    InterviewNotOver,
    InterviewOver,
    NotYours,
)

TO_CREATE = "interviews:create"
TO_READ = "interviews:read"
TO_MANAGE = "interviews:manage"
ADMIN_ROLE = "admin"


class Standing(StrEnum):
    """What somebody is to one interview."""

    OWNER = "interviewer"
    OVERSEER = "administrator"
    ADMITTED = "admitted candidate"
    WAITING = "waiting candidate"
    GONE = "former candidate"
    STRANGER = "stranger"
    """Another interviewer, a member, another interview's candidate: may not even know that it exists."""


class Action(StrEnum):
    """What people do; the words fit into "nobody can … now"."""

    SEE = "see it"
    SEE_ONESELF = "see your own part"
    WATCH = "watch its events"
    RENAME = "rename it"
    SWITCH_LANGUAGE = "switch its language"
    FREEZE = "freeze or unfreeze it"
    START = "start it"
    END = "end it"
    DELETE = "delete it"
    DECIDE = "admit, decline or remove people"
    LEAVE = "leave it"
    RUN = "run code in it"
    STOP_RUN = "stop its runs"
    CHAT = "write in its chat"
    REPORT_SIGNALS = "report signals"
    SEE_SIGNALS = "see what was observed"
    EXPORT = "export it"
    ALLOW_ASSISTANT = "say who may ask its assistant"
    ASK_ASSISTANT = "ask its assistant"
    STOP_ANSWER = "stop its assistant"
    SEE_SUMMARY = "see its summary"
    SUMMARISE = "summarise it"


S, L, E = InterviewState.SCHEDULED, InterviewState.LIVE, InterviewState.ENDED
_OPEN = frozenset({S, L})
_ALWAYS = frozenset({S, L, E})
_AFTERWARDS = frozenset({E})
_NEVER: frozenset[InterviewState] = frozenset()

ALLOWED: dict[Action, dict[Standing, frozenset[InterviewState]]] = {
    Action.SEE: {Standing.OWNER: _ALWAYS, Standing.OVERSEER: _ALWAYS, Standing.ADMITTED: _OPEN},
    Action.SEE_ONESELF: {
        Standing.OWNER: _ALWAYS,
        Standing.ADMITTED: _ALWAYS,
        Standing.WAITING: _ALWAYS,
        Standing.GONE: _ALWAYS,
    },
    # Whoever is gone still gets the event that says why, also after a lost connection; `sees` keeps it to that.
    Action.WATCH: {
        Standing.OWNER: _ALWAYS,
        Standing.OVERSEER: _ALWAYS,
        Standing.ADMITTED: _ALWAYS,
        Standing.WAITING: _ALWAYS,
        Standing.GONE: _ALWAYS,
    },
    Action.RENAME: {Standing.OWNER: _OPEN},
    Action.SWITCH_LANGUAGE: {Standing.OWNER: _OPEN, Standing.ADMITTED: _OPEN},
    Action.FREEZE: {Standing.OWNER: _OPEN},
    # Starting what is live and ending what has ended change nothing: two tabs may press the same button.
    Action.START: {Standing.OWNER: _OPEN},
    Action.END: {Standing.OWNER: _ALWAYS, Standing.OVERSEER: _ALWAYS},
    # That a live one must be ended first is the interview's own rule, with its own words.
    Action.DELETE: {Standing.OWNER: _ALWAYS},
    Action.DECIDE: {Standing.OWNER: _OPEN},
    Action.LEAVE: {Standing.ADMITTED: _ALWAYS, Standing.WAITING: _ALWAYS, Standing.GONE: _ALWAYS},
    Action.RUN: {Standing.OWNER: _OPEN, Standing.ADMITTED: frozenset({L})},
    Action.STOP_RUN: {Standing.OWNER: _OPEN, Standing.ADMITTED: frozenset({L})},
    Action.CHAT: {Standing.OWNER: _OPEN, Standing.ADMITTED: _OPEN},
    Action.REPORT_SIGNALS: {Standing.ADMITTED: _OPEN},
    Action.SEE_SIGNALS: {Standing.OWNER: _ALWAYS, Standing.OVERSEER: _ALWAYS},
    Action.EXPORT: {Standing.OWNER: _ALWAYS, Standing.OVERSEER: _ALWAYS},
    Action.ALLOW_ASSISTANT: {Standing.OWNER: _OPEN},
    # Whether the interviewer allows it at all is `require_may_ask`.
    Action.ASK_ASSISTANT: {Standing.OWNER: _OPEN, Standing.ADMITTED: frozenset({L})},
    Action.STOP_ANSWER: {Standing.OWNER: _OPEN, Standing.ADMITTED: frozenset({L})},
    Action.SEE_SUMMARY: {Standing.OWNER: _ALWAYS, Standing.OVERSEER: _ALWAYS},
    Action.SUMMARISE: {Standing.OWNER: _AFTERWARDS},
}


LOOKING = frozenset(
    {Action.SEE, Action.SEE_ONESELF, Action.WATCH, Action.SEE_SIGNALS, Action.EXPORT, Action.SEE_SUMMARY}
)
"""What changes nothing: a token that may only read is enough."""


def standing_of(principal: Principal, interview: Interview, me: Participant | None) -> Standing:
    """
    What `principal` is to `interview`.

    Args:
        me: the participant with the principal's id in this interview, if there is one.
    """
    if principal.kind is PrincipalKind.SYSTEM:
        return Standing.OVERSEER
    if principal.is_user:
        if principal.id == interview.interviewer_id:
            return Standing.OWNER
        return Standing.OVERSEER if ADMIN_ROLE in principal.roles else Standing.STRANGER
    if principal.is_guest and principal.audience == interview.id and me is not None:
        return STANDING_OF_STATUS[me.status]
    return Standing.STRANGER


STANDING_OF_STATUS = {
    Status.WAITING: Standing.WAITING,
    Status.ADMITTED: Standing.ADMITTED,
    Status.DECLINED: Standing.GONE,
    Status.REMOVED: Standing.GONE,
    Status.LEFT: Standing.GONE,
}


def require_somebody(principal: Principal) -> None:
    """
    Asked before anything is looked up, so that the answer to nobody is the same whatever exists.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    if principal.kind is PrincipalKind.ANONYMOUS:
        raise Unauthenticated(
            "This needs you to be signed in, or to have joined.", action="Sign in, or join with your code."
        )


def require_permission(action: Action, principal: Principal, standing: Standing) -> None:
    """
    What an account, or the token that speaks for it, may do in general. Candidates have no permissions: what they
    were let in to says it all.

    Raises:
        Forbidden: the account lost its role, or the token's scopes are too narrow.
    """
    if standing in (Standing.OWNER, Standing.OVERSEER):
        principal.require(TO_READ if action in LOOKING else TO_MANAGE)


def require(action: Action, standing: Standing, interview: Interview) -> None:
    """
    Raises:
        InterviewNotFound: a stranger asks.
        NotAdmitted: a candidate who is not let in asks for more than to know where they stand.
        NotYours: this part never may.
        InterviewOver, InterviewNotLive, InterviewNotOver: this part may, in another state of the interview.
    """
    if standing is Standing.STRANGER:
        raise InterviewNotFound(interview.id)
    states = ALLOWED[action].get(standing, _NEVER)
    if interview.state in states:
        return
    if standing in (Standing.WAITING, Standing.GONE):
        raise not_admitted(standing)
    if not states:
        raise NotYours(action, standing)
    if interview.is_over:
        raise InterviewOver(interview.id, action)
    if states == _AFTERWARDS:
        raise InterviewNotOver(interview.id, interview.state, action)
    raise InterviewNotLive(interview.id, interview.state, action)


def require_may_ask(standing: Standing, interview: Interview) -> None:
    """
    Raises:
        AssistantNotAllowed: the interviewer lets nobody ask the assistant, or not this part.
        EditingFrozen: a candidate asks while the editor is frozen.
    """
    mode = interview.assistant.mode
    if mode is AssistantMode.FORBIDDEN or (standing is not Standing.OWNER and mode is not AssistantMode.EVERYONE):
        raise AssistantNotAllowed(interview.id)
    if standing is Standing.ADMITTED and interview.frozen:
        raise EditingFrozen("ask the assistant")


def not_admitted(standing: Standing) -> NotAdmitted:
    if standing is Standing.WAITING:
        return NotAdmitted("You are not let in yet.", action="Wait for the interviewer to admit you.")
    return NotAdmitted("You are no longer part of this interview.", action="Ask your interviewer for the code again.")


def document_role(standing: Standing, interview: Interview) -> PeerRole:
    """
    How somebody may enter the interview's document.

    Raises:
        InterviewNotFound: a stranger asks.
        NotAdmitted: not let in, or not any more.
        DocumentEnded: a candidate asks after the end.
    """
    if standing is Standing.STRANGER:
        raise InterviewNotFound(interview.id)
    if standing in (Standing.WAITING, Standing.GONE):
        raise not_admitted(standing)
    if standing is Standing.OVERSEER:
        raise NotAdmitted("Administrators do not enter an interview's editor.", action="Read its export instead.")
    if standing is Standing.OWNER:
        return PeerRole.READ if interview.is_over else PeerRole.WRITE
    if interview.is_over:
        raise DocumentEnded(f"Interview {interview.id} has ended.", action="Thank you for taking part.")
    return PeerRole.READ if interview.frozen else PeerRole.WRITE


def part_of(standing: Standing) -> Part:
    """Whose side somebody is on."""
    return Part.INTERVIEWER if standing in (Standing.OWNER, Standing.OVERSEER) else Part.CANDIDATE


def sees(standing: Standing, reader_id: str, event: Said, *, over: bool) -> bool:
    """
    Does this event reach somebody of that standing?

    Args:
        over: the interview has ended, and with it a candidate's right to read more than how it ended for them.
    """
    if standing in (Standing.OWNER, Standing.OVERSEER):
        return True
    if event.audience is Audience.INTERVIEWERS:
        return False
    if standing is Standing.ADMITTED and not over:
        return True
    return event.about == reader_id or event.type in (EventType.INTERVIEW_STARTED, EventType.INTERVIEW_ENDED)


def question_seen(standing: Standing, question: Question) -> Question:
    """What somebody gets to read of a question: candidates not what its answer took."""
    return question if part_of(standing) is Part.INTERVIEWER else question.without_usage()


def event_seen(standing: Standing, event: Said) -> Said:
    """What somebody who sees an event gets to read of it."""
    return event if part_of(standing) is Part.INTERVIEWER else event.without_usage()


FAREWELLS = frozenset({EventType.PARTICIPANT_DECLINED, EventType.PARTICIPANT_REMOVED, EventType.PARTICIPANT_LEFT})


def is_last(event: Said, reader_id: str) -> bool:
    """Is there nothing more to tell this reader after that event, while the interview goes on?"""
    return event.type is EventType.INTERVIEW_ENDED or (event.type in FAREWELLS and event.about == reader_id)


def hears_of_summary(standing: Standing) -> bool:
    """Is there something to tell also after the end of the interview?"""
    return ALLOWED[Action.SEE_SUMMARY].get(standing) is not None


def turns(event: Said, reader_id: str) -> bool:
    """May this event change what the reader is to the interview?"""
    return event.type is EventType.INTERVIEW_ENDED or event.about == reader_id
