"""A Python object that answers in place of a server."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from zlib import crc32

from opencode.modules.ai.domain.dialects.canonical import (
    Began,
    ChatRequest,
    EmbeddingAnswer,
    EmbeddingRequest,
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


class Ruler:
    """Makes a vector of how long a text is, and converses with nobody."""

    @staticmethod
    async def embed(request: EmbeddingRequest) -> EmbeddingAnswer:
        return EmbeddingAnswer(model=request.model, vectors=tuple((len(text), 0.5) for text in request.inputs))


class Broken:
    """Gives something that is no answer."""

    @staticmethod
    async def embed(request: EmbeddingRequest) -> Any:
        return [len(text) for text in request.inputs]


class Forgetful:
    """Makes no vector of the last text."""

    @staticmethod
    async def embed(request: EmbeddingRequest) -> EmbeddingAnswer:
        return EmbeddingAnswer(model=request.model, vectors=tuple((1.0,) for _ in request.inputs[1:]))


class Slow:
    """Never comes to an end."""

    @staticmethod
    async def embed(_request: EmbeddingRequest) -> EmbeddingAnswer:
        await asyncio.Event().wait()
        raise AssertionError


class Bag:
    """Makes a vector of which words a text has."""

    @staticmethod
    async def embed(request: EmbeddingRequest) -> EmbeddingAnswer:
        def vector(text: str) -> tuple[float, ...]:
            places = [crc32(word.encode()) % 64 for word in re.findall(r"\w+", text.lower())]
            return tuple(float(places.count(place)) for place in range(64))

        texts = [text for text in request.inputs if isinstance(text, str)]
        return EmbeddingAnswer(model=request.model, vectors=tuple(map(vector, texts)), input_tokens=1)
