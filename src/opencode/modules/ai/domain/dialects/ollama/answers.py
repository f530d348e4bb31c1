"""Answers, streams and failures of Ollama's chat and generate: a stream is lines of JSON, and an answer is one."""

from datetime import UTC, datetime

import msgspec

from opencode.modules.ai.domain.dialects.anthropic.requests import arguments_of
from opencode.modules.ai.domain.dialects.canonical import (
    Began,
    ChatAnswer,
    Event,
    Failure,
    FailureKind,
    Finished,
    FinishReason,
    Json,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallBegan,
    ToolCallDelta,
    Usage,
)
from opencode.modules.ai.domain.dialects.decoding import (
    AnswerNotUnderstoodError,
    CannotBeSaidError,
    answer_as,
    encoded,
    given,
)
from opencode.modules.ai.domain.dialects.failures import failure_from
from opencode.modules.ai.domain.dialects.frames import Lines
from opencode.modules.ai.domain.dialects.streaming import (
    Collector,
    StreamReader,
    StreamWriter,
    events_of,
    finish_with,
)

_STATUSES = {
    FailureKind.BAD_REQUEST: 400,
    FailureKind.UNAUTHENTICATED: 401,
    FailureKind.FORBIDDEN: 403,
    FailureKind.NOT_FOUND: 404,
    FailureKind.TOO_LARGE: 413,
    FailureKind.CONTEXT_TOO_LONG: 400,
    FailureKind.CONTENT_REFUSED: 400,
    FailureKind.RATE_LIMITED: 429,
    FailureKind.QUOTA_SPENT: 402,
    FailureKind.OVERLOADED: 503,
    FailureKind.UPSTREAM_FAILED: 502,
    FailureKind.TIMED_OUT: 504,
    FailureKind.CUT_OFF: 502,
}
_TOO_LONG = "context length"
"""The kind is not said in this dialect, so the words must tell."""
_LATEST = 253402300799  # the end of the year 9999


class _Function(msgspec.Struct):
    name: str
    arguments: Json = {}


class _Call(msgspec.Struct):
    function: _Function
    id: str | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None


class _Line(msgspec.Struct):
    model: str | None = None
    message: _Message | None = None
    response: str | None = None
    thinking: str | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: object = None


class Reader(StreamReader):
    """Reads the lines of one answer, of chat or generate."""

    def __init__(self, seed: str, created: int = 0) -> None:
        super().__init__(Lines(), seed)
        self._created = created
        self._usage: Usage | None = None

    def _read(self, frame: bytes) -> list[Event]:
        line = answer_as(_Line, frame)
        if line.error:
            raise AnswerNotUnderstoodError(failure_from(line.error))
        message = line.message or _Message(line.response, line.thinking)
        events: list[Event] = [Began(self._seed, line.model or "", self._created)]
        if message.thinking:
            events.append(ReasoningDelta(message.thinking))
        if message.content:
            events.append(TextDelta(message.content))
        for call in message.tool_calls or ():
            began = self._new_call(call.id, call.function.name)
            events += [began, ToolCallDelta(began.index, encoded(call.function.arguments).decode())]
        if line.prompt_eval_count is not None or line.eval_count is not None:
            self._usage = Usage(line.prompt_eval_count or 0, line.eval_count or 0)
        if line.done:
            reason = FinishReason.LENGTH if line.done_reason == "length" else FinishReason.STOP
            events.append(Finished(finish_with(reason, self._calls > 0), self._usage))
        return events


class Writer(StreamWriter):
    """
    Writes the lines of one answer.

    Tool calls go out whole, before the last line: their arguments are objects in this dialect.

    Args:
        generate: for `/api/generate` rather than `/api/chat`.

    Raises:
        AnswerNotUnderstoodError: from `write`, where the model asked for a tool in a way that cannot be said.
    """

    def __init__(self, *, generate: bool = False) -> None:
        super().__init__()
        self._generate = generate
        self._head: Json = {}
        self._pieces: dict[int, tuple[ToolCallBegan, list[str]]] = {}

    def _began(self, event: Began) -> bytes:
        at = datetime.fromtimestamp(min(max(event.created, 0), _LATEST), UTC)
        self._head = {"model": event.model, "created_at": at.isoformat().replace("+00:00", "Z")}
        return b""

    def _text(self, text: str) -> bytes:
        return self._line(content=text) if text else b""

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        return self._line(thinking=event.text) if event.text else b""

    def _call_began(self, event: ToolCallBegan) -> bytes:
        if self._generate:
            message = "The model asked for a tool, which /api/generate cannot say. Use /api/chat."
            raise AnswerNotUnderstoodError(Failure(FailureKind.UPSTREAM_FAILED, message))
        self._pieces[event.index] = (event, [])
        return b""

    def _call_delta(self, event: ToolCallDelta) -> bytes:
        self._pieces[event.index][1].append(event.arguments)
        return b""

    def _finished(self, event: Finished) -> bytes:
        usage = event.usage or Usage()
        calls = [call for began, pieces in self._pieces.values() if (call := _call(began, pieces, event.reason))]
        last = {
            "done": True,
            "done_reason": "length" if event.reason is FinishReason.LENGTH else "stop",
            "prompt_eval_count": usage.input,
            "eval_count": usage.output,
        }
        return (self._line(tool_calls=calls) if calls else b"") + self._line(last)

    def _failed(self, failure: Failure) -> bytes:
        return write_failure(failure)[1] + b"\n"

    def _line(
        self, last: Json | None = None, *, content: str = "", thinking: str = "", tool_calls: object = None
    ) -> bytes:
        more = given(thinking=thinking, tool_calls=tool_calls)
        if self._generate:
            said: Json = {"response": content, **more}
        else:
            said = {"message": {"role": "assistant", "content": content, **more}}
        return encoded({**self._head, **said, **(last or {"done": False})}) + b"\n"


def read_answer(body: bytes, seed: str, created: int = 0) -> ChatAnswer:
    """
    Raises:
        AnswerNotUnderstoodError: it carries an error, or is none of that dialect's answers.
    """
    reader = Reader(seed, created)
    collector = Collector()
    for event in (*reader.feed(body), *reader.end()):
        came = collector.add(event)
        if isinstance(came, ChatAnswer):
            return came
        if isinstance(came, Failure):
            raise AnswerNotUnderstoodError(came)
    raise AssertionError("A reader ends in `Finished` or `Failed`.")  # pragma: no cover


def write_answer(answer: ChatAnswer, *, generate: bool = False) -> bytes:
    """
    A body of that dialect: what a stream would say, in one line.

    Raises:
        AnswerNotUnderstoodError: the model wrote arguments that are no JSON object.
    """
    writer = Writer(generate=generate)
    lines = b"".join(writer.write(event) for event in events_of(answer)).splitlines()
    whole: Json = {}
    content, thinking, calls = "", "", []
    for line in lines:
        said = msgspec.json.decode(line, type=Json)
        message = said.pop("message", None) or said
        content += message.pop("response", "") or message.pop("content", "")
        thinking += message.pop("thinking", "")
        calls = message.pop("tool_calls", calls)
        whole.update(said)
    if generate:
        return encoded({**whole, "response": content, **given(thinking=thinking)})
    message = {"role": "assistant", "content": content, **given(thinking=thinking, tool_calls=calls)}
    return encoded({**whole, "message": message})


def write_failure(failure: Failure) -> tuple[int, bytes]:
    """The status and the body."""
    message = failure.message
    if failure.kind is FailureKind.CONTEXT_TOO_LONG and _TOO_LONG not in message.lower():
        message = f"{message} (the {_TOO_LONG} of the model is exceeded)"
    return _STATUSES[failure.kind], encoded({"error": message})


def _call(began: ToolCallBegan, pieces: list[str], reason: FinishReason) -> Json | None:
    call = ToolCall(began.id, began.name, "".join(pieces))
    try:
        return {"id": call.id, "function": {"name": call.name, "arguments": arguments_of(call)}}
    except CannotBeSaidError as error:
        # An answer that was cut for its length has a call that is not whole, and nobody can use it.
        if reason is FinishReason.LENGTH:
            return None
        message = "The model asked for a tool with arguments that are no JSON object."
        raise AnswerNotUnderstoodError(Failure(FailureKind.UPSTREAM_FAILED, message)) from error
