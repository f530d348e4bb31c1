"""Models of an Ollama server, fetched and deleted over its own API (its docs/api.md)."""

import json
from collections.abc import AsyncGenerator
from http import HTTPStatus

from opencode.modules.ai.adapters.failures import failure_of, refusal_of
from opencode.modules.ai.adapters.http_client import CallFailed, TooMuch
from opencode.modules.ai.adapters.upstream import Connections
from opencode.modules.ai.domain.registry import Upstream
from opencode.modules.ai.errors import ProviderUnreachable

_FAILURES = (CallFailed, ValueError, TooMuch)


class OllamaModels:
    """`domain.pulls.Puller`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def pull(self, upstream: Upstream, model: str) -> AsyncGenerator[bytes]:
        body = json.dumps({"model": model, "stream": True}).encode()
        try:
            response = await self._connections.to(upstream).send("POST", "/api/pull", body=body)
            try:
                if response.status != HTTPStatus.OK:
                    raise _refused(upstream, response.status)
                while piece := await response.piece(upstream.timeouts.between_bytes_s):
                    yield piece
            finally:
                response.close()
        except _FAILURES as error:
            raise ProviderUnreachable(upstream.name, f"{failure_of(error, upstream)[0]}.") from error

    async def delete(self, upstream: Upstream, model: str) -> None:
        try:
            status, _ = await self._connections.to(upstream).json("DELETE", "/api/delete", {"model": model})
        except _FAILURES as error:
            raise ProviderUnreachable(upstream.name, f"{failure_of(error, upstream)[0]}.") from error
        # Gone is gone, whoever deleted it.
        if status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise _refused(upstream, status)


def _refused(upstream: Upstream, status: int) -> ProviderUnreachable:
    reason, _ = refusal_of(status, upstream)
    return ProviderUnreachable(upstream.name, f"{reason or f'{status}: it is asked too often'}.")
