"""Who × action × state: the whole table, as people would state it."""

from datetime import UTC, datetime

import pytest

from opencode.contracts.collaboration import DocumentEnded, NotAdmitted, PeerRole
from opencode.kernel.errors import Conflict, Forbidden, NotFound, Unauthenticated
from opencode.kernel.ids import InterviewId
from opencode.kernel.principal import ANONYMOUS, SYSTEM, Principal, PrincipalKind
from opencode.modules.interviews import policy
from opencode.modules.interviews.domain.assistant import AssistantMode, AssistantTerms
from opencode.modules.interviews.domain.interview import InterviewState
from opencode.modules.interviews.domain.people import Part, Participant, Status
from opencode.modules.interviews.domain.records import Audience, EventType, Said
from opencode.modules.interviews.errors import AssistantNotAllowed, EditingFrozen
from opencode.modules.interviews.policy import Action, Standing
from tests.modules.interviews.test_domain import NOW, interview

SCHEDULED, LIVE, ENDED = InterviewState

READS = {
    Action.SEE,
    Action.SEE_ONESELF,
    Action.WATCH,
    Action.SEE_SIGNALS,
    Action.EXPORT,
    Action.SEE_SUMMARY,
}
STEERS = {
    Action.RENAME,
    Action.SWITCH_LANGUAGE,
    Action.FREEZE,
    Action.START,
    Action.DECIDE,
    Action.RUN,
    Action.STOP_RUN,
    Action.CHAT,
    Action.ALLOW_ASSISTANT,
    Action.ASK_ASSISTANT,
    Action.STOP_ANSWER,
}
TAKES_PART = {Action.SEE, Action.SWITCH_LANGUAGE, Action.CHAT, Action.REPORT_SIGNALS}
STANDS = {Action.SEE_ONESELF, Action.WATCH, Action.LEAVE}

MAY: dict[tuple[Standing, InterviewState], set[Action]] = {
    (Standing.OWNER, SCHEDULED): READS | STEERS | {Action.END, Action.DELETE},
    (Standing.OWNER, LIVE): READS | STEERS | {Action.END, Action.DELETE},
    (Standing.OWNER, ENDED): READS | {Action.END, Action.DELETE, Action.SUMMARISE},
    (Standing.OVERSEER, SCHEDULED): READS - {Action.SEE_ONESELF} | {Action.END},
    (Standing.OVERSEER, LIVE): READS - {Action.SEE_ONESELF} | {Action.END},
    (Standing.OVERSEER, ENDED): READS - {Action.SEE_ONESELF} | {Action.END},
    (Standing.ADMITTED, SCHEDULED): STANDS | TAKES_PART,
    (Standing.ADMITTED, LIVE): STANDS
    | TAKES_PART
    | {Action.RUN, Action.STOP_RUN, Action.ASK_ASSISTANT, Action.STOP_ANSWER},
    (Standing.ADMITTED, ENDED): STANDS,
    **{(Standing.WAITING, state): STANDS for state in InterviewState},
    **{(Standing.GONE, state): STANDS for state in InterviewState},
    **{(Standing.STRANGER, state): set[Action]() for state in InterviewState},
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", InterviewState)
@pytest.mark.parametrize("standing", Standing)
def test_people_may_do_exactly_what_the_table_says(standing: Standing, state: InterviewState, action: Action) -> None:
    subject = interview(state=state)
    if action in MAY[standing, state]:
        policy.require(action, standing, subject)
        return
    if standing is Standing.STRANGER:
        expected: type[Exception] = NotFound
    elif standing in (Standing.WAITING, Standing.GONE):
        expected = NotAdmitted
    else:
        ever = any(action in MAY[standing, other] for other in InterviewState)
        expected = Conflict if ever else Forbidden
    with pytest.raises(expected):
        policy.require(action, standing, subject)


def user(user_id: str, *roles: str, permissions: frozenset[str] = frozenset()) -> Principal:
    return Principal(user_id, PrincipalKind.USER, "Someone", frozenset(roles), permissions)


def guest(audience: str) -> Principal:
    return Principal("par_1", PrincipalKind.GUEST, "Ada", audience=audience)


def participant(status: Status) -> Participant:
    return Participant("par_1", InterviewId("int_1"), "Ada", Part.CANDIDATE, status, 1, NOW)


@pytest.mark.parametrize(
    ("principal", "me", "standing"),
    [
        (user("usr_1", "interviewer"), None, Standing.OWNER),
        (user("usr_2", "interviewer"), None, Standing.STRANGER),
        (user("usr_2", "member"), None, Standing.STRANGER),
        (user("usr_2", "admin"), None, Standing.OVERSEER),
        (SYSTEM, None, Standing.OVERSEER),
        (guest("int_1"), participant(Status.WAITING), Standing.WAITING),
        (guest("int_1"), participant(Status.ADMITTED), Standing.ADMITTED),
        (guest("int_1"), participant(Status.DECLINED), Standing.GONE),
        (guest("int_1"), participant(Status.REMOVED), Standing.GONE),
        (guest("int_1"), participant(Status.LEFT), Standing.GONE),
        (guest("int_2"), participant(Status.ADMITTED), Standing.STRANGER),
        (guest("int_1"), None, Standing.STRANGER),
        (ANONYMOUS, None, Standing.STRANGER),
    ],
)
def test_what_somebody_is_to_an_interview(principal: Principal, me: Participant | None, standing: Standing) -> None:
    assert policy.standing_of(principal, interview(), me) is standing


def test_nobody_is_asked_to_sign_in_before_anything_is_looked_up() -> None:
    with pytest.raises(Unauthenticated):
        policy.require_somebody(ANONYMOUS)


@pytest.mark.parametrize("action", Action)
def test_a_token_that_may_only_read_changes_nothing(action: Action) -> None:
    reader = user("usr_1", "interviewer", permissions=frozenset({"interviews:read"}))
    if action in READS:
        policy.require_permission(action, reader, Standing.OWNER)
        return
    with pytest.raises(Forbidden):
        policy.require_permission(action, reader, Standing.OWNER)


@pytest.mark.parametrize(
    ("standing", "state", "frozen", "outcome"),
    [
        (Standing.OWNER, SCHEDULED, False, PeerRole.WRITE),
        (Standing.OWNER, LIVE, True, PeerRole.WRITE),
        (Standing.OWNER, ENDED, False, PeerRole.READ),
        (Standing.ADMITTED, LIVE, False, PeerRole.WRITE),
        (Standing.ADMITTED, LIVE, True, PeerRole.READ),
        (Standing.ADMITTED, ENDED, False, DocumentEnded),
        (Standing.OVERSEER, LIVE, False, NotAdmitted),
        (Standing.WAITING, LIVE, False, NotAdmitted),
        (Standing.WAITING, ENDED, False, NotAdmitted),
        (Standing.GONE, LIVE, False, NotAdmitted),
        (Standing.STRANGER, LIVE, False, NotFound),
    ],
)
def test_how_people_enter_the_document(
    standing: Standing, state: InterviewState, frozen: bool, outcome: PeerRole | type[Exception]
) -> None:
    subject = interview(state=state, frozen=frozen)
    if isinstance(outcome, PeerRole):
        assert policy.document_role(standing, subject) is outcome
        return
    with pytest.raises(outcome):
        policy.document_role(standing, subject)


@pytest.mark.parametrize(
    ("mode", "standing", "frozen", "refusal"),
    [
        (AssistantMode.FORBIDDEN, Standing.OWNER, False, AssistantNotAllowed),
        (AssistantMode.FORBIDDEN, Standing.ADMITTED, False, AssistantNotAllowed),
        (AssistantMode.INTERVIEWERS, Standing.OWNER, False, None),
        (AssistantMode.INTERVIEWERS, Standing.OWNER, True, None),
        (AssistantMode.INTERVIEWERS, Standing.ADMITTED, False, AssistantNotAllowed),
        (AssistantMode.EVERYONE, Standing.OWNER, True, None),
        (AssistantMode.EVERYONE, Standing.ADMITTED, False, None),
        (AssistantMode.EVERYONE, Standing.ADMITTED, True, EditingFrozen),
    ],
)
def test_who_may_ask_the_assistant_is_what_the_interviewer_says(
    mode: AssistantMode, standing: Standing, frozen: bool, refusal: type[Exception] | None
) -> None:
    subject = interview(state=LIVE, frozen=frozen, assistant=AssistantTerms(mode, "mock/small"))
    if refusal is None:
        policy.require_may_ask(standing, subject)
        return
    with pytest.raises(refusal):
        policy.require_may_ask(standing, subject)


def said(event_type: EventType, about: str = "", audience: Audience = Audience.ALL) -> Said:
    return Said(InterviewId("int_1"), 1, datetime(2026, 1, 5, tzinfo=UTC), event_type, audience, about, "{}")


@pytest.mark.parametrize("standing", [Standing.WAITING, Standing.GONE])
def test_who_is_not_let_in_hears_only_of_themselves_and_of_start_and_end(standing: Standing) -> None:
    def heard(event: Said) -> bool:
        return policy.sees(standing, "par_1", event, over=False)

    assert heard(said(EventType.PARTICIPANT_JOINED, "par_1"))
    assert heard(said(EventType.INTERVIEW_ENDED))
    assert not heard(said(EventType.PARTICIPANT_JOINED, "par_2"))
    for event_type in (EventType.RUN_OUTPUT, EventType.CHAT_MESSAGE, EventType.LANGUAGE_CHANGED):
        assert not heard(said(event_type))


def test_only_interviewers_hear_what_was_observed() -> None:
    observed = said(EventType.MONITOR_SIGNAL, "par_1", Audience.INTERVIEWERS)
    assert policy.sees(Standing.OWNER, "usr_1", observed, over=False)
    for standing in (Standing.ADMITTED, Standing.WAITING, Standing.GONE):
        assert not policy.sees(standing, "par_1", observed, over=False)


def test_a_candidate_reads_nothing_more_after_the_end_than_how_it_ended() -> None:
    assert policy.sees(Standing.ADMITTED, "par_1", said(EventType.CHAT_MESSAGE), over=False)
    assert not policy.sees(Standing.ADMITTED, "par_1", said(EventType.CHAT_MESSAGE), over=True)
    assert policy.sees(Standing.ADMITTED, "par_1", said(EventType.INTERVIEW_ENDED), over=True)


def test_a_stream_is_over_with_the_interview_or_with_ones_own_part() -> None:
    assert policy.is_last(said(EventType.INTERVIEW_ENDED), "par_1")
    assert policy.is_last(said(EventType.PARTICIPANT_REMOVED, "par_1"), "par_1")
    assert not policy.is_last(said(EventType.PARTICIPANT_REMOVED, "par_2"), "par_1")
    assert not policy.is_last(said(EventType.PARTICIPANT_ADMITTED, "par_1"), "par_1")


def test_only_interviewers_and_administrators_hear_of_a_summary() -> None:
    hears = {standing for standing in Standing if policy.hears_of_summary(standing)}
    assert hears == {Standing.OWNER, Standing.OVERSEER}
