"""The shape of an exported interview: sessions, code and executions by the code that the interview had."""

from datetime import datetime
from typing import Any

import msgspec

from opencode.contracts.execution import Verdict
from opencode.modules.interviews.domain.interview import InterviewState
from opencode.modules.interviews.domain.people import Status
from opencode.modules.interviews.domain.run import RunState
from opencode.modules.interviews.domain.views import CompileView, MessageView, SignalView, SummaryView


class CandidateExport(msgspec.Struct, frozen=True):
    name: str
    joined_at: datetime
    admitted_at: datetime | None
    status: Status


class SettingsExport(msgspec.Struct, frozen=True):
    language: str
    timeout_ms: int
    read_only: bool


class AssistantExport(msgspec.Struct, frozen=True):
    """
    The assistant's record. Each entry is an event of the stream with `previous` and `sha256`: see `domain.chain` and
    docs/ai.md. `head` is the hash of the last one, kept apart from them; `broken_at` is the place of the first entry
    that is not what was written, from 0, and null while the chain holds. Drafts of the summary are in it, too.
    """

    entries: list[dict[str, Any]]
    head: str
    broken_at: int | None


class SessionExport(msgspec.Struct, frozen=True, kw_only=True):
    """`summary` is the one that was accepted; null while there is none."""

    id: str
    title: str
    state: InterviewState
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    interviewer: str
    interviewer_name: str
    candidates: dict[str, CandidateExport]
    settings: SettingsExport
    messages: list[MessageView]
    signals: list[SignalView]
    assistant: AssistantExport
    summary: SummaryView | None


class CodeExport(msgspec.Struct, frozen=True):
    """One text. `last_modified` and `modified_by` are null while it is the server's template."""

    content: str
    last_modified: datetime | None
    modified_by: str | None


class ExecutionExport(msgspec.Struct, frozen=True, kw_only=True):
    """One run with the code that ran. `error` is what it wrote to stderr, null when that is nothing."""

    id: str
    timestamp: datetime
    language: str
    code: str
    stdin: str
    args: list[str]
    terminal: bool
    compile: CompileView | None
    output: str
    error: str | None
    executed_by: str
    state: RunState
    status: Verdict | None
    message: str | None
    exit_code: int | None
    signal: str | None
    truncated: bool
    cpu_time_ms: int | None
    wall_time_ms: int | None
    memory_bytes: int | None
    started_at: datetime | None
    finished_at: datetime | None


class ResultsExport(msgspec.Struct, frozen=True):
    results: list[ExecutionExport]


class Export(msgspec.Struct, frozen=True):
    """`<code>` is the six digits, kept after people can no longer join with them."""

    sessions: dict[str, SessionExport]
    code: dict[str, dict[str, CodeExport]]
    executions: dict[str, ResultsExport]
