"""Calls to providers: each piece of an answer in its time, and every way to fail as one exception."""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus

from opencode.modules.ai.adapters.entry_points import EntryPointAsked, EntryPointEmbedded
from opencode.modules.ai.adapters.failures import failure_of
from opencode.modules.ai.adapters.http_client import AnswerTimedOut, BrokeOff, CallFailed, Response, TooMuch, whole_of
from opencode.modules.ai.adapters.upstream import Connections
from opencode.modules.ai.domain.asking import Asked, AskingFailed, Take
from opencode.modules.ai.domain.configuration.model import Dialect
from opencode.modules.ai.domain.dialects.canonical import Failure, FailureKind
from opencode.modules.ai.domain.dialects.failures import read_failure
from opencode.modules.ai.domain.dialects.speaking import EMBEDDING_PROVIDERS
from opencode.modules.ai.domain.registry import Upstream

MOST_ANSWER_BYTES = 64 * 1024 * 1024
"""Of an answer that comes whole. A picture, or some thousand vectors, fit."""
MOST_ERROR_BYTES = 64 * 1024
_TROUBLE = (CallFailed, ValueError)


class HttpAsked:
    """`domain.asking.Asked` of a server."""

    def __init__(self, upstream: Upstream, response: Response) -> None:
        self._upstream = upstream
        self._response = response
        self._patience_s = upstream.timeouts.first_byte_s
        self.media_type = response.media_type
        self.first_byte_s = response.first_byte_s

    async def piece(self) -> bytes:
        try:
            piece = await self._response.piece(self._patience_s)
        except CallFailed as error:
            raise AskingFailed(_failure(error, self._upstream)) from error
        self._patience_s = self._upstream.timeouts.between_bytes_s
        return piece

    async def pour(self, take: Take) -> bool:
        try:
            return await self._response.pour(take, self._upstream.timeouts.between_bytes_s)
        except CallFailed as error:
            raise AskingFailed(_failure(error, self._upstream)) from error

    async def whole(self) -> bytes:
        try:
            return await whole_of(self.piece, MOST_ANSWER_BYTES)
        except TooMuch:
            failure = Failure(FailureKind.UPSTREAM_FAILED, "The provider's answer does not end.")
            raise AskingFailed(failure) from None

    async def close(self) -> None:
        self._response.close()


class HttpAsking:
    """`domain.asking.Asking` over the connections of this process, and with Python objects in it."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def ask(self, upstream: Upstream, path: str, body: bytes, headers: Mapping[str, str]) -> Asked:
        if upstream.entry_point is not None:
            is_embedding = path == EMBEDDING_PROVIDERS[Dialect.OPENAI].path
            return await EntryPointEmbedded.ask(upstream, body) if is_embedding else EntryPointAsked(upstream, body)
        try:
            response = await self._connections.to(upstream).send("POST", path, body=body, headers=headers)
        except _TROUBLE as error:
            raise AskingFailed(_failure(error, upstream)) from error
        if response.status == HTTPStatus.OK:
            return HttpAsked(upstream, response)
        try:
            raise AskingFailed(await _refusal(response, upstream))
        finally:
            response.close()


async def _refusal(response: Response, upstream: Upstream) -> Failure:
    status = response.status
    if HTTPStatus.OK < status < HTTPStatus.BAD_REQUEST:
        message = f"The provider {upstream.name} answered {status}, which is no answer to a call."
        return Failure(FailureKind.UPSTREAM_FAILED, message)
    body = b""
    with suppress(CallFailed):
        while len(body) < MOST_ERROR_BYTES and (piece := await response.piece(upstream.timeouts.between_bytes_s)):
            body += piece
    return read_failure(status, body, response.headers)


def _failure(error: Exception, upstream: Upstream) -> Failure:
    what, _ = failure_of(error, upstream)
    # The address of a provider is for administrators; its name is what clients know.
    words = what.replace(upstream.base_url, "it")
    kind = FailureKind.UPSTREAM_FAILED
    if isinstance(error, AnswerTimedOut):
        kind = FailureKind.TIMED_OUT
    if isinstance(error, BrokeOff):
        kind = FailureKind.CUT_OFF
    return Failure(kind, f"The provider {upstream.name} failed: {words}.")
