"""The tables. An owner is another module's thing: kept by id, never referenced by a foreign key."""

from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Boolean, Column, Dialect, Index, Integer, LargeBinary, PrimaryKeyConstraint, String, Table, Text
from sqlalchemy.types import TypeDecorator

from opencode.contracts.execution import RunRequest
from opencode.infra.db import UtcDateTime, Word, metadata, request_table
from opencode.modules.execution.domain.judging import Plan
from opencode.modules.execution.domain.runs import Details, Result, RunEventType, RunProgress

T = TypeVar("T")

_ID = String(40)


class Packed(TypeDecorator[T], Generic[T]):
    """A whole structure as msgpack: programs and what they print are bytes, which JSON would swell by a third."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, kind: type[T]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: T | None, dialect: Dialect) -> bytes | None:
        return None if value is None else msgspec.msgpack.encode(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> T | None:
        return None if value is None else msgspec.msgpack.decode(value, type=self.kind)


runs = Table(
    "execution_runs",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("owner_id", _ID, nullable=False),
    # Beside the request, so that lists need not unpack it.
    Column("language", String(60), nullable=False),
    Column("version", String(100), nullable=True),
    Column("request", Packed(RunRequest), nullable=False),
    Column("plan", Packed(Plan), nullable=True),
    Column("webhook_url", Text, nullable=True),
    Column("webhook_secret", Text, nullable=True),
    Column("state", Word(RunProgress), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("faults", Integer, nullable=False),
    Column("worker_id", _ID, nullable=True),
    Column("lease_until", UtcDateTime, nullable=True),
    Column("stop_asked", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime, nullable=True),
    Column("finished_at", UtcDateTime, nullable=True),
    Column("result", Packed(Result), nullable=True),
    Column("details", Packed(Details), nullable=True),
    # The number of the last event: counted here, in the transaction of the event, it leaves no gaps.
    Column("last_seq", Integer, nullable=False, server_default="0"),
    Index("ix_execution_runs_newest", "owner_id", "created_at", "id"),
    Index("ix_execution_runs_state", "state", "created_at"),
    Index("ix_execution_runs_finished_at", "finished_at"),
)

events = Table(
    "execution_events",
    metadata,
    Column("run_id", _ID, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("type", Word(RunEventType), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("run_id", "seq"),
)

requests = request_table("execution_requests")

webhooks = Table(
    "execution_webhooks",
    metadata,
    Column("run_id", _ID, primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    # Null once it is delivered or given up.
    Column("due_at", UtcDateTime, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text, nullable=True),
    Index("ix_execution_webhooks_due_at", "due_at"),
)

BELONGING = (events, webhooks)
"""The tables whose rows belong to one run and go with it."""
