"""Python objects that answer in place of a server; a `custom` provider names one as `package.module:name`."""

import asyncio
import importlib
import inspect
import time
from collections.abc import AsyncGenerator
from typing import Any

import structlog

from opencode.modules.ai.domain.asking import AskingFailed
from opencode.modules.ai.domain.dialects.canonical import ChatAnswer, Event, Failure, FailureKind
from opencode.modules.ai.domain.dialects.decoding import AnswerNotUnderstoodError, RequestNotUnderstoodError
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
    The object, which has `async def chat(request)` that yields events.

    Raises:
        EntryPointFaulty: it is not installed, fails while it is loaded, or has no such method.
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
    chat = getattr(found, "chat", None)
    if not inspect.isasyncgenfunction(chat):
        raise EntryPointFaulty(entry_point, "has no `async def chat(request)` that yields events")
    return found


class EntryPointAsked:
    """`domain.asking.Asked` of such an object, which answers as if it were a server of OpenAI's chat dialect."""

    def __init__(self, upstream: Upstream, body: bytes) -> None:
        """
        Raises:
            AskingFailed: it is not there, or takes no such request.
        """
        self._upstream = upstream
        try:
            request = read_request(body)
            self._events: AsyncGenerator[Event] = load_entry_point(upstream.entry_point or "").chat(request)
        except RequestNotUnderstoodError as error:
            raise AskingFailed(failure_of(error)) from error
        except EntryPointFaulty as error:
            raise AskingFailed(Failure(FailureKind.UPSTREAM_FAILED, error.detail)) from error
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
                raise self._failed(str(error)) from error
            if written:
                return written

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
        raise self._failed("it ended before its answer was whole")

    async def close(self) -> None:
        await self._events.aclose()

    async def _event(self) -> Event | None:
        try:
            async with asyncio.timeout(self._patience_s):
                event = await anext(self._events, None)
        except TimeoutError as error:
            raise AskingFailed(Failure(FailureKind.TIMED_OUT, f"{self._name} took too long.")) from error
        except Exception as error:
            # What it says of its own faults is for who reads the log.
            log.exception("entry point of a provider failed", provider=self._upstream.name)
            raise self._failed(f"it raised {type(error).__name__}") from error
        if not self.first_byte_s:
            self.first_byte_s = time.perf_counter() - self._started
            self._patience_s = self._upstream.timeouts.between_bytes_s
        return event

    @property
    def _name(self) -> str:
        return f"The provider {self._upstream.name}"

    def _failed(self, why: str) -> AskingFailed:
        return AskingFailed(Failure(FailureKind.UPSTREAM_FAILED, f"{self._name} failed: {why}."))
