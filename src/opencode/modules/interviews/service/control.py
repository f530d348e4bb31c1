"""Words between the servers of one deployment: stop this run or answer, end the streams of that person."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Protocol

import msgspec
import structlog

from opencode.infra.pubsub import Lagged, PubSub, Subscription
from opencode.kernel.ids import QuestionId, RunId, SummaryId

log = structlog.get_logger(__name__)

_TOPIC = "interviews.control"


class StopRun(msgspec.Struct, frozen=True, tag="stop_run"):
    run_id: str


class StopAnswer(msgspec.Struct, frozen=True, tag="stop_answer"):
    question_id: str
    """Or that of a summary."""
    failure: str


class EndStreams(msgspec.Struct, frozen=True, tag="end_streams"):
    principal_id: str


_Word = StopRun | StopAnswer | EndStreams


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

    async def stop_answer(self, question_id: QuestionId | SummaryId, failure: str) -> None:
        """Args: failure: what is told of why the answer is not whole."""
        await self._pubsub.publish(_TOPIC, msgspec.json.encode(StopAnswer(question_id, failure)))

    async def end_streams(self, principal_id: str) -> None:
        await self._pubsub.publish(_TOPIC, msgspec.json.encode(EndStreams(principal_id)))

    async def listen(self, runs: "Stopper", answers: Sequence["AnswerStopper"], *enders: "Ender") -> None:
        """Begin to act on what is said; returns once every word from now on is heard."""
        subscription = await self._held.enter_async_context(self._pubsub.subscribe(_TOPIC))
        self._listener = asyncio.create_task(_act(subscription, runs, answers, enders))

    async def close(self) -> None:
        if self._listener:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await self._held.aclose()


async def _act(
    subscription: Subscription, runs: "Stopper", answers: Sequence["AnswerStopper"], enders: "tuple[Ender, ...]"
) -> None:
    async for word in subscription:
        if isinstance(word, Lagged):
            continue
        try:
            heard: _Word = msgspec.json.decode(word, type=_Word)
            match heard:
                case StopRun(run_id):
                    await runs.stop_here(run_id)
                case StopAnswer(question_id, failure):
                    for stopper in answers:
                        stopper.stop_here(question_id, failure)
                case EndStreams(principal_id):
                    for ender in enders:
                        ender.end_here(principal_id)
        except Exception:
            log.exception("could not act on a word between servers")


class Stopper(Protocol):
    """Stops runs that this server drives."""

    async def stop_here(self, run_id: str) -> None: ...


class AnswerStopper(Protocol):
    """Stops answers that this server waits for; others are none of its business."""

    def stop_here(self, asked_id: str, failure: str) -> None: ...


class Ender(Protocol):
    """Ends streams or sockets that this server holds open."""

    def end_here(self, principal_id: str) -> None: ...
