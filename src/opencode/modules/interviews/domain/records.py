"""What is written down while an interview goes on: chat, signals of the candidate's page, events of the stream."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, cast

import msgspec

from opencode.kernel.ids import InterviewId, MessageId
from opencode.modules.interviews.domain.assistant import USAGE
from opencode.modules.interviews.domain.chain import HASH, PREVIOUS
from opencode.modules.interviews.domain.people import Part

SIGNALS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Message:
    id: MessageId
    interview_id: InterviewId
    author_id: str
    author_name: str
    author_role: Part
    text: str
    at: datetime


SignalKind = Literal["paste", "focus_lost", "focus_returned", "idle", "active"]


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that the candidate's page observed: that it happened and how large it was, never its content."""

    id: str
    interview_id: InterviewId
    participant_id: str
    kind: SignalKind
    at: datetime
    size: int | None = None
    language: str | None = None
    line: int | None = None
    column: int | None = None
    duration_ms: int | None = None


class EventType(StrEnum):
    PARTICIPANT_JOINED = "participant.joined"
    PARTICIPANT_ADMITTED = "participant.admitted"
    PARTICIPANT_DECLINED = "participant.declined"
    PARTICIPANT_REMOVED = "participant.removed"
    PARTICIPANT_LEFT = "participant.left"
    PARTICIPANT_ONLINE = "participant.online"
    PARTICIPANT_OFFLINE = "participant.offline"
    INTERVIEW_STARTED = "interview.started"
    INTERVIEW_ENDED = "interview.ended"
    INTERVIEW_CHANGED = "interview.changed"
    INTERVIEW_FROZEN = "interview.frozen"
    LANGUAGE_CHANGED = "language.changed"
    RUN_STARTED = "run.started"
    RUN_QUEUED = "run.queued"
    RUN_STAGE = "run.stage"
    RUN_OUTPUT = "run.output"
    RUN_FINISHED = "run.finished"
    CHAT_MESSAGE = "chat.message"
    MONITOR_SIGNAL = "monitor.signal"
    ASSISTANT_ALLOWED = "assistant.allowed"
    ASSISTANT_ASKED = "assistant.asked"
    ASSISTANT_ANSWERED = "assistant.answered"
    ASSISTANT_FINISHED = "assistant.finished"
    ASSISTANT_FAILED = "assistant.failed"
    SUMMARY_REQUESTED = "summary.requested"
    SUMMARY_WRITTEN = "summary.written"
    SUMMARY_DRAFTED = "summary.drafted"
    SUMMARY_FAILED = "summary.failed"
    SUMMARY_DISCARDED = "summary.discarded"
    SUMMARY_ACCEPTED = "summary.accepted"


CHAINED = tuple(each for each in EventType if each.startswith(("assistant.", "summary.")))
"""The events that are entries of the assistant's record: whatever a model said, and what people made of it."""

ENDS_OF_DRAFT = frozenset({EventType.SUMMARY_DRAFTED, EventType.SUMMARY_FAILED, EventType.SUMMARY_DISCARDED})
"""After these nobody writes at a draft any more."""


PASSING = 0
"""The number of an event that is told to those who listen now, and never stored."""


class Audience(StrEnum):
    ALL = "all"
    INTERVIEWERS = "interviewers"


@dataclass(frozen=True, slots=True)
class Said:
    """
    One event of the stream.

    Attributes:
        seq: its number within the interview, from 1 without gaps; or `PASSING`.
        about: the participant, run, question or summary that it concerns, or empty. People who are not let in see
            what is about them.
        data: the JSON that goes out, with `type` and `at`.
    """

    interview_id: InterviewId
    seq: int
    at: datetime
    type: EventType
    audience: Audience
    about: str
    data: str

    def without_usage(self) -> "Said":
        """
        As candidates hear it: without what an answer of the assistant took. The hashes go, too: whoever knows the rest
        of an entry finds such small numbers by trying them.
        """
        if self.type not in CHAINED:
            return self
        entry = msgspec.json.decode(self.data, type=dict[str, Any])
        kept = {name: value for name, value in entry.items() if name not in (HASH, PREVIOUS)}
        if isinstance(question := kept.get("question"), dict):
            kept["question"] = {**cast("dict[str, Any]", question), **dict.fromkeys(USAGE)}
        return replace(self, data=msgspec.json.encode(kept).decode())
