"""How things are shown: the shapes that both answers and events carry (docs/api.md)."""

from datetime import datetime

import msgspec

from opencode.contracts.execution import Stage, Terminal, Verdict
from opencode.modules.interviews.domain.assistant import AssistantMode, AssistantTerms, Question, QuestionState
from opencode.modules.interviews.domain.interview import Interview, InterviewState
from opencode.modules.interviews.domain.people import Part, Participant, Status
from opencode.modules.interviews.domain.records import Message, Signal, SignalKind
from opencode.modules.interviews.domain.run import Compilation, Run, RunState
from opencode.modules.interviews.domain.summary import Summary, SummaryState


class PersonView(msgspec.Struct, frozen=True):
    id: str
    name: str


class AssistantView(msgspec.Struct, frozen=True):
    """Who may ask the assistant, which model answers, and how often it may be asked in the whole interview."""

    mode: AssistantMode
    model: str
    most_questions: int

    @classmethod
    def of(cls, terms: AssistantTerms) -> "AssistantView | None":
        return None if terms.mode is AssistantMode.FORBIDDEN else cls(terms.mode, terms.model, terms.most_questions)


class InterviewView(msgspec.Struct, frozen=True, kw_only=True):
    """
    An interview. `code` is null once nobody can join with it; `languages` are those that have a buffer; `assistant` is
    null while nobody may ask it.
    """

    id: str
    code: str | None
    title: str
    state: InterviewState
    language: str
    languages: list[str]
    frozen: bool
    document_id: str
    duration_minutes: int
    interviewer: PersonView
    created_at: datetime
    started_at: datetime | None
    ends_at: datetime | None
    ended_at: datetime | None
    assistant: AssistantView | None

    @classmethod
    def of(cls, interview: Interview, now: datetime) -> "InterviewView":
        return cls(
            id=interview.id,
            code=interview.joinable_code(now),
            title=interview.title,
            state=interview.state,
            language=interview.language,
            languages=list(interview.languages),
            frozen=interview.frozen,
            document_id=interview.document_id,
            duration_minutes=interview.duration_minutes,
            interviewer=PersonView(interview.interviewer_id, interview.interviewer_name),
            created_at=interview.created_at,
            started_at=interview.started_at,
            ends_at=interview.ends_at,
            ended_at=interview.ended_at,
            assistant=AssistantView.of(interview.assistant),
        )


class ParticipantView(msgspec.Struct, frozen=True, kw_only=True):
    """A person in an interview. `colour` is 0 to 7; `online`: has the document open now."""

    id: str
    name: str
    role: Part
    status: Status
    colour: int
    online: bool
    joined_at: datetime
    admitted_at: datetime | None

    @classmethod
    def of(cls, participant: Participant) -> "ParticipantView":
        return cls(
            id=participant.id,
            name=participant.name,
            role=participant.role,
            status=participant.status,
            colour=participant.colour,
            online=participant.online,
            joined_at=participant.joined_at,
            admitted_at=participant.admitted_at,
        )


class CompileBrief(msgspec.Struct, frozen=True, kw_only=True):
    """What a compile stage that ended well took. `cached`: the compiler had seen the same sources before."""

    cpu_time_ms: int
    wall_time_ms: int
    memory_bytes: int | None
    cached: bool

    @classmethod
    def of(cls, compilation: Compilation) -> "CompileBrief":
        return cls(
            cpu_time_ms=compilation.cpu_time_ms,
            wall_time_ms=compilation.wall_time_ms,
            memory_bytes=compilation.memory_bytes,
            cached=compilation.cached,
        )


class CompileView(CompileBrief, frozen=True, kw_only=True):
    """A compile stage that ended well, and what the compiler printed."""

    stdout: str
    stderr: str

    @classmethod
    def of(cls, compilation: Compilation) -> "CompileView":
        brief = msgspec.structs.asdict(CompileBrief.of(compilation))
        return cls(**brief, stdout=compilation.stdout, stderr=compilation.stderr)


class TerminalView(msgspec.Struct, frozen=True):
    """The size with which a terminal began, in characters."""

    columns: int
    rows: int

    @classmethod
    def of(cls, terminal: Terminal) -> "TerminalView":
        return cls(terminal.columns, terminal.rows)


class RunBrief(msgspec.Struct, frozen=True, kw_only=True):
    """
    A run without its output, as `run.finished` carries it. The meters are of the stage that it ended in; `compile` is
    the stage before that, null until it ended well.
    """

    id: str
    interview_id: str
    language: str
    state: RunState
    truncated: bool
    exit_code: int | None
    signal: str | None
    status: Verdict | None
    message: str | None
    stage: Stage | None
    compile: CompileBrief | None
    terminal: TerminalView | None
    stdin: str
    args: list[str]
    cpu_time_ms: int | None
    wall_time_ms: int | None
    memory_bytes: int | None
    requested_by: PersonView
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, run: Run) -> "RunBrief":
        return cls(
            id=run.id,
            interview_id=run.interview_id,
            language=run.language,
            state=run.state,
            truncated=run.truncated,
            exit_code=run.exit_code,
            signal=run.signal,
            status=run.status,
            message=run.message,
            stage=run.stage,
            compile=CompileBrief.of(run.compilation) if run.compilation else None,
            terminal=TerminalView.of(run.terminal) if run.terminal else None,
            stdin=run.stdin,
            args=list(run.args),
            cpu_time_ms=run.cpu_time_ms,
            wall_time_ms=run.wall_time_ms,
            memory_bytes=run.memory_bytes,
            requested_by=PersonView(run.requested_by_id, run.requested_by_name),
            created_at=run.created_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
        )


class RunView(RunBrief, frozen=True, kw_only=True):
    """
    A run. `stdout` and `stderr` are those of the stage in which it ended, whole once it is finished and empty before:
    the event stream has them live.
    """

    compile: CompileView | None
    stdout: str
    stderr: str

    @classmethod
    def of(cls, run: Run) -> "RunView":
        brief = msgspec.structs.asdict(RunBrief.of(run))
        brief["compile"] = CompileView.of(run.compilation) if run.compilation else None
        return cls(**brief, stdout=run.stdout, stderr=run.stderr)


class AuthorView(msgspec.Struct, frozen=True):
    id: str
    name: str
    role: Part


class MessageView(msgspec.Struct, frozen=True):
    """One chat message."""

    id: str
    author: AuthorView
    text: str
    at: datetime

    @classmethod
    def of(cls, message: Message) -> "MessageView":
        author = AuthorView(message.author_id, message.author_name, message.author_role)
        return cls(message.id, author, message.text, message.at)


class QuestionView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A question to the assistant. `answer` is whole once `state` is not `answering`. Before, the list of questions has
    what was said so far, and `answer_seq` the number of the event that told the last of it: the event stream has what
    comes behind. `cut`: the answer ended because it was as long as it may be. `cost_nano` is in billionths of a US
    dollar; it and the tokens are null where the provider did not tell, and for candidates.
    """

    id: str
    interview_id: str
    asked_by: AuthorView
    model: str
    text: str
    language: str | None
    code: str | None
    asked_at: datetime
    state: QuestionState
    answer: str
    cut: bool
    failure: str | None
    answered_by: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_nano: int | None
    finished_at: datetime | None
    answer_seq: int | None = None

    @classmethod
    def of(cls, question: Question, answer_seq: int | None = None) -> "QuestionView":
        return cls(
            id=question.id,
            interview_id=question.interview_id,
            asked_by=AuthorView(question.asked_by_id, question.asked_by_name, question.asked_by_role),
            model=question.model,
            text=question.text,
            language=question.language,
            code=question.code,
            asked_at=question.asked_at,
            state=question.state,
            answer=question.answer,
            cut=question.cut,
            failure=question.failure,
            answered_by=question.answered_by,
            input_tokens=question.input_tokens,
            output_tokens=question.output_tokens,
            cost_nano=question.cost_nano,
            finished_at=question.finished_at,
            answer_seq=answer_seq,
        )


class SummaryView(msgspec.Struct, frozen=True, kw_only=True):
    """
    The summary of an interview. `drafted` is what the model wrote, whole or broken off, and empty while it writes: the
    event stream has it live, after the event `follows_seq`. `text` is what it is now, and differs from `drafted` where
    somebody changed it. Until it is `accepted` it is a machine's draft.
    """

    id: str
    interview_id: str
    follows_seq: int
    state: SummaryState
    model: str
    requested_by: PersonView
    requested_at: datetime
    drafted: str
    text: str
    revision: int
    failure: str | None
    written_by: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_nano: int | None
    finished_at: datetime | None
    changed_at: datetime | None
    accepted_by: PersonView | None
    accepted_at: datetime | None

    @classmethod
    def of(cls, summary: Summary) -> "SummaryView":
        accepted_by = summary.accepted_by_id and PersonView(summary.accepted_by_id, summary.accepted_by_name or "")
        return cls(
            id=summary.id,
            interview_id=summary.interview_id,
            follows_seq=summary.follows_seq,
            state=summary.state,
            model=summary.model,
            requested_by=PersonView(summary.requested_by_id, summary.requested_by_name),
            requested_at=summary.requested_at,
            drafted=summary.drafted,
            text=summary.text,
            revision=summary.revision,
            failure=summary.failure,
            written_by=summary.written_by,
            input_tokens=summary.input_tokens,
            output_tokens=summary.output_tokens,
            cost_nano=summary.cost_nano,
            finished_at=summary.finished_at,
            changed_at=summary.changed_at,
            accepted_by=accepted_by or None,
            accepted_at=summary.accepted_at,
        )


class SignalView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a candidate's page observed."""

    kind: SignalKind
    participant_id: str
    at: datetime
    size: int | None
    language: str | None
    line: int | None
    column: int | None
    duration_ms: int | None

    @classmethod
    def of(cls, signal: Signal) -> "SignalView":
        return cls(
            kind=signal.kind,
            participant_id=signal.participant_id,
            at=signal.at,
            size=signal.size,
            language=signal.language,
            line=signal.line,
            column=signal.column,
            duration_ms=signal.duration_ms,
        )
