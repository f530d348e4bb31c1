"""Words between the servers of one deployment: stop this run, end the streams of that person."""

import asyncio
from contextlib import AsyncExitStack
from typing import Protocol

import msgspec
import structlog

from opencode.infra.pubsub import Lagged, PubSub, Subscription
from opencode.kernel.ids import RunId

log = structlog.get_logger(__name__)

_TOPIC = "interviews.control"


class StopRun(msgspec.Struct, frozen=True, tag="stop_run"):
    run_id: str


class EndStreams(msgspec.Struct, frozen=True, tag="end_streams"):
    principal_id: str


class Control:
    """
    Whoever drives a run, or holds a stream open, may sit on another server than the one that was asked. Every server
    hears every word, and acts where it can. A word that gets lost with a broken connection costs little: a stopped
    run's end is saved already, and a stream asks who is still welcome before it tells anything that ends somebody's
    part.
    """

    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub
        self._held = AsyncExitStack()
        self._listener: asyncio.Task[None] | None = None

    async def stop_run(self, run_id: RunId) -> None:
        await self._pubsub.publish(_TOPIC, msgspec.json.encode(StopRun(run_id)))

    async def end_streams(self, principal_id: str) -> None:
        await self._pubsub.publish(_TOPIC, msgspec.json.encode(EndStreams(principal_id)))

    async def listen(self, runs: "Stopper", *enders: "Ender") -> None:
        """Begin to act on what is said; returns once every word from now on is heard."""
        subscription = await self._held.enter_async_context(self._pubsub.subscribe(_TOPIC))
        self._listener = asyncio.create_task(_act(subscription, runs, enders))

    async def close(self) -> None:
        if self._listener:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await self._held.aclose()


async def _act(subscription: Subscription, runs: "Stopper", enders: "tuple[Ender, ...]") -> None:
    async for word in subscription:
        if isinstance(word, Lagged):
            continue
        try:
            heard: StopRun | EndStreams = msgspec.json.decode(word, type=StopRun | EndStreams)
            match heard:
                case StopRun(run_id):
                    await runs.stop_here(run_id)
                case EndStreams(principal_id):
                    for ender in enders:
                        ender.end_here(principal_id)
        except Exception:
            log.exception("could not act on a word between servers")


class Stopper(Protocol):
    """Stops runs that this server drives."""

    async def stop_here(self, run_id: str) -> None: ...


class Ender(Protocol):
    """Ends streams or sockets that this server holds open."""

    def end_here(self, principal_id: str) -> None: ...
