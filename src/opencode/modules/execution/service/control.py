"""Words between the processes of one deployment: stop this run, end the streams of that person."""

import asyncio
from contextlib import AsyncExitStack
from typing import Protocol

import msgspec
import structlog

from opencode.infra.pubsub import Lagged, PubSub, Subscription

log = structlog.get_logger(__name__)

_TOPIC = "execution.control"


class StopRun(msgspec.Struct, frozen=True, tag="stop_run"):
    run_id: str


class EndStreams(msgspec.Struct, frozen=True, tag="end_streams"):
    principal_id: str


Word = StopRun | EndStreams


class Control:
    """
    Every process hears every word, and acts where it can. A word that gets lost with a broken connection costs
    little: a wish to stop is in the table too, and its worker reads it with the next heartbeat.
    """

    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub
        self._held = AsyncExitStack()
        self._listener: asyncio.Task[None] | None = None

    async def say(self, word: Word) -> None:
        await self._pubsub.publish(_TOPIC, msgspec.json.encode(word))

    async def listen(self, runs: "Stopper", streams: "Ender | None" = None) -> None:
        """Begin to act on what is said; returns once every word from now on is heard."""
        subscription = await self._held.enter_async_context(self._pubsub.subscribe(_TOPIC))
        self._listener = asyncio.create_task(_act(subscription, runs, streams))

    async def close(self) -> None:
        if self._listener:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await self._held.aclose()


class Stopper(Protocol):
    """Stops runs that this process has."""

    async def stop_here(self, run_id: str) -> None: ...


class Ender(Protocol):
    """Ends streams that this process holds open."""

    def end_here(self, principal_id: str) -> None: ...


async def _act(subscription: Subscription, runs: Stopper, streams: Ender | None) -> None:
    async for word in subscription:
        if isinstance(word, Lagged):
            continue
        try:
            heard: Word = msgspec.json.decode(word, type=Word)
            match heard:
                case StopRun(run_id):
                    await runs.stop_here(run_id)
                case EndStreams(principal_id) if streams:
                    streams.end_here(principal_id)
                case _:
                    pass
        except Exception:
            log.exception("could not act on a word between processes")
