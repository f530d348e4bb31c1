"""
A call from a client to whoever answers it: limits first, then one provider after the other until one begins to answer,
then the answer as it comes, and at the end what it took.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from opencode.infra.observability import metrics
from opencode.infra.plugs import Parts
from opencode.kernel.errors import OpenCodeError
from opencode.kernel.ids import new_id
from opencode.modules.ai.domain.asking import AskingFailed
from opencode.modules.ai.domain.calls import Estimate, Outcome
from opencode.modules.ai.domain.configuration.model import AnswerCache, Redaction, SemanticCache
from opencode.modules.ai.domain.dialects.canonical import Dialect, Failure
from opencode.modules.ai.domain.dialects.decoding import RequestNotUnderstoodError, encoded
from opencode.modules.ai.domain.dialects.exchange import ChatExchange, EmbeddingExchange, Exchange
from opencode.modules.ai.domain.dialects.failures import failure_of
from opencode.modules.ai.domain.dialects.speaking import EMBEDDING_CLIENTS
from opencode.modules.ai.domain.money import Price
from opencode.modules.ai.domain.redaction import redacted, redacts
from opencode.modules.ai.domain.refusals import failure_of_refusal
from opencode.modules.ai.domain.retrying import told_to_client
from opencode.modules.ai.domain.routing import Itinerary, Stage, itinerary_of
from opencode.modules.ai.domain.telemetry import Telemetry
from opencode.modules.ai.domain.usage import Flag, Usage, tokens_of_request, within_reason
from opencode.modules.ai.errors import ModelUnknown
from opencode.modules.ai.service.answers import Answers, KeptAnswer
from opencode.modules.ai.service.callers import Known
from opencode.modules.ai.service.calling import CallUnderWay, Streaming
from opencode.modules.ai.service.live import Snapshot
from opencode.modules.ai.service.metering import Meter, Reservation
from opencode.modules.ai.service.reaching import Reaching
from opencode.modules.ai.service.semantic import Comparable, Like, NotEmbedded, Placed, Semantic

MOST_ITINERARIES = 10_000
_LONG_BYTES = 64 * 1024


class GatewayFailed(Exception):
    """
    Nobody answers this call.

    Attributes:
        tried: providers were asked, and again where that could help: whoever tries again is told not to.
    """

    def __init__(self, failure: Failure, *, tried: bool) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.tried = tried


@dataclass(frozen=True, slots=True)
class Reply:
    """
    An answer.

    Attributes:
        model: who answers, `<provider>/<model>`.
        body: the whole of it, or its stream, which must be closed.
        cache: `hit`, `semantic`, `shared` or `miss`, where answers are kept; else empty.
        similarity: of the question to the one that was answered so, where that was another one: the cosine.
    """

    model: str
    media_type: str
    body: bytes | Streaming
    cache: str = ""
    similarity: float | None = None

    @classmethod
    def again(cls, kept: KeptAnswer, cache: str, similarity: float | None = None) -> "Reply":
        return cls(kept.model, kept.media_type, kept.body, cache, similarity)


@dataclass(frozen=True, slots=True)
class _Ask:
    """All that a call is. `started` is by `time.perf_counter`."""

    exchange: Exchange
    stages: tuple[Stage, ...]
    estimate: Estimate
    by: Known
    headers: Mapping[str, str]
    started: float


class Gateway:
    def __init__(
        self, parts: Parts, meter: Meter, reaching: Reaching, answers: Answers, telemetry: Telemetry | None = None
    ) -> None:
        self._clock = parts.clock
        self._meter = meter
        self._telemetry = telemetry
        self._reaching = reaching
        self._answers = answers
        self._semantic = Semantic(parts.clock, answers)
        self._itineraries: dict[str, Itinerary] = {}
        self._itineraries_of: Snapshot | None = None

    async def answer(
        self, dialect: Dialect, body: bytes, by: Known, headers: Mapping[str, str], *, may_be_kept: bool = True
    ) -> Reply:
        """
        Answer a call.

        Args:
            headers: of the client, that are the provider's to read.
            may_be_kept: whether a kept answer will do, and this one may be kept, where the configuration has a cache.

        Raises:
            GatewayFailed
        """
        started = time.perf_counter()
        try:
            if redacts(by.snapshot.configuration.redaction):
                body = await _redacted(body, by.snapshot.configuration.redaction)
        except RequestNotUnderstoodError as error:
            raise GatewayFailed(failure_of(error), tried=False) from error
        ask = self._ask(dialect, body, by, headers, started)
        if may_be_kept and by.snapshot.configuration.cache.enabled:
            reply = await self._answered_once(ask, by.snapshot.configuration.cache)
            metrics.series(metrics.AI_CACHE, reply.cache).inc()
            return reply
        return await self._asked(ask)

    def _ask(self, dialect: Dialect, body: bytes, by: Known, headers: Mapping[str, str], started: float) -> "_Ask":
        """
        Raises:
            GatewayFailed
        """
        try:
            exchange = self._exchange(dialect, body)
            itinerary = self._itinerary(exchange.envelope.model, by)
            return _Ask(exchange, _allowed(itinerary, by), _estimate(exchange, itinerary, body), by, headers, started)
        except RequestNotUnderstoodError as error:
            raise GatewayFailed(failure_of(error), tried=False) from error
        except OpenCodeError as error:
            raise GatewayFailed(failure_of_refusal(error), tried=False) from error

    async def _answered_once(self, ask: "_Ask", policy: AnswerCache) -> Reply:
        key = self._answers.key(ask.exchange.envelope, ask.by)
        if kept := await self._answers.kept(key, policy):
            return await self._given_again(ask, Reply.again(kept, "hit"))
        if ask.exchange.envelope.stream:
            return await self._like_or_asked(ask, key, policy)
        reply, is_shared = await self._answers.once(key, lambda: self._like_or_asked(ask, key, policy))
        if not is_shared:
            return reply
        return await self._given_again(ask, reply if reply.cache == "semantic" else replace(reply, cache="shared"))

    async def _given_again(self, ask: "_Ask", reply: Reply) -> Reply:
        # It costs nothing; whoever asks too often is told so all the same.
        reservation = await self._reserved(ask.by, Estimate(reply.model, Price(), Usage()))
        await self._meter.settle(reservation, _cached(ask, reply))
        return reply

    async def _like_or_asked(self, ask: "_Ask", key: str, policy: AnswerCache) -> Reply:
        """What was answered to a question like it, where that is wished for; else an answer of a model, to be kept."""

        async def keep(answer: KeptAnswer) -> None:
            await self._answers.keep(key, answer, policy)

        semantic = policy.semantic
        question = self._semantic.comparable(ask.exchange, ask.by, semantic) if semantic else None
        if semantic is None or question is None:
            return replace(await self._asked(ask, keep), cache="miss")
        # Before the question gets a vector: who is over a limit has nothing done for them.
        reservation = await self._reserved(ask.by, ask.estimate)
        try:
            placed, like = await self._looked_for(question, ask.by, policy, semantic)
        except BaseException:
            await self._meter.refund(reservation)
            raise
        if like:
            reply = Reply.again(like.answer, "semantic", like.similarity)
            await self._meter.settle(reservation, _cached(ask, reply))
            return reply

        async def keep_and_remember(answer: KeptAnswer) -> None:
            await keep(answer)
            if placed:
                self._semantic.remember(placed, key, semantic)

        return replace(await self._asked(ask, keep_and_remember, reservation), cache="miss")

    async def _looked_for(
        self, question: Comparable, by: Known, policy: AnswerCache, semantic: SemanticCache
    ) -> tuple[Placed | None, Like | None]:
        async def embed(model: str, text: str) -> tuple[str, bytes]:
            return await self._embedded(model, text, by)

        placed = await self._semantic.place(question, semantic, embed)
        return placed, await self._semantic.like(placed, policy) if placed else None

    async def _embedded(self, model: str, text: str, by: Known) -> tuple[str, bytes]:
        """
        Who made a vector of a text, and their answer. It is within what the caller may use and spend.

        Raises:
            NotEmbedded
        """
        body = encoded({"model": model, "input": text, "encoding_format": "float"})
        try:
            ask = self._ask(Dialect.OPENAI_EMBEDDINGS, body, by, {}, time.perf_counter())
            reservation = await self._reserved(by, ask.estimate, is_counted=False)
            reply = await self._asked(ask, reservation=reservation)
        except GatewayFailed as error:
            raise NotEmbedded(error.failure.kind, is_tried=error.tried) from error
        return reply.model, _whole(reply)

    async def _asked(
        self,
        ask: "_Ask",
        keep: Callable[[KeptAnswer], Awaitable[None]] | None = None,
        reservation: Reservation | None = None,
    ) -> Reply:
        """
        Args:
            keep: is given the answer when it is whole.
            reservation: what is reserved for it already.
        """
        exchange = ask.exchange
        reservation = reservation or await self._reserved(ask.by, ask.estimate)
        call = CallUnderWay(self._meter, self._telemetry, reservation, exchange, ask.started)
        try:
            begun = await self._reaching.begin(exchange, ask.stages, ask.headers, call.tries)
        except asyncio.CancelledError:
            await call.left()
            raise
        except AskingFailed as error:
            await call.unanswered(error.failure)
            raise GatewayFailed(told_to_client(error.failure), tried=True) from error
        except RequestNotUnderstoodError as error:
            failure = failure_of(error)
            await call.unanswered(failure)
            raise GatewayFailed(failure, tried=False) from error
        except BaseException:
            await self._meter.refund(reservation)
            raise
        model = begun.deployment.name
        if not begun.is_whole:

            async def keep_stream(body: bytes) -> None:
                if keep:
                    await keep(KeptAnswer(model, exchange.stream_type, body))

            return Reply(model, exchange.stream_type, Streaming(call, begun, keep_stream if keep else None))
        await call.over(begun)
        media_type = exchange.stream_type if exchange.envelope.stream else "application/json"
        if keep and begun.answering.failure is None:
            await keep(KeptAnswer(model, media_type, begun.first))
        return Reply(model, media_type, begun.first)

    async def _reserved(self, by: Known, estimate: Estimate, *, is_counted: bool = True) -> Reservation:
        try:
            return await self._meter.reserve(by.caller, estimate, is_counted=is_counted)
        except OpenCodeError as error:
            raise GatewayFailed(failure_of_refusal(error), tried=False) from error

    def _exchange(self, dialect: Dialect, body: bytes) -> Exchange:
        if dialect in EMBEDDING_CLIENTS:
            return EmbeddingExchange(dialect, body)
        return ChatExchange(dialect, body, seed=_new_seed, now_s=int(self._clock.timestamp()))

    def _itinerary(self, name: str, by: Known) -> Itinerary:
        if by.snapshot is not self._itineraries_of or len(self._itineraries) >= MOST_ITINERARIES:
            self._itineraries, self._itineraries_of = {}, by.snapshot
        found = self._itineraries.get(name)
        if found is None:
            # An error must not name models that this caller may not see.
            by.snapshot.registry.resolve(name, may_see=by.allowance.covers)
            found = self._itineraries[name] = itinerary_of(by.snapshot.registry, name)
        return found


async def _redacted(body: bytes, policy: Redaction) -> bytes:
    """
    Raises:
        RequestNotUnderstoodError
    """
    # A long one takes a while, in which others must have their turns.
    return redacted(body, policy) if len(body) < _LONG_BYTES else await asyncio.to_thread(redacted, body, policy)


def _cached(ask: _Ask, reply: Reply) -> Outcome:
    """What a kept answer took."""
    flags = Flag.CACHED if reply.similarity is None else Flag.CACHED | Flag.SEMANTIC
    latency_ms = round((time.perf_counter() - ask.started) * 1000)
    return Outcome(Usage(), latency_ms=latency_ms, flags=flags, answered_by=(reply.model, Price()))


def _whole(reply: Reply) -> bytes:
    if not isinstance(reply.body, bytes):
        raise TypeError("no stream was asked for")
    return reply.body


def _new_seed() -> str:
    return new_id("ans")


def _allowed(itinerary: Itinerary, by: Known) -> tuple[Stage, ...]:
    """
    Raises:
        ModelUnknown: for this caller there is none of that name.
    """
    if not by.allowance.lists:
        return itinerary.stages
    first, *fallbacks = itinerary.stages
    if not by.allowance.covers(first.route.name, first.targets):
        raise ModelUnknown(itinerary.name, ())
    return first, *(each for each in fallbacks if by.allowance.covers(each.route.name, each.targets))


def _estimate(exchange: Exchange, itinerary: Itinerary, body: bytes) -> Estimate:
    envelope = exchange.envelope
    output = 0
    if envelope.dialect not in EMBEDDING_CLIENTS:
        most = itinerary.most_output_tokens if envelope.max_tokens is None else envelope.max_tokens
        output = within_reason(most * envelope.count)
    first = itinerary.stages[0].route.deployments[0]
    return Estimate(first.counted_as, itinerary.dearest, Usage(tokens_of_request(body), output))
