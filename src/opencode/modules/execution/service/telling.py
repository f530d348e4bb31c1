"""Telling what happens to a run: gathered, so that a talkative program costs few transactions."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

from opencode.contracts.execution import Output, Stage, Stream
from opencode.modules.execution.domain.runs import RunEventType
from opencode.modules.execution.domain.texts import split_whole, text_of
from opencode.modules.execution.store import News

log = structlog.get_logger(__name__)

FIRST_S = 0.003
"""The first news wait this long: most programs print, end, and are told of in one transaction."""
GATHER_S = 0.03
"""News that come within this time go out together; people do not see the difference, and the database does."""
RETRY_S = 0.5

Tell = Callable[[Sequence[News]], Awaitable[bool]]


class Teller:
    """
    Holds news until they are worth a transaction. What it could not tell because the database was away stays, and is
    told with the next ones; what is left at the end goes out with the end.
    """

    def __init__(self, tell: Tell, on_refused: Callable[[], object]) -> None:
        """
        Args:
            tell: says news of this attempt; False when the attempt is not under way any more.
            on_refused: called once when that happens.
        """
        self._tell = tell
        self._on_refused = on_refused
        self._pending: list[News | Output] = []
        self._halves: dict[tuple[Stage, Stream], bytes] = {}
        self._something = asyncio.Event()
        self._closed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, news: News) -> None:
        self._pending.append(news)
        self._something.set()

    def print(self, output: Output) -> None:
        """A character cut in two waits for its other half."""
        place = (output.stage, output.stream)
        whole, half = split_whole(self._halves.pop(place, b"") + output.data)
        if half:
            self._halves[place] = half
        if not whole:
            return
        last = self._pending[-1] if self._pending else None
        if isinstance(last, Output) and (last.stage, last.stream) == place:
            whole = last.data + whole
            self._pending.pop()
        self._pending.append(Output(*place, whole))
        self._something.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> list[News]:
        """
        Tell no more, once what is being told is told; what is left to go out with the end. Halves of characters will
        not be completed.
        """
        self._closed.set()
        self._something.set()
        if self._task:
            await self._task
        self._pending += [Output(*place, half) for place, half in self._halves.items()]
        self._halves.clear()
        return self._take()

    async def _run(self) -> None:
        patience = FIRST_S
        # Asked each time round: the end may come in the very moment in which the rest below is over.
        while not self._closed.is_set():
            await self._something.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._closed.wait()
                    return
            self._something.clear()
            patience = GATHER_S
            waiting = list(self._pending)
            try:
                heard = await self._tell(self._take())
            except Exception:
                log.exception("news of a run could not be told, trying again", retry_s=RETRY_S)
                self._pending[:0] = waiting
                self._something.set()
                patience = RETRY_S
                continue
            if not heard:
                self._on_refused()
                return

    def _take(self) -> list[News]:
        pending, self._pending = self._pending, []
        return [_printed(each) if isinstance(each, Output) else each for each in pending]


def _printed(output: Output) -> News:
    text, base64 = text_of(output.data)
    adds: dict[str, object] = {"stage": output.stage, "stream": output.stream, "text": text, "base64": base64}
    return News(RunEventType.RUN_OUTPUT, adds)
