"""The account of one call: it is settled once, however it ends."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable

from opencode.infra.observability import metrics
from opencode.modules.ai.domain.asking import Take
from opencode.modules.ai.domain.calls import Outcome, Tries
from opencode.modules.ai.domain.dialects.canonical import Failure
from opencode.modules.ai.domain.dialects.canonical import Usage as ToldUsage
from opencode.modules.ai.domain.dialects.exchange import Exchange
from opencode.modules.ai.domain.money import price_of
from opencode.modules.ai.domain.telemetry import Answerer, CallReport, Telemetry, operation_of
from opencode.modules.ai.domain.usage import BYTES_PER_TOKEN, Flag, Usage
from opencode.modules.ai.service.metering import Meter, Reservation
from opencode.modules.ai.service.trying import Begun

CLIENT_LEFT = 499
"""The status of a call whose client did not wait for its end, as web servers write it into their logs."""
_BROKE_OFF = 502

Keep = Callable[[bytes], Awaitable[None]]


class CallUnderWay:
    def __init__(
        self,
        meter: Meter,
        telemetry: Telemetry | None,
        reservation: Reservation,
        exchange: Exchange,
        started: float,
    ) -> None:
        """Args: started: by `time.perf_counter`."""
        self.tries = Tries()
        self._meter = meter
        self._telemetry = telemetry
        self._reservation = reservation
        self._exchange = exchange
        self._started = started

    async def over(self, begun: Begun, *, left: bool = False) -> None:
        """
        The answer has been sent.

        Args:
            left: the client went away before its end.
        """
        answering, deployment = begun.answering, begun.deployment
        provider, _, model = deployment.counted_as.partition("/")
        status = CLIENT_LEFT if left else _BROKE_OFF if answering.failure else 200
        words = "left" if left else answering.failure.kind.value if answering.failure else "ok"
        metrics.series(metrics.AI_CALLS, provider, model, words).inc()
        metrics.series(metrics.AI_FIRST_BYTE, provider).observe(begun.first_byte_s)
        usage = _charged(answering.usage) if answering.usage else None
        if usage:
            metrics.series(metrics.AI_TOKENS, provider, "input").inc(usage.input)
            metrics.series(metrics.AI_TOKENS, provider, "output").inc(usage.output)
        outcome = Outcome(
            # Who leaves early has heard of no usage yet, or of what it was so far.
            usage if answering.ended or begun.is_whole else None,
            answer_bytes=answering.frames * BYTES_PER_TOKEN,
            status=status,
            latency_ms=self._elapsed_ms(),
            first_byte_ms=round(begun.first_byte_s * 1000),
            flags=self._flags,
            answered_by=(deployment.counted_as, price_of(deployment.facts.price)),
        )
        if self._telemetry:
            error = None if words == "ok" else words
            self._report(self._telemetry, error, Answerer.of(deployment), begun.first_byte_s, usage)
        await self._meter.settle(self._reservation, outcome)

    async def left(self) -> None:
        """The client went away before an answer began: its question is charged, since it may have been read."""
        if self._telemetry:
            self._report(self._telemetry, "left")
        outcome = Outcome(None, status=CLIENT_LEFT, latency_ms=self._elapsed_ms(), flags=self._flags)
        await self._meter.settle(self._reservation, outcome)

    async def unanswered(self, failure: Failure) -> None:
        """Nobody answers: nothing is charged."""
        if self._telemetry:
            self._report(self._telemetry, failure.kind.value)
        await self._meter.refund(self._reservation)

    def _report(
        self,
        telemetry: Telemetry,
        error: str | None,
        answerer: Answerer | None = None,
        first_byte_s: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        envelope, duration_s = self._exchange.envelope, time.perf_counter() - self._started
        report = CallReport(
            operation_of(envelope.dialect),
            envelope.stream,
            envelope.max_tokens,
            duration_s,
            first_byte_s,
            answerer,
            usage,
            error,
        )
        telemetry.report(report)

    @property
    def _flags(self) -> Flag:
        flags = self.tries.flags
        return flags | Flag.STREAM if self._exchange.envelope.stream else flags

    def _elapsed_ms(self) -> int:
        return round((time.perf_counter() - self._started) * 1000)


class Streaming:
    """
    An answer that is streamed. It must be closed, whether its pieces were taken or not: then the provider is broken
    off where it is not at its end, and the call is settled.
    """

    def __init__(self, call: CallUnderWay, begun: Begun, keep: Keep | None) -> None:
        """Args: keep: is given the whole stream, where it came to its own end."""
        self._call = call
        self._begun = begun
        self._keep = keep
        self._sent: list[bytes] = []
        self._has_begun = False
        self._is_over = False

    async def pour(self, send: Take) -> bool:
        """
        Have each piece taken as it comes. Returns whether it is over; otherwise `send` could
        take no more, and this is called again when it can.
        """
        take = self._noting(send) if self._keep else send
        if not self._has_begun:
            self._has_begun = True
            if self._begun.first and not take(self._begun.first):
                return False
        if not await self._begun.pour(take):
            return False
        self._is_over = True
        if self._keep and self._begun.answering.ended:
            await self._keep(b"".join(self._sent))
        return True

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The same for whoever wants one piece after the other."""
        came: list[bytes] = []

        def take(piece: bytes) -> bool:
            came.append(piece)
            return False

        is_over = False
        while not is_over:
            is_over = await self.pour(take)
            taken, came[:] = came.copy(), []
            for piece in taken:
                yield piece

    def _noting(self, send: Take) -> Take:
        def take(piece: bytes) -> bool:
            self._sent.append(piece)
            return send(piece)

        return take

    async def close(self) -> None:
        try:
            await self._begun.close()
        finally:
            # A client that has its answer goes, which may cut short what waits for the provider's last word.
            await self._call.over(self._begun, left=not self._is_over)


def _charged(told: ToldUsage) -> Usage:
    return Usage(told.input, told.output, told.cached_input, told.cache_write)
