"""
What a configuration may say: one typed model, which the published JSON Schema, the reference page and the checks come
from. Descriptions are what an editor shows.
"""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

SCHEMA_ID = "https://opencode.invalid/schemas/ai.v1.json"
"""What a file of ours carries as `$schema`, so that nobody takes it for a file of another tool with the same name."""

Text = Annotated[str, Meta(min_length=1, max_length=2_000)]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Seconds = Annotated[float, Meta(gt=0, le=3_600)]
Money = Annotated[float, Meta(ge=0, le=1_000_000)]
Share = Annotated[float, Meta(ge=0, le=1_000)]
ModelName = Annotated[str, Meta(min_length=1, max_length=200, description="`<provider>/<model>`, or an alias")]


class ProviderType(StrEnum):
    LOCAL = "local"
    """A server on one's own machines: Ollama, llama.cpp, vLLM."""
    CLOUD = "cloud"
    """A service, known by a preset or by its address."""
    CUSTOM = "custom"
    """Any address and headers, or a Python entry point."""


class Dialect(StrEnum):
    """What is spoken with a provider."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    OLLAMA = "ollama"


class Capability(StrEnum):
    CHAT = "chat"
    EMBEDDINGS = "embeddings"
    TOOLS = "tools"
    VISION = "vision"
    REASONING = "reasoning"
    STRUCTURED_OUTPUT = "structured_output"


class Strategy(StrEnum):
    """Which of several targets gets a call."""

    WEIGHTED = "weighted"
    LEAST_BUSY = "least_busy"
    LATENCY = "latency"
    COST = "cost"


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class _Part(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class ModelPrice(_Part, frozen=True):
    """US dollars for a million tokens. What is not given costs as much as what it is a kind of."""

    input: Money
    output: Money = 0.0
    cached_input: Annotated[
        Money | None, Meta(description="tokens read from the provider's cache; `input` if absent")
    ] = None
    cache_write: Annotated[
        Money | None, Meta(description="tokens written to the provider's cache; `input` if absent")
    ] = None


class ModelEntry(_Part, frozen=True):
    """A model, where more is to be said of it than its name."""

    name: Annotated[str, Meta(min_length=1, max_length=200, description="as the provider calls it")]
    context_window: Annotated[Count | None, Meta(description="tokens of question and answer together")] = None
    max_output_tokens: Annotated[Count | None, Meta(description="tokens of an answer")] = None
    capabilities: Annotated[tuple[Capability, ...] | None, Meta(description="in place of what the catalogue says")] = (
        None
    )
    price: Annotated[ModelPrice | None, Meta(description="in place of what the catalogue says")] = None


class Timeouts(_Part, frozen=True):
    """In seconds."""

    connect_s: Annotated[Seconds, Meta(description="until the provider takes the connection")] = 5.0
    first_byte_s: Annotated[Seconds, Meta(description="until the answer begins")] = 120.0
    between_bytes_s: Annotated[Seconds, Meta(description="between two pieces of a stream")] = 60.0


class Retries(_Part, frozen=True):
    """How often a call is tried again. What the provider asks for in Retry-After is kept."""

    attempts: Annotated[int, Meta(ge=1, le=10, description="tries in all, at one provider")] = 3
    first_wait_s: Annotated[
        Seconds, Meta(description="before the second try; each further one waits twice as long")
    ] = 0.25
    longest_wait_s: Annotated[Seconds, Meta(description="a provider that asks for more is left for the next one")] = 8.0
    budget: Annotated[float, Meta(ge=0, le=1, description="retries as a share of all calls, over ten seconds")] = 0.2


class Breaker(_Part, frozen=True):
    """When a provider's model is left alone for a while."""

    failures: Annotated[int, Meta(ge=1, le=1_000, description="in a row")] = 5
    open_s: Annotated[Seconds, Meta(description="until one call may try again")] = 10.0


class Provider(_Part, frozen=True):
    """Somebody who answers."""

    type: ProviderType
    preset: Annotated[
        Annotated[str, Meta(min_length=1, max_length=40)] | None,
        Meta(description="a known service or server, which gives address and dialect"),
    ] = None
    dialect: Annotated[Dialect | None, Meta(description="what it speaks; from the preset, or `openai`")] = None
    base_url: Annotated[
        Annotated[str, Meta(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", max_length=2_000)] | None,
        Meta(description="its address, with the version if it has one: http://127.0.0.1:8080/v1"),
    ] = None
    api_key: Annotated[
        Annotated[str, Meta(max_length=10_000)] | None,
        Meta(description="best as `${VARIABLE}` or `{file:path}`; never printed"),
    ] = None
    headers: Annotated[
        dict[str, Annotated[str, Meta(max_length=10_000)]], Meta(description="sent with every call; never printed")
    ] = field(default_factory=dict[str, str])
    entry_point: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] | None,
        Meta(description="`package.module:name`, a Python object that answers, for type `custom`"),
    ] = None
    models: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)] | ModelEntry, ...],
        Meta(max_length=5_000, description="names, or objects that say more"),
    ] = ()
    discover: Annotated[bool, Meta(description="ask the provider for its models, too")] = False
    enabled: bool = True
    weight: Annotated[Share, Meta(description="its share beside others, where calls are weighted")] = 1.0
    concurrency: Annotated[Annotated[int, Meta(ge=1, le=100_000)] | None, Meta(description="calls at once")] = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: Retries = field(default_factory=Retries)
    breaker: Breaker = field(default_factory=Breaker)


class Target(_Part, frozen=True):
    model: ModelName
    weight: Share = 1.0


class Alias(_Part, frozen=True):
    """One name for several models."""

    targets: Annotated[tuple[ModelName | Target, ...], Meta(min_length=1, max_length=100)]
    strategy: Annotated[Strategy, Meta(description="how one of them is chosen")] = Strategy.WEIGHTED
    hedge_after_s: Annotated[
        Seconds | None, Meta(description="ask a second one when the first has not begun to answer by then")
    ] = None


class Budget(_Part, frozen=True):
    amount_usd: Money
    period: Period = Period.MONTH


class Limits(_Part, frozen=True):
    """What one person, key or team may use. What is not given is not limited."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrency: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    budget: Budget | None = None


class Team(_Part, frozen=True):
    """People who share limits."""

    members: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...],
        Meta(max_length=10_000, description="e-mail addresses of accounts"),
    ] = ()
    models: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...] | None,
        Meta(description="the only ones they may use; `*` stands for any part of a name"),
    ] = None
    limits: Limits = field(default_factory=Limits)


class SemanticCache(_Part, frozen=True):
    """
    Answers that are given again to questions that are merely like the one they were given to. Read what that risks
    (ai.md, "Answers to questions like it") before you switch it on.
    """

    embedding_model: Annotated[ModelName, Meta(description="makes vectors of questions; whoever asks pays for it")]
    least_similarity: Annotated[
        float, Meta(ge=0.5, le=1, description="cosine of two questions from which one answer does for both")
    ] = 0.95
    lifetime_s: Annotated[
        float, Meta(gt=0, le=2_592_000, description="of a question; its answer lives as long as all answers")
    ] = 3_600.0
    most_entries: Annotated[int, Meta(ge=1, le=100_000, description="questions that a process remembers")] = 1_000
    most_characters: Annotated[
        int,
        Meta(ge=1, le=100_000, description="of a question; models cut longer ones, which makes different ones alike"),
    ] = 1_000
    timeout_s: Annotated[Seconds, Meta(description="for a vector; after that the model is asked")] = 2.0


class AnswerCache(_Part, frozen=True):
    """Answers that are given again to the very same request."""

    enabled: bool = False
    lifetime_s: Annotated[float, Meta(gt=0, le=2_592_000)] = 3_600.0
    most_bytes: Annotated[int, Meta(ge=0, le=2**40)] = 67_108_864
    semantic: Annotated[
        SemanticCache | None, Meta(description="also to questions that are like it; nothing is, where this is absent")
    ] = None


class Redaction(_Part, frozen=True):
    """What is taken out of a request before it leaves the house."""

    email_addresses: bool = False
    phone_numbers: bool = False
    card_numbers: bool = False
    ip_addresses: bool = False


class Configuration(_Part, frozen=True):
    """AI providers, models and limits of OpenCode."""

    schema: Annotated[str | None, Meta(description="says that this file is OpenCode's")] = field(
        default=None, name="$schema"
    )
    providers: Annotated[dict[str, Provider], Meta(description="by the name that models are called with")] = field(
        default_factory=dict[str, Provider]
    )
    aliases: Annotated[dict[str, ModelName | Alias], Meta(description="names of one's own for models")] = field(
        default_factory=dict[str, str | Alias]
    )
    fallbacks: Annotated[
        dict[str, tuple[ModelName, ...]],
        Meta(description="for a model or alias, what is asked when it fails, in order"),
    ] = field(default_factory=dict[str, tuple[str, ...]])
    default_model: Annotated[ModelName | None, Meta(description="what is asked where nothing is said")] = None
    limits: Annotated[Limits, Meta(description="of each person")] = field(default_factory=Limits)
    people: Annotated[
        dict[str, Limits],
        Meta(description="by the e-mail address of an account: in place of what `limits` says, each limit alone"),
    ] = field(default_factory=dict[str, Limits])
    teams: dict[str, Team] = field(default_factory=dict[str, Team])
    cache: AnswerCache = field(default_factory=AnswerCache)
    redaction: Redaction = field(default_factory=Redaction)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a configuration, as it is published."""
    schema = msgspec.json.schema(Configuration)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}
