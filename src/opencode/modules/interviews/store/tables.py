"""The tables. Ids of documents and people are other modules' things: kept, never referenced by a foreign key."""

from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Dialect, Index, Integer, PrimaryKeyConstraint, String, Table, Text
from sqlalchemy.types import TypeDecorator

from opencode.contracts.execution import Terminal, Verdict
from opencode.infra.db import UtcDateTime, Word, metadata, request_table
from opencode.modules.interviews.domain.assistant import AssistantTerms, QuestionState
from opencode.modules.interviews.domain.interview import InterviewState
from opencode.modules.interviews.domain.people import Part, Status
from opencode.modules.interviews.domain.records import Audience, EventType
from opencode.modules.interviews.domain.run import Compilation, RunState
from opencode.modules.interviews.domain.summary import SummaryState

R = TypeVar("R")

_ID = String(40)
# As the migration has it, whatever the terms have got since: what is not said is as in `AssistantTerms`.
_FORBIDDEN = '{"mode":"forbidden","model":"","most_questions":50}'


class Words(TypeDecorator[tuple[str, ...]]):
    """Several words or lines, in order, as a JSON array."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else msgspec.json.decode(value, type=tuple[str, ...])


class AnyText(TypeDecorator[str]):
    """Text that a program printed or read. As a JSON string, because PostgreSQL's text cannot hold U+0000."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.decode(value, type=str)


class Record(TypeDecorator[R], Generic[R]):
    """A few facts that belong together, as a JSON object."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[R]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: R | None, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> R | None:
        return None if value is None else msgspec.json.decode(value, type=self.kind)


interviews = Table(
    "interviews",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("code", String(12), nullable=False),
    # Unique where it is not null: two databases and one rule, without a partial index.
    Column("open_code", String(12), nullable=True, unique=True),
    Column("code_expires_at", UtcDateTime, nullable=False),
    Column("title", String(200), nullable=False),
    Column("state", Word(InterviewState), nullable=False),
    Column("language", String(60), nullable=False),
    Column("languages", Words, nullable=False),
    Column("frozen", Boolean, nullable=False),
    Column("document_id", _ID, nullable=False),
    Column("duration_minutes", Integer, nullable=False),
    Column("interviewer_id", _ID, nullable=False),
    Column("interviewer_name", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime, nullable=True),
    Column("ends_at", UtcDateTime, nullable=True),
    Column("ended_at", UtcDateTime, nullable=True),
    # The number of the last event: counting here, in the transaction of the event, leaves no gaps.
    Column("last_seq", Integer, nullable=False, server_default="0"),
    Column("assistant", Record(AssistantTerms), nullable=False, server_default=_FORBIDDEN),
    # The hash of the last entry of the assistant's record, carried on like the number above; null before the first.
    Column("assistant_head", String(64), nullable=True),
    Index("ix_interviews_interviewer_newest", "interviewer_id", "created_at", "id"),
    Index("ix_interviews_state_ends_at", "state", "ends_at"),
    Index("ix_interviews_code_expires_at", "code_expires_at"),
)

participants = Table(
    "interview_participants",
    metadata,
    Column("interview_id", _ID, nullable=False),
    Column("id", _ID, nullable=False),
    Column("name", String(200), nullable=False),
    Column("role", Word(Part), nullable=False),
    Column("status", Word(Status), nullable=False),
    Column("colour", Integer, nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
    Column("admitted_at", UtcDateTime, nullable=True),
    Column("online", Boolean, nullable=False),
    Column("online_at", UtcDateTime, nullable=True),
    Column("dismiss_at", UtcDateTime, nullable=True),
    PrimaryKeyConstraint("interview_id", "id"),
    Index("ix_interview_participants_oldest", "interview_id", "joined_at", "id"),
    Index("ix_interview_participants_dismiss_at", "dismiss_at"),
)

runs = Table(
    "interview_runs",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("interview_id", _ID, nullable=False),
    Column("language", String(60), nullable=False),
    Column("source", AnyText, nullable=False),
    Column("stdin", AnyText, nullable=False),
    Column("args", Words, nullable=False),
    Column("requested_by_id", _ID, nullable=False),
    Column("requested_by_name", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("alive_at", UtcDateTime, nullable=False),
    Column("state", Word(RunState), nullable=False),
    Column("stdout", AnyText, nullable=False),
    Column("stderr", AnyText, nullable=False),
    Column("truncated", Boolean, nullable=False),
    Column("exit_code", Integer, nullable=True),
    Column("signal", String(40), nullable=True),
    Column("status", Word(Verdict), nullable=True),
    Column("message", Text, nullable=True),
    Column("stage", String(20), nullable=True),
    Column("cpu_time_ms", Integer, nullable=True),
    Column("wall_time_ms", Integer, nullable=True),
    Column("memory_bytes", BigInteger, nullable=True),
    Column("started_at", UtcDateTime, nullable=True),
    Column("finished_at", UtcDateTime, nullable=True),
    Column("compilation", Record(Compilation), nullable=True),
    Column("terminal", Record(Terminal), nullable=True),
    Index("ix_interview_runs_newest", "interview_id", "created_at", "id"),
    Index("ix_interview_runs_state_alive_at", "state", "alive_at"),
)

messages = Table(
    "interview_messages",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("interview_id", _ID, nullable=False),
    Column("author_id", _ID, nullable=False),
    Column("author_name", String(200), nullable=False),
    Column("author_role", Word(Part), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_interview_messages_oldest", "interview_id", "at", "id"),
)

questions = Table(
    "interview_questions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("interview_id", _ID, nullable=False),
    Column("asked_by_id", _ID, nullable=False),
    Column("asked_by_name", String(200), nullable=False),
    Column("asked_by_role", Word(Part), nullable=False),
    Column("model", Text, nullable=False),
    Column("text", AnyText, nullable=False),
    Column("language", String(60), nullable=True),
    Column("code", AnyText, nullable=True),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("alive_at", UtcDateTime, nullable=False),
    Column("state", Word(QuestionState), nullable=False),
    Column("answer", AnyText, nullable=False),
    Column("cut", Boolean, nullable=False),
    Column("failure", AnyText, nullable=True),
    Column("answered_by", Text, nullable=True),
    Column("input_tokens", BigInteger, nullable=True),
    Column("output_tokens", BigInteger, nullable=True),
    Column("cost_nano", BigInteger, nullable=True),
    Column("finished_at", UtcDateTime, nullable=True),
    Index("ix_interview_questions_oldest", "interview_id", "asked_at", "id"),
    Index("ix_interview_questions_state_alive_at", "state", "alive_at"),
)

summaries = Table(
    "interview_summaries",
    metadata,
    # One at a time: a new draft takes the place of one that nobody accepted.
    Column("interview_id", _ID, primary_key=True),
    Column("id", _ID, nullable=False),
    Column("follows_seq", Integer, nullable=False),
    Column("model", Text, nullable=False),
    Column("requested_by_id", _ID, nullable=False),
    Column("requested_by_name", String(200), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("alive_at", UtcDateTime, nullable=False),
    Column("state", Word(SummaryState), nullable=False),
    Column("drafted", AnyText, nullable=False),
    Column("text", AnyText, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("failure", AnyText, nullable=True),
    Column("written_by", Text, nullable=True),
    Column("input_tokens", BigInteger, nullable=True),
    Column("output_tokens", BigInteger, nullable=True),
    Column("cost_nano", BigInteger, nullable=True),
    Column("finished_at", UtcDateTime, nullable=True),
    Column("changed_at", UtcDateTime, nullable=True),
    Column("accepted_by_id", _ID, nullable=True),
    Column("accepted_by_name", String(200), nullable=True),
    Column("accepted_at", UtcDateTime, nullable=True),
    Index("ix_interview_summaries_state_alive_at", "state", "alive_at"),
)

signals = Table(
    "interview_signals",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("interview_id", _ID, nullable=False),
    Column("participant_id", _ID, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("size", BigInteger, nullable=True),
    Column("language", String(60), nullable=True),
    Column("line", Integer, nullable=True),
    Column("column", Integer, nullable=True),
    Column("duration_ms", BigInteger, nullable=True),
    Index("ix_interview_signals_newest", "interview_id", "at", "id"),
)

events = Table(
    "interview_events",
    metadata,
    Column("interview_id", _ID, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("type", Word(EventType), nullable=False),
    Column("audience", Word(Audience), nullable=False),
    Column("about", _ID, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("interview_id", "seq"),
)

requests = request_table("interview_requests")

BELONGING = (participants, runs, messages, questions, summaries, signals, events)
"""The tables whose rows belong to one interview and go with it."""
