"""JavaScript's clients, as they come from its package index: they run in Node, and answer as Python's do here."""

from collections.abc import Sequence
from typing import Any

from tests.clients.piped import PipedClients
from tests.modules.ai.gateway.stock_clients import PNG, Greeting, Heard


class JavaScriptClient:
    """
    One of them, as a `StockClient`.

    Args:
        kind: as in `CLIENTS` of Python's.
        most_retries: of the client itself, where it does that; its own default if not given.
    """

    def __init__(self, node: PipedClients, kind: str, url: str, token: str, most_retries: int | None = None) -> None:
        self._node = node
        self._how: dict[str, Any] = {"how": kind, "url": url, "token": token}
        if most_retries is not None:
            self._how["maxRetries"] = most_retries

    async def ask(self, model: str, tools: Sequence[str] = (), **more: Any) -> Heard:
        return _heard(await self._call("ask", model=model, tools=tools, more=more))

    async def stream(self, model: str, tools: Sequence[str] = (), **more: Any) -> Heard:
        return _heard(await self._call("stream", model=model, tools=tools, more=more))

    async def iterate(self, model: str) -> None:
        """Take a stream piece by piece, without what the client offers to put them together."""
        await self._call("iterate", model=model)

    async def give_back(self, model: str, tools: Sequence[str]) -> str:
        return await self._call("giveBack", model=model, tools=tools)

    async def structured(self, model: str) -> Greeting:
        return Greeting(**await self._call("structured", model=model))

    async def look(self, model: str) -> str:
        return await self._call("look", model=model, picture=PNG)

    async def models(self) -> set[str]:
        return set(await self._call("models"))

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        return await self._call("embed", model=model, texts=texts)

    async def _call(self, what: str, **asked: Any) -> Any:
        return await self._node.call("call", what=what, **self._how, **asked)


def _heard(told: Any) -> Heard:
    calls = tuple((name, arguments) for name, arguments in told["calls"])
    return Heard(told["text"], calls, told["finish"], tuple(told["tokens"]))
