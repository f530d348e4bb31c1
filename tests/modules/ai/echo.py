"""A Python object that answers in place of a server."""

from collections.abc import AsyncIterator
from typing import Any

from opencode.modules.ai.domain.dialects.canonical import (
    Began,
    ChatRequest,
    Event,
    Finished,
    FinishReason,
    Text,
    TextDelta,
    Usage,
)


class Echo:
    @staticmethod
    async def chat(request: Any) -> AsyncIterator[Any]:
        yield request


class Parrot:
    """Says again what it was told last."""

    @staticmethod
    async def chat(request: ChatRequest) -> AsyncIterator[Event]:
        yield Began("answer", request.model)
        for part in request.messages[-1].parts:
            if isinstance(part, Text):
                yield TextDelta(part.text)
        yield Finished(FinishReason.STOP, Usage(3, 3))
