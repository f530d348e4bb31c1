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
from opencode.modules.ai.domain.configuration.model import AnswerCache, Redaction
from opencode.modules.ai.domain.dialects.canonical import Dialect, Failure
from opencode.modules.ai.domain.dialects.decoding import RequestNotUnderstoodError
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
        cache: `hit`, `shared` or `miss`, where answers are kept; else empty.
    """

    model: str
    media_type: str
    body: bytes | Streaming
    cache: str = ""


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
            exchange = self._exchange(dialect, body)
            itinerary = self._itinerary(exchange.envelope.model, by)
            ask = _Ask(exchange, _allowed(itinerary, by), _estimate(exchange, itinerary, body), by, headers, started)
        except RequestNotUnderstoodError as error:
            raise GatewayFailed(failure_of(error), tried=False) from error
        except OpenCodeError as error:
            raise GatewayFailed(failure_of_refusal(error), tried=False) from error
        if may_be_kept and by.snapshot.configuration.cache.enabled:
            return await self._answered_once(ask, by.snapshot.configuration.cache)
        return await self._asked(ask)

    async def _answered_once(self, ask: "_Ask", policy: AnswerCache) -> Reply:
        key = self._answers.key(ask.exchange.envelope, ask.by)
        kept, outcome = await self._answers.kept(key, policy), "hit"
        if kept is None and ask.exchange.envelope.stream:
            reply = await self._asked(ask, lambda answer: self._answers.keep(key, answer, policy))
            return _told(reply, "miss")
        if kept is None:

            async def make() -> KeptAnswer:
                reply = await self._asked(ask)
                answer = KeptAnswer(reply.model, reply.media_type, _whole(reply))
                await self._answers.keep(key, answer, policy)
                return answer

            kept, is_shared = await self._answers.once(key, make)
            if not is_shared:
                return _told(Reply(kept.model, kept.media_type, kept.body), "miss")
            outcome = "shared"
        # It costs nothing; whoever asks too often is told so all the same.
        nothing = Estimate(kept.model, Price(), Usage())
        reservation = await self._reserved(ask.by, nothing)
        latency_ms = round((time.perf_counter() - ask.started) * 1000)
        await self._meter.settle(reservation, Outcome(Usage(), latency_ms=latency_ms, flags=Flag.CACHED))
        return _told(Reply(kept.model, kept.media_type, kept.body), outcome)

    async def _asked(self, ask: "_Ask", keep: Callable[[KeptAnswer], Awaitable[None]] | None = None) -> Reply:
        """Args: keep: is given an answer that was streamed to its end."""
        exchange = ask.exchange
        reservation = await self._reserved(ask.by, ask.estimate)
        call = CallUnderWay(self._meter, self._telemetry, reservation, exchange, ask.started)
        try:
            begun = await self._reaching.begin(exchange, ask.stages, ask.headers)
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
        return Reply(model, media_type, begun.first)

    async def _reserved(self, by: Known, estimate: Estimate) -> Reservation:
        try:
            return await self._meter.reserve(by.caller, estimate)
        except OpenCodeError as error:
            raise GatewayFailed(failure_of_refusal(error), tried=False) from error

    def _exchange(self, dialect: Dialect, body: bytes) -> Exchange:
        if dialect in EMBEDDING_CLIENTS:
            return EmbeddingExchange(dialect, body)
        return ChatExchange(dialect, body, seed=_new_seed, now_s=int(self._clock.now().timestamp()))

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


def _told(reply: Reply, outcome: str) -> Reply:
    metrics.series(metrics.AI_CACHE, outcome).inc()
    return replace(reply, cache=outcome)


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
