"""What a model writes, from its pieces to the stream of the interview and the row of what was asked for."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Protocol

import structlog

from opencode.contracts.ai import Answered
from opencode.infra.plugs import Parts
from opencode.kernel.errors import OpenCodeError
from opencode.kernel.ids import InterviewId
from opencode.modules.interviews.store import InterviewsWork, News, Stores

log = structlog.get_logger(__name__)

GATHER_S = 0.1
"""What is said within this time goes out together: people read no faster, and each piece is an entry of the record."""

_OUR_FAULT = "The server made a mistake while the model answered. Its log says more."
_NO_END = "The answer broke off before its end."

Pieces = AsyncGenerator[str | Answered]


class Asked(Protocol):
    """
    What a model was asked for: a question, or a summary.

    Attributes:
        most: characters that it may say.
        too_long: what people are told when it says more.
    """

    @property
    def id(self) -> str: ...

    interview_id: InterviewId
    most: int
    too_long: str

    def piece(self, text: str) -> News:
        """What the stream tells of a few more words."""
        ...

    async def is_open(self, stores: Stores) -> bool:
        """Does anybody still want it?"""
        ...

    async def answered(self, work: InterviewsWork, text: str, end: Answered, at: datetime, *before: News) -> None:
        """Save an answer that is whole, and say it after the pieces in `before`."""
        ...

    async def failed(self, work: InterviewsWork, text: str, failure: str, at: datetime, *before: News) -> None:
        """The same for one that broke off."""
        ...


class Replying:
    """Waits for one answer on this server."""

    def __init__(self, asked: Asked, pieces: Pieces, parts: Parts) -> None:
        self._asked = asked
        self._pieces = pieces
        self._parts = parts
        self._said: list[str] = []
        self._length = 0
        self._pending: list[str] = []
        self._due_at: float | None = None
        self._end: Answered | None = None
        self._failure = _NO_END
        self._cut = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, *, when_done: Callable[[], object]) -> None:
        self._task = asyncio.create_task(self._drive())
        self._task.add_done_callback(lambda _task: when_done())

    def stop(self, failure: str) -> None:
        """Break the answer off. Args: failure: what people are told of it."""
        if not self._cut.is_set():
            self._failure = failure
            self._cut.set()

    async def close(self, failure: str) -> None:
        """The same, and wait until that is saved."""
        self.stop(failure)
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _drive(self) -> None:
        try:
            async with aclosing(self._pieces) as pieces:
                await self._follow(pieces)
        except OpenCodeError as refusal:
            self.stop(f"{refusal.detail} {refusal.action}".strip())
        except Exception:
            log.exception("an answer failed", asked_id=self._asked.id)
            self.stop(_OUR_FAULT)
        try:
            await self._finish()
        except Exception:
            # The row stays open and nobody keeps it alive: some server gives it up before long.
            log.exception("the end of an answer could not be saved", asked_id=self._asked.id)

    async def _follow(self, pieces: Pieces) -> None:
        """Read the pieces until the last one, or until the answer is cut off."""
        cut = asyncio.ensure_future(self._cut.wait())
        coming: asyncio.Future[str | Answered | None] | None = None
        try:
            while not self._cut.is_set():
                coming = coming or asyncio.ensure_future(_next(pieces))
                await asyncio.wait({coming, cut}, timeout=self._patience(), return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    piece, coming = coming.result(), None
                    if piece is None or isinstance(piece, Answered):
                        self._end = piece
                        return
                    self._take(piece)
                if self._due_at is not None and _now() >= self._due_at:
                    await self._tell()
        finally:
            cut.cancel()
            if coming:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)

    def _take(self, piece: str) -> None:
        left = self._asked.most - self._length
        if len(piece) > left:
            self.stop(self._asked.too_long)
        piece = piece[:left]
        if piece:
            self._length += len(piece)
            self._said.append(piece)
            self._pending.append(piece)
            self._due_at = self._due_at or _now() + GATHER_S

    def _patience(self) -> float | None:
        return None if self._due_at is None else max(0.0, self._due_at - _now())

    async def _tell(self) -> None:
        news = self._news()
        async with InterviewsWork(self._parts) as work:
            await work.stores.interviews.hold(self._asked.interview_id)
            if await self._asked.is_open(work.stores):
                await work.say(self._asked.interview_id, self._parts.clock.now(), *news)
            else:
                # Ended by somebody else: the interview ended, or was deleted.
                self.stop(_NO_END)

    async def _finish(self) -> None:
        text, at = "".join(self._said), self._parts.clock.now()
        async with InterviewsWork(self._parts) as work:
            if self._end and not self._cut.is_set():
                await self._asked.answered(work, text, self._end, at, *self._news())
            else:
                await self._asked.failed(work, text, self._failure, at, *self._news())

    def _news(self) -> list[News]:
        text, self._pending, self._due_at = "".join(self._pending), [], None
        return [self._asked.piece(text)] if text else []


class Replies:
    """All answers of one kind that this server waits for."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._replies: dict[str, Replying] = {}

    @property
    def ids(self) -> list[str]:
        """Of what was asked."""
        return list(self._replies)

    def start(self, asked: Asked, pieces: Pieces) -> None:
        reply = self._replies[asked.id] = Replying(asked, pieces, self._parts)
        reply.start(when_done=lambda: self._replies.pop(asked.id, None))

    def stop_here(self, asked_id: str, failure: str) -> None:
        """See `control.AnswerStopper`."""
        if reply := self._replies.get(asked_id):
            reply.stop(failure)

    async def close(self, failure: str) -> None:
        """Give up what is under way, and say so: the server goes down."""
        await asyncio.gather(*(reply.close(failure) for reply in list(self._replies.values())))


async def _next(pieces: Pieces) -> str | Answered | None:
    return await anext(pieces, None)


def _now() -> float:
    return asyncio.get_running_loop().time()
