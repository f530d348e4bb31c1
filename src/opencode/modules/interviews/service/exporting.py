"""The whole interview as one document: the tree of sessions, code and executions."""

from datetime import timedelta
from typing import Any

import msgspec

from opencode.contracts.collaboration import TextState
from opencode.kernel.principal import SYSTEM, Principal
from opencode.modules.interviews.domain.chain import first_break
from opencode.modules.interviews.domain.export import (
    AssistantExport,
    CandidateExport,
    CodeExport,
    ExecutionExport,
    Export,
    ResultsExport,
    SessionExport,
    SettingsExport,
)
from opencode.modules.interviews.domain.interview import Interview
from opencode.modules.interviews.domain.people import Part, Participant
from opencode.modules.interviews.domain.records import Message, Signal
from opencode.modules.interviews.domain.run import Run
from opencode.modules.interviews.domain.summary import Summary, SummaryState
from opencode.modules.interviews.domain.views import CompileView, MessageView, SignalView, SummaryView
from opencode.modules.interviews.policy import Action
from opencode.modules.interviews.service.base import UseCases


class Exporting(UseCases):
    async def export(self, interview_id: str, by: Principal) -> Export:
        """Everything that is known of an interview, at any time."""
        async with self.reading() as stores:
            interview = (await self.case(stores, interview_id, by, Action.EXPORT)).interview
            people = await stores.people.all(interview.id)
            runs = await stores.runs.all(interview.id)
            messages = await stores.records.all_messages(interview.id)
            signals = await stores.records.all_signals(interview.id)
            entries = await stores.records.entries(interview.id)
            head = await stores.records.head(interview.id)
            summary = await stores.summaries.find(interview.id)
        texts = await self.documents.texts(interview.document_id)
        assistant = _assistant(entries, head)
        return Export(
            sessions={interview.code: _session(interview, people, messages, signals, assistant, _accepted(summary))},
            code={interview.code: {name: _code(text) for name, text in sorted(texts.items())}},
            executions={interview.code: ResultsExport([_execution(run) for run in runs])},
        )

    async def export_for_operator(self, interview: str) -> Export:
        """
        The same for whoever operates the server.

        Args:
            interview: an id, or the six digits that it had; of several that had them, the newest.

        Raises:
            InterviewNotFound: there is none.
        """
        async with self.reading() as stores:
            named = await stores.interviews.find_by_kept_code(interview[:12]) if interview.isdigit() else None
        return await self.export(named.id if named else interview, SYSTEM)


def _session(
    interview: Interview,
    people: list[Participant],
    messages: list[Message],
    signals: list[Signal],
    assistant: AssistantExport,
    summary: SummaryView | None,
) -> SessionExport:
    duration = timedelta(minutes=interview.duration_minutes)
    return SessionExport(
        id=interview.id,
        title=interview.title,
        state=interview.state,
        created_at=interview.created_at,
        started_at=interview.started_at,
        ended_at=interview.ended_at,
        interviewer=interview.interviewer_id,
        interviewer_name=interview.interviewer_name,
        candidates={
            person.id: CandidateExport(person.name, person.joined_at, person.admitted_at, person.status)
            for person in people
            if person.role is Part.CANDIDATE
        },
        settings=SettingsExport(interview.language, int(duration.total_seconds() * 1000), interview.frozen),
        messages=[MessageView.of(message) for message in messages],
        signals=[SignalView.of(signal) for signal in signals],
        assistant=assistant,
        summary=summary,
    )


def _assistant(written: list[str], head: str) -> AssistantExport:
    entries = [msgspec.json.decode(data, type=dict[str, Any]) for data in written]
    return AssistantExport(entries, head, first_break(entries, head))


def _accepted(summary: Summary | None) -> SummaryView | None:
    return SummaryView.of(summary) if summary and summary.state is SummaryState.ACCEPTED else None


def _code(text: TextState) -> CodeExport:
    return CodeExport(text.content, text.modified_at, text.modified_by)


def _execution(run: Run) -> ExecutionExport:
    return ExecutionExport(
        id=run.id,
        timestamp=run.created_at,
        language=run.language,
        code=run.source,
        stdin=run.stdin,
        args=list(run.args),
        terminal=run.terminal is not None,
        compile=CompileView.of(run.compilation) if run.compilation else None,
        output=run.stdout,
        error=run.stderr or None,
        executed_by=run.requested_by_id,
        state=run.state,
        status=run.status,
        message=run.message,
        exit_code=run.exit_code,
        signal=run.signal,
        truncated=run.truncated,
        cpu_time_ms=run.cpu_time_ms,
        wall_time_ms=run.wall_time_ms,
        memory_bytes=run.memory_bytes,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )
