"""What a server of models can be told to do with its models."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

import msgspec

from opencode.modules.ai.domain.dialects.decoding import RequestNotUnderstoodError, request_as
from opencode.modules.ai.domain.registry import Upstream


class Puller(Protocol):
    def pull(self, upstream: Upstream, model: str) -> AsyncGenerator[bytes]:
        """
        Fetch a model; yields lines of progress as the server writes them.

        Raises:
            ProviderUnreachable
        """
        ...

    async def delete(self, upstream: Upstream, model: str) -> None:
        """
        Raises:
            ProviderUnreachable
        """
        ...


@dataclass(frozen=True, slots=True)
class PullAsked:
    """
    What is to be done with which model of which provider.

    Attributes:
        stream: whether progress is to be told.
    """

    provider: str
    model: str
    stream: bool = True


class _Asked(msgspec.Struct):
    model: str | None = None
    name: str | None = None
    stream: bool = True


def read_pull(body: bytes) -> PullAsked:
    """
    A request of Ollama's clients to `/api/pull` or `/api/delete`. A model is `<provider>/<model>` here.

    Raises:
        RequestNotUnderstoodError: no such model is named.
    """
    asked, _ = request_as(_Asked, body)
    provider, _, model = (asked.model or asked.name or "").partition("/")
    if not provider or not model:
        raise RequestNotUnderstoodError("Name the model as <provider>/<model>.", "model")
    return PullAsked(provider, model, asked.stream)
