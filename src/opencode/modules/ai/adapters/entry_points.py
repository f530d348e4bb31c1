"""Python objects that answer in place of a server; a `custom` provider names one as `package.module:name`."""

import asyncio
import importlib
import inspect
import time
from collections.abc import AsyncGenerator
from typing import Any

import structlog
from msgspec.structs import replace

from opencode.modules.ai.domain.asking import AskingFailed, Take
from opencode.modules.ai.domain.dialects.canonical import ChatAnswer, EmbeddingAnswer, Event, Failure, FailureKind
from opencode.modules.ai.domain.dialects.decoding import (
    AnswerNotUnderstoodError,
    CannotBeSaidError,
    RequestNotUnderstoodError,
)
from opencode.modules.ai.domain.dialects.embeddings import openai as embeddings
from opencode.modules.ai.domain.dialects.embeddings.vectors import checked
from opencode.modules.ai.domain.dialects.failures import failure_of
from opencode.modules.ai.domain.dialects.openai_chat.answers import write_answer
from opencode.modules.ai.domain.dialects.openai_chat.requests import read_request
from opencode.modules.ai.domain.dialects.openai_chat.streams import Writer
from opencode.modules.ai.domain.dialects.streaming import Collector, OutOfOrderError
from opencode.modules.ai.domain.registry import Upstream
from opencode.modules.ai.errors import EntryPointFaulty

log = structlog.get_logger(__name__)


def load_entry_point(entry_point: str) -> Any:
    """
    The object, which has `async def chat(request)` that yields events, `async def embed(request)`, or both.

    Raises:
        EntryPointFaulty: it is not installed, fails while it is loaded, or has neither.
    """
    module_name, _, name = entry_point.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise EntryPointFaulty(entry_point, f"is not installed: there is no module {error.name}") from error
    except Exception as error:
        raise EntryPointFaulty(entry_point, f"fails while it is loaded ({type(error).__name__}: {error})") from error
    found = getattr(module, name, None)
    if found is None:
        raise EntryPointFaulty(entry_point, f"is not there: {module_name} has no {name}")
    if not _can_chat(found) and not _can_embed(found):
        raise EntryPointFaulty(entry_point, "has no `async def chat(request)` that yields events")
    return found


def _can_chat(found: Any) -> bool:
    return inspect.isasyncgenfunction(getattr(found, "chat", None))


def _can_embed(found: Any) -> bool:
    return inspect.iscoroutinefunction(getattr(found, "embed", None))


def _loaded(upstream: Upstream) -> Any:
    """
    Raises:
        AskingFailed: it is not there.
    """
    try:
        return load_entry_point(upstream.entry_point or "")
    except EntryPointFaulty as error:
        raise AskingFailed(Failure(FailureKind.UPSTREAM_FAILED, error.detail)) from error


def _cannot(upstream: Upstream, what: str, method: str) -> AskingFailed:
    message = f"The provider {upstream.name} {what}: its Python object has no `{method}`. Ask another model."
    return AskingFailed(failure_of(CannotBeSaidError(message, "model")))


def _raised(upstream: Upstream, error: Exception) -> AskingFailed:
    # What it says of its own faults is for who reads the log.
    log.exception("entry point of a provider failed", provider=upstream.name, exc_info=error)
    return _failed(upstream, f"it raised {type(error).__name__}")


def _failed(upstream: Upstream, why: str) -> AskingFailed:
    return AskingFailed(Failure(FailureKind.UPSTREAM_FAILED, f"The provider {upstream.name} failed: {why}."))


def _too_long(upstream: Upstream) -> AskingFailed:
    return AskingFailed(Failure(FailureKind.TIMED_OUT, f"The provider {upstream.name} took too long."))


class EntryPointAsked:
    """`domain.asking.Asked` of such an object, which answers as if it were a server of OpenAI's chat dialect."""

    def __init__(self, upstream: Upstream, body: bytes) -> None:
        """
        Raises:
            AskingFailed: it is not there, or takes no such request.
        """
        self._upstream = upstream
        found = _loaded(upstream)
        if not _can_chat(found):
            raise _cannot(upstream, "has no conversations", "async def chat(request)")
        try:
            request = read_request(body)
        except RequestNotUnderstoodError as error:
            raise AskingFailed(failure_of(error)) from error
        self._events: AsyncGenerator[Event] = found.chat(request)
        self._writer = Writer(wants_usage=True)
        self._started = time.perf_counter()
        self._patience_s = upstream.timeouts.first_byte_s
        self.media_type = "text/event-stream" if request.stream else "application/json"
        self.first_byte_s = 0.0

    async def piece(self) -> bytes:
        while True:
            event = await self._event()
            if event is None:
                return b""
            try:
                written = self._writer.write(event)
            except (OutOfOrderError, AnswerNotUnderstoodError) as error:
                raise _failed(self._upstream, str(error)) from error
            if written:
                return written

    async def pour(self, take: Take) -> bool:
        while piece := await self.piece():
            if not take(piece):
                return False
        return True

    async def whole(self) -> bytes:
        collector = Collector()
        while (event := await self._event()) is not None:
            match collector.add(event):
                case ChatAnswer() as answer:
                    return write_answer(answer)
                case Failure() as failure:
                    raise AskingFailed(failure)
                case None:
                    pass
        raise _failed(self._upstream, "it ended before its answer was whole")

    async def close(self) -> None:
        await self._events.aclose()

    async def _event(self) -> Event | None:
        try:
            async with asyncio.timeout(self._patience_s):
                event = await anext(self._events, None)
        except TimeoutError as error:
            raise _too_long(self._upstream) from error
        except Exception as error:
            raise _raised(self._upstream, error) from error
        if not self.first_byte_s:
            self.first_byte_s = time.perf_counter() - self._started
            self._patience_s = self._upstream.timeouts.between_bytes_s
        return event


class EntryPointEmbedded:
    """`domain.asking.Asked` of such an object that makes vectors, as if it were a server of OpenAI's dialect."""

    media_type = "application/json"

    def __init__(self, answer: bytes, first_byte_s: float) -> None:
        self._answer = answer
        self.first_byte_s = first_byte_s

    @classmethod
    async def ask(cls, upstream: Upstream, body: bytes) -> "EntryPointEmbedded":
        """
        Raises:
            AskingFailed: it is not there, makes no vectors, fails, or takes too long.
        """
        found = _loaded(upstream)
        if not _can_embed(found):
            raise _cannot(upstream, "makes no vectors", "async def embed(request)")
        started = time.perf_counter()
        try:
            request = embeddings.read_request(body)
            async with asyncio.timeout(upstream.timeouts.first_byte_s):
                answer: EmbeddingAnswer = await found.embed(request)
            vectors = checked(answer.vectors, len(request.inputs))
            written = embeddings.write_answer(replace(answer, vectors=vectors), base64=request.base64)
        except (RequestNotUnderstoodError, AnswerNotUnderstoodError) as error:
            raise AskingFailed(failure_of(error)) from error
        except TimeoutError as error:
            raise _too_long(upstream) from error
        except Exception as error:
            raise _raised(upstream, error) from error
        return cls(written, time.perf_counter() - started)

    async def piece(self) -> bytes:
        answer, self._answer = self._answer, b""
        return answer

    async def pour(self, take: Take) -> bool:
        return take(await self.piece())

    async def whole(self) -> bytes:
        return await self.piece()

    async def close(self) -> None: ...
