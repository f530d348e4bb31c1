"""Models of an Ollama server, fetched and deleted over its own API (its docs/api.md)."""

import json
from collections.abc import AsyncGenerator
from http import HTTPStatus

import aiohttp

from opencode.modules.ai.adapters.failures import failure_of, refusal_of
from opencode.modules.ai.adapters.upstream import Connections, TooMuch
from opencode.modules.ai.domain.registry import Upstream
from opencode.modules.ai.errors import ProviderUnreachable

_FAILURES = (aiohttp.ClientError, TimeoutError, ValueError, OSError, TooMuch)


class OllamaModels:
    """`domain.pulls.Puller`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def pull(self, upstream: Upstream, model: str) -> AsyncGenerator[bytes]:
        body = json.dumps({"model": model, "stream": True}).encode()
        try:
            async with (
                self._connections.to(upstream) as connection,
                connection.send("POST", "/api/pull", body=body) as response,
            ):
                if response.status != HTTPStatus.OK:
                    raise _refused(upstream, response.status)
                async for piece in response.content.iter_any():
                    yield piece
        except _FAILURES as error:
            raise ProviderUnreachable(upstream.name, f"{failure_of(error, upstream)[0]}.") from error

    async def delete(self, upstream: Upstream, model: str) -> None:
        try:
            async with self._connections.to(upstream) as connection:
                status, _ = await connection.json("DELETE", "/api/delete", {"model": model})
        except _FAILURES as error:
            raise ProviderUnreachable(upstream.name, f"{failure_of(error, upstream)[0]}.") from error
        # Gone is gone, whoever deleted it.
        if status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise _refused(upstream, status)


def _refused(upstream: Upstream, status: int) -> ProviderUnreachable:
    reason, _ = refusal_of(status, upstream)
    return ProviderUnreachable(upstream.name, f"{reason or f'{status}: it is asked too often'}.")
