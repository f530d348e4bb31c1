"""What can be said to a language model and by one, free of any dialect."""

from enum import StrEnum
from typing import Any

import msgspec

Json = dict[str, Any]
"""A JSON object."""


class Dialect(StrEnum):
    """A way of speaking that a client or a provider has."""

    OPENAI_CHAT = "openai-chat"
    OPENAI_RESPONSES = "openai-responses"
    ANTHROPIC = "anthropic"
    OLLAMA_CHAT = "ollama-chat"
    OLLAMA_GENERATE = "ollama-generate"
    OPENAI_EMBEDDINGS = "openai-embeddings"
    OLLAMA_EMBED = "ollama-embed"
    OLLAMA_EMBEDDINGS = "ollama-embeddings"
    """Ollama's old way of asking, with one text at a time."""


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Words."""

    text: str


class Image(msgspec.Struct, frozen=True, tag="image"):
    """
    A picture: its data, or where it can be fetched.

    Attributes:
        media_type: such as `image/png`; empty for an address.
        data: base64; empty for an address.
        detail: how closely to look, in OpenAI's words.
    """

    media_type: str = ""
    data: str = ""
    url: str = ""
    detail: str = ""


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call"):
    """
    The model wants a tool used.

    Attributes:
        arguments: the text of a JSON object, as the model wrote it: it may not be valid.
    """

    id: str
    name: str
    arguments: str


class ToolResult(msgspec.Struct, frozen=True, tag="tool_result"):
    """
    What a tool gave back.

    Attributes:
        call_id: of the `ToolCall` this is the result of.
        name: the tool's, which Ollama wants beside the id; empty where it is not known.
    """

    call_id: str
    parts: tuple[Text | Image, ...]
    name: str = ""
    is_error: bool = False


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning"):
    """
    What the model thought.

    Attributes:
        signature: with which Anthropic knows its own thoughts again; without it they cannot be given back.
        redacted: thoughts as Anthropic sealed them; `text` is empty then.
    """

    text: str = ""
    signature: str = ""
    redacted: str = ""


Part = Text | Image | ToolCall | ToolResult | Reasoning


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    """An instruction in the middle of a conversation; those at its beginning are `ChatRequest.system`."""
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Message(msgspec.Struct, frozen=True):
    """
    One turn. A user's turn has texts and images, a tool's has results only, an assistant's has all but images and
    results.
    """

    role: Role
    parts: tuple[Part, ...]


class Tool(msgspec.Struct, frozen=True):
    """
    A function that the model may ask for.

    Attributes:
        parameters: a JSON Schema.
        strict: whether the arguments must follow the schema; None where nothing was said.
    """

    name: str
    description: str
    parameters: Json
    strict: bool | None = None


class Choice(StrEnum):
    """Whether tools are to be used."""

    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"
    NAMED = "named"


class ToolChoice(msgspec.Struct, frozen=True):
    """
    Attributes:
        name: of the tool, where `choice` is `NAMED`.
        parallel: whether several may be asked for at once; None where nothing was said.
    """

    choice: Choice = Choice.AUTO
    name: str = ""
    parallel: bool | None = None


class JsonFormat(msgspec.Struct, frozen=True):
    """
    The answer is to be JSON.

    Attributes:
        schema: the JSON Schema it must follow; None for any JSON.
        name: OpenAI wants one for a schema.
    """

    schema: Json | None = None
    name: str = "answer"
    strict: bool | None = None


class Sampling(msgspec.Struct, frozen=True):
    """How the next token is drawn; None where nothing was said."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None


class Effort(StrEnum):
    """How much to think before answering."""

    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    XHIGH = "xhigh"
    MAX = "max"


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """
    A question to a model.

    Attributes:
        dialect: in which it was read.
        system: what stands before the conversation; empty for nothing.
        format: None for free text.
        max_tokens: of the answer; None for as many as the model likes.
        wants_usage: whether a stream is to tell how many tokens were used. Only OpenAI's chat dialect must be asked.
        reasoning_tokens: how many may go into thinking, where that was said rather than an `effort`.
        user: the client's name for its user.
        count: how many answers are wanted.
        extra: fields of that dialect that are not known here; written only where the same dialect is written.
    """

    dialect: Dialect
    model: str
    messages: tuple[Message, ...]
    system: str = ""
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    format: JsonFormat | None = None
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    wants_usage: bool = False
    effort: Effort | None = None
    reasoning_tokens: int | None = None
    user: str = ""
    count: int = 1
    extra: Json = {}


class Usage(msgspec.Struct, frozen=True):
    """
    How many tokens a call took.

    Attributes:
        input: all of the question, with what was read from a cache and what was written to one.
        output: all of the answer, with what was thought.
        cached_input: the part of `input` that was read from the provider's cache.
        cache_write: the part of `input` that was written to it.
        reasoning: the part of `output` that was thought, where the provider tells.
    """

    input: int = 0
    output: int = 0
    cached_input: int = 0
    cache_write: int = 0
    reasoning: int = 0


class FinishReason(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    """The model, or what guards it, refused."""


class FailureKind(StrEnum):
    """What went wrong, in as many kinds as people can do something different about."""

    BAD_REQUEST = "bad_request"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    TOO_LARGE = "too_large"
    CONTEXT_TOO_LONG = "context_too_long"
    CONTENT_REFUSED = "content_refused"
    RATE_LIMITED = "rate_limited"
    QUOTA_SPENT = "quota_spent"
    OVERLOADED = "overloaded"
    UPSTREAM_FAILED = "upstream_failed"
    TIMED_OUT = "timed_out"
    CUT_OFF = "cut_off"
    """The provider's stream ended before its end."""


class Failure(msgspec.Struct, frozen=True):
    """
    Attributes:
        message: a sentence for the client; it never holds a credential.
        retry_after_s: how long to wait, where the provider said.
        field: of the request, where one is to blame.
    """

    kind: FailureKind
    message: str
    retry_after_s: float | None = None
    field: str = ""


class ChatAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a model answered.

    Attributes:
        created: seconds since 1970.
        parts: texts, thoughts and tool calls.
        usage: None where the provider did not tell.
        stop_sequence: which one ended it, where the provider tells.
    """

    id: str
    model: str
    created: int
    parts: tuple[Part, ...]
    finish: FinishReason
    usage: Usage | None = None
    stop_sequence: str | None = None


class Began(msgspec.Struct, frozen=True):
    """
    The first event of an answer.

    Attributes:
        created: seconds since 1970.
        usage: what is known of the question's tokens already.
    """

    id: str
    model: str
    created: int = 0
    usage: Usage | None = None


class TextDelta(msgspec.Struct, frozen=True):
    """Some more words."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True):
    """Some more thought, its seal, or a sealed thought as a whole (see `Reasoning`)."""

    text: str = ""
    signature: str = ""
    redacted: str = ""


class ToolCallBegan(msgspec.Struct, frozen=True):
    """
    Attributes:
        index: of the call among the answer's calls, from 0.
    """

    index: int
    id: str
    name: str


class ToolCallDelta(msgspec.Struct, frozen=True):
    """Some more of the arguments' text. Those of parallel calls may come in turns."""

    index: int
    arguments: str


class Finished(msgspec.Struct, frozen=True):
    """The last event of an answer that is whole."""

    reason: FinishReason
    usage: Usage | None = None
    stop_sequence: str | None = None


class Failed(msgspec.Struct, frozen=True):
    """The last event of an answer that is not."""

    failure: Failure


Event = Began | TextDelta | ReasoningDelta | ToolCallBegan | ToolCallDelta | Finished | Failed


class EmbeddingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """
    Texts to be turned into vectors.

    Attributes:
        inputs: texts, or lists of token numbers.
        dimensions: of the vectors; None for the model's own.
        base64: whether vectors are wanted as little-endian float32 in base64 (OpenAI only).
    """

    dialect: Dialect
    model: str
    inputs: tuple[str, ...] | tuple[tuple[int, ...], ...]
    dimensions: int | None = None
    base64: bool = False
    user: str = ""
    extra: Json = {}


class EmbeddingAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """
    Attributes:
        vectors: one for each input, in their order.
        input_tokens: None where the provider did not tell.
    """

    model: str
    vectors: tuple[tuple[float, ...], ...]
    input_tokens: int | None = None
