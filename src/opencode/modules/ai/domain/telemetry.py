"""
What is told of each call to whoever watches, in the terms of OpenTelemetry's semantic conventions for generative AI
(https://opentelemetry.io/docs/specs/semconv/gen-ai/). No words of a question or of an answer are in it, and no key.
"""

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from opencode.modules.ai.domain.dialects.canonical import Dialect
from opencode.modules.ai.domain.dialects.speaking import EMBEDDING_CLIENTS
from opencode.modules.ai.domain.registry import Deployment
from opencode.modules.ai.domain.usage import Usage

CHAT, EMBEDDINGS = "chat", "embeddings"
# What the conventions call those whom a preset calls otherwise.
_KNOWN_AS = {"google": "gcp.gemini", "mistral": "mistral_ai", "xai": "x_ai"}


@dataclass(frozen=True, slots=True)
class Answerer:
    """
    Who answered.

    Attributes:
        provider: a well-known name, or that of the configuration.
        model: as the provider calls it; `*` where a caller made it up.
        host: where the provider is; empty for a Python entry point.
    """

    provider: str
    model: str
    host: str
    port: int | None

    @classmethod
    def of(cls, deployment: Deployment) -> "Answerer":
        upstream = deployment.upstream
        address = urlsplit(upstream.base_url)
        return cls(
            _KNOWN_AS.get(upstream.preset or "", upstream.preset or upstream.name),
            deployment.counted_as.partition("/")[2],
            address.hostname or "",
            address.port,
        )


@dataclass(frozen=True, slots=True)
class CallReport:
    """
    One call, from the gateway's first look at it to its last byte.

    Attributes:
        operation: `CHAT` or `EMBEDDINGS`.
        answerer: None where nobody answered.
        error: the kind of failure, such as `timed_out`, or `left` for a client that went away; None if all went well.
        usage: as the provider told it.
    """

    operation: str
    is_stream: bool
    max_tokens: int | None
    duration_s: float
    first_byte_s: float | None = None
    answerer: Answerer | None = None
    usage: Usage | None = None
    error: str | None = None


class Telemetry(Protocol):
    """Somebody who watches. It must take no time and raise nothing."""

    def report(self, call: CallReport) -> None:
        """The call has just ended."""
        ...

    def close(self) -> None:
        """Hand over what is still held; it may take a few seconds. Called in a thread."""
        ...


def operation_of(dialect: Dialect) -> str:
    return EMBEDDINGS if dialect in EMBEDDING_CLIENTS else CHAT
