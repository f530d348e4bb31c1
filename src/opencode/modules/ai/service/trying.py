"""One try at one deployment: from the request to the first words of its answer, and on to the last."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from opencode.modules.ai.domain.asking import Asked, Asking, AskingFailed, Take
from opencode.modules.ai.domain.dialects.answering import Answering
from opencode.modules.ai.domain.dialects.canonical import Failure, FailureKind
from opencode.modules.ai.domain.dialects.decoding import AnswerNotUnderstoodError, CannotBeSaidError
from opencode.modules.ai.domain.dialects.exchange import Exchange, Question
from opencode.modules.ai.domain.dialects.failures import failure_of
from opencode.modules.ai.domain.registry import Deployment
from opencode.modules.ai.service.fleet import Fleet, Try

_LAST_WORD_S = 0.05
"""How long a connection may take to end behind an answer that has ended; otherwise it is not used again."""


class Begun:
    """
    An answer whose content has begun, so that nobody else can be asked any more, or that is there as a whole.

    Attributes:
        first: what to send to the client first.
        is_whole: there is nothing behind it.
        first_byte_s: how long the provider took to begin.
    """

    def __init__(
        self, attempt: Try, answering: Answering, first: bytes, asked: Asked | None, first_byte_s: float
    ) -> None:
        """Args: asked: of whom the rest comes; None where there is none."""
        self.deployment = attempt.deployment
        self.answering = answering
        self.first = first
        self.is_whole = asked is None
        self.first_byte_s = first_byte_s
        self._attempt = attempt
        self._asked = asked

    async def pour(self, send: Take) -> bool:
        """
        Have what is to be sent after that taken as it comes. A stream that breaks off ends in an error of the client's
        dialect. Returns whether it is over; otherwise `send` could take no more, and this is called again when it can.
        """
        answering = self.answering

        def take(piece: bytes) -> bool:
            sent = answering.feed(piece)
            return (not sent or send(sent)) and not (answering.ended or answering.failure)

        try:
            came_to_its_end = not self._is_over and self._asked is not None and await self._asked.pour(take)
        except AskingFailed as error:
            self._send(send, answering.break_off(error.failure))
        else:
            if came_to_its_end:
                self._send(send, answering.end())
            elif not self._is_over:
                return False
        if answering.ended:
            self._send(send, answering.end())
        return True

    @property
    def _is_over(self) -> bool:
        return self._asked is None or self.answering.ended or self.answering.failure is not None

    def _send(self, send: Take, sent: bytes) -> None:
        if sent:
            send(sent)

    async def close(self) -> None:
        """Done with it, wherever it stands: one that is not over is broken off. Closed twice is the same as once."""
        if self.answering.failure:
            self._attempt.failed(self.answering.failure)
        self._attempt.end()
        asked, self._asked = self._asked, None
        if asked is None:
            return
        try:
            if self.answering.ended:
                with suppress(TimeoutError, AskingFailed):
                    async with asyncio.timeout(_LAST_WORD_S):
                        await asked.piece()
        finally:
            await asked.close()


class Trying:
    def __init__(self, fleet: Fleet, asking: Callable[[], Asking]) -> None:
        """Args: asking: asked for when somebody is to be asked, and not before: its library is large."""
        self._fleet = fleet
        self._asking = asking

    async def once(self, exchange: Exchange, deployment: Deployment, headers: Mapping[str, str]) -> Begun:
        """
        Ask a deployment, and wait until content has begun.

        Args:
            headers: of the client, that are the provider's to read.

        Raises:
            AskingFailed: it failed before that; another one can be asked.
            RequestNotUnderstoodError: the request is not what its dialect allows.
        """
        try:
            question = exchange.question(deployment)
        except CannotBeSaidError as error:
            raise AskingFailed(failure_of(error)) from error
        attempt = self._fleet.begin(deployment)
        try:
            begun = await self._begun(exchange, question, attempt, headers)
        except BaseException as error:
            if isinstance(error, AskingFailed):
                attempt.failed(error.failure)
            attempt.end()
            raise
        attempt.succeeded(begun.first_byte_s)
        if begun.is_whole:
            attempt.end()
        return begun

    async def _begun(self, exchange: Exchange, question: Question, attempt: Try, headers: Mapping[str, str]) -> Begun:
        upstream = attempt.deployment.upstream
        answering, stream = question.answering, exchange.envelope.stream
        asked = await self._asking().ask(upstream, question.path, question.body, headers)
        comes_whole = not stream or asked.media_type == "application/json"
        try:
            if comes_whole:
                body = await asked.whole()
                first = answering.stream_of(body) if stream else answering.whole(body)
            else:
                first = await _first_words(asked, answering)
        except AnswerNotUnderstoodError as error:
            await asked.close()
            raise AskingFailed(error.failure) from error
        except BaseException:
            await asked.close()
            raise
        if comes_whole:
            await asked.close()
        return Begun(attempt, answering, first, None if comes_whole else asked, asked.first_byte_s)


async def _first_words(asked: Asked, answering: Answering) -> bytes:
    """What is to be sent when content begins: everything up to there."""
    if asked.media_type == "text/html":
        raise AskingFailed(Failure(FailureKind.UPSTREAM_FAILED, "The provider answered with a page for people."))
    sent: list[bytes] = []
    while not (answering.begun or answering.ended or answering.failure):
        piece = await asked.piece()
        sent.append(answering.feed(piece) if piece else answering.end())
    if answering.failure:
        raise AskingFailed(answering.failure)
    return b"".join(sent)
