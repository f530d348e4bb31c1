"""Calls to providers: each piece of an answer in its time, and every way to fail as one exception."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, suppress
from http import HTTPStatus
from typing import Any

import aiohttp

from opencode.modules.ai.adapters.entry_points import EntryPointAsked
from opencode.modules.ai.adapters.failures import failure_of
from opencode.modules.ai.adapters.upstream import Connection, Connections
from opencode.modules.ai.domain.asking import Asked, AskingFailed
from opencode.modules.ai.domain.dialects.canonical import Failure, FailureKind
from opencode.modules.ai.domain.dialects.failures import read_failure
from opencode.modules.ai.domain.registry import Upstream

MOST_ANSWER_BYTES = 64 * 1024 * 1024
"""Of an answer that comes whole. A picture, or some thousand vectors, fit."""
MOST_ERROR_BYTES = 64 * 1024
_TROUBLE = (aiohttp.ClientError, TimeoutError, ValueError, OSError)
_TIMED_OUT = (aiohttp.ServerTimeoutError, TimeoutError)


class HttpAsked:
    """`domain.asking.Asked` of a server."""

    def __init__(
        self, upstream: Upstream, way: AbstractAsyncContextManager[Connection], response: Any, started: float
    ) -> None:
        self._upstream = upstream
        self._way = way
        self._response = response
        self._content: aiohttp.StreamReader = response.content
        self._started = started
        self._patience_s = upstream.timeouts.first_byte_s
        self.media_type = str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
        self.first_byte_s = 0.0

    async def piece(self) -> bytes:
        try:
            async with asyncio.timeout(self._patience_s):
                piece = await self._content.readany()
        except _TROUBLE as error:
            raise AskingFailed(_failure(error, self._upstream)) from error
        if not self.first_byte_s:
            self.first_byte_s = time.perf_counter() - self._started
            self._patience_s = self._upstream.timeouts.between_bytes_s
        return piece

    async def whole(self) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := await self.piece():
            size += len(piece)
            if size > MOST_ANSWER_BYTES:
                raise AskingFailed(Failure(FailureKind.UPSTREAM_FAILED, "The provider's answer does not end."))
            pieces.append(piece)
        return b"".join(pieces)

    async def close(self) -> None:
        if self._content.at_eof():
            self._response.release()
        else:
            self._response.close()
        await self._way.__aexit__(None, None, None)


class HttpAsking:
    """`domain.asking.Asking` over the connections of this process, and with Python objects in it."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def ask(self, upstream: Upstream, path: str, body: bytes, headers: Mapping[str, str]) -> Asked:
        if upstream.entry_point is not None:
            return EntryPointAsked(upstream, body)
        started = time.perf_counter()
        way = self._connections.to(upstream)
        connection = await way.__aenter__()
        try:
            async with asyncio.timeout(upstream.timeouts.connect_s + upstream.timeouts.first_byte_s):
                response = await connection.send("POST", path, body=body, headers=headers)
            if response.status == HTTPStatus.OK:
                return HttpAsked(upstream, way, response, started)
            raise AskingFailed(await _refusal(response, upstream))
        except BaseException as error:
            await way.__aexit__(None, None, None)
            if isinstance(error, _TROUBLE):
                raise AskingFailed(_failure(error, upstream)) from error
            raise


async def _refusal(response: Any, upstream: Upstream) -> Failure:
    status = int(response.status)
    if HTTPStatus.OK < status < HTTPStatus.BAD_REQUEST:
        response.close()
        message = f"The provider {upstream.name} answered {status}, which is no answer to a call."
        return Failure(FailureKind.UPSTREAM_FAILED, message)
    body = bytearray()
    with suppress(*_TROUBLE):
        async with asyncio.timeout(upstream.timeouts.between_bytes_s):
            while len(body) < MOST_ERROR_BYTES and (piece := await response.content.readany()):
                body += piece
    # What is left of a long page is not worth the wait.
    response.close() if not response.content.at_eof() else response.release()
    return read_failure(status, bytes(body), response.headers)


def _failure(error: Exception, upstream: Upstream) -> Failure:
    what, _ = failure_of(error, upstream)
    # The address of a provider is for administrators; its name is what clients know.
    words = what.replace(upstream.base_url, "it")
    kind = FailureKind.UPSTREAM_FAILED
    if isinstance(error, _TIMED_OUT) and not isinstance(error, aiohttp.ConnectionTimeoutError):
        kind = FailureKind.TIMED_OUT
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError):
        kind = FailureKind.CUT_OFF
    return Failure(kind, f"The provider {upstream.name} failed: {words}.")
