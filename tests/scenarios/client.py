"""A small client of the document protocol that knows which of its edits are safe: `ocp.v1` on pycrdt."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
from pycrdt import Doc, Text
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from opencode.modules.collaboration.domain import codec
from opencode.modules.collaboration.domain.codec import (
    EMPTY_UPDATE,
    MessageType,
    SyncType,
    read_bytes,
    read_string,
    read_var_uint,
)

PATIENCE_S = 30.0


class Desk:
    """What a person does over HTTP with a document server at `port`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S, trust_env=False)

    async def create(self) -> str:
        return (await self._post("/documents"))["document_id"]

    async def seed(self, document_id: str, name: str, content: str) -> None:
        await self._post(f"/documents/{document_id}/seeds", json={"name": name, "content": content})

    async def ticket(self, document_id: str, person: str) -> str:
        headers = {"authorization": f"Bearer {person}"}
        return (await self._post(f"/api/v1/documents/{document_id}/tickets", headers=headers))["ticket"]

    async def texts(self, document_id: str) -> dict[str, str]:
        answer = (await self.http.get(f"/documents/{document_id}/texts")).raise_for_status()
        return {name: state["content"] for name, state in answer.json().items()}

    async def memory(self) -> dict[str, int]:
        return (await self.http.get("/memory")).raise_for_status().json()

    async def set_role(self, document_id: str, person: str, role: str) -> None:
        await self._post(f"/documents/{document_id}/roles", params={"person": person, "role": role})

    async def disconnect(self, document_id: str, reason: str, person: str | None = None) -> None:
        params = {"reason": reason} | ({"person": person} if person else {})
        await self._post(f"/documents/{document_id}/disconnections", params=params)

    async def close(self) -> None:
        await self.http.aclose()

    def url(self, document_id: str, ticket: str = "") -> str:
        query = f"?ticket={ticket}" if ticket else ""
        return f"ws://127.0.0.1:{self.port}/api/v1/documents/{document_id}{query}"

    async def open(self, document_id: str, ticket: str, *subprotocols: str) -> ClientConnection:
        """A bare socket to the document."""
        offered = [Subprotocol(word) for word in subprotocols] or None
        url = self.url(document_id, ticket)
        return await connect(url, subprotocols=offered, compression=None, proxy=None, max_size=None)

    async def _post(self, path: str, **options: Any) -> Any:
        return (await self.http.post(path, **options)).raise_for_status().json()


class Writer:
    """
    A person in one document, with a copy that outlives connections.

    Attributes:
        acknowledged: the updates that the server said are safe, over all connections.
        refused: reasons of refusals.
        news: set by every message that arrives.
    """

    def __init__(self, document_id: str, person: str, news: asyncio.Event | None = None) -> None:
        self.document_id = document_id
        self.person = person
        self.doc: Doc[Any] = Doc()
        self.acknowledged: list[bytes] = []
        self.refused: list[str] = []
        self.generation = ""
        self.close_code: int | None = None
        self.steps_2 = 0
        self.news = news or asyncio.Event()
        self._sent: list[bytes] = []
        self._settled = 0
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._socket is not None

    @property
    def all_safe(self) -> bool:
        """Everything that was sent on this connection is settled, and the first sync is over."""
        return self.steps_2 > 0 and bool(self._sent) and self._settled == len(self._sent)

    def text(self, name: str) -> str:
        return str(self.doc.get(name, type=Text))

    async def connect(self, desk: Desk) -> None:
        ticket = await desk.ticket(self.document_id, self.person)
        self._sent, self._settled, self.steps_2, self.close_code = [], 0, 0, None
        self._socket = await desk.open(self.document_id, ticket, "ocp.v1")
        await self._socket.send(codec.sync_message(SyncType.STEP_1, self.doc.get_state()))
        self._reading = asyncio.create_task(self._read(self._socket))

    async def insert(self, name: str, at: int, content: str) -> None:
        """Type at a place counted in characters; kept for later when there is no connection."""
        text = self.doc.get(name, type=Text)
        at_byte = len(str(text)[:at].encode())
        await self._change(lambda: text.insert(at_byte, content))

    async def delete(self, name: str, at: int, length: int) -> None:
        text = self.doc.get(name, type=Text)
        shown = str(text)
        start = len(shown[:at].encode())
        end = start + len(shown[at : at + length].encode())

        def cut() -> None:
            del text[start:end]

        await self._change(cut)

    async def send_update(self, update: bytes) -> None:
        if self._socket is None:
            return
        self._sent.append(update)
        with suppress(ConnectionClosed):
            await self._socket.send(codec.sync_message(SyncType.UPDATE, update))

    async def until(self, condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        async with asyncio.timeout(patience_s):
            while not condition():
                self.news.clear()
                await self.news.wait()

    async def ended(self) -> None:
        """Wait until the connection is lost."""
        if self._reading:
            async with asyncio.timeout(PATIENCE_S):
                await self._reading

    async def close(self) -> None:
        if self._socket:
            await self._socket.close()
        await self.ended()

    async def _change(self, change: Callable[[], object]) -> None:
        made: list[bytes] = []
        subscription = self.doc.observe(lambda event: made.append(event.update))
        change()
        self.doc.unobserve(subscription)
        for update in made:
            await self.send_update(update)

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for message in socket:
                assert isinstance(message, bytes)
                await self._take(socket, message)
                self.news.set()
        except WebSocketException:
            pass
        finally:
            self.close_code = socket.close_code
            self._socket = None
            self.news.set()

    async def _take(self, socket: ClientConnection, message: bytes) -> None:
        kind = message[0]
        if kind == MessageType.SYNC:
            payload, _ = read_bytes(message, 2)
            if message[1] == SyncType.STEP_1:
                difference = self.doc.get_update(payload)
                self._sent.append(difference)
                await socket.send(codec.sync_message(SyncType.STEP_2, difference))
            else:
                self.steps_2 += message[1] == SyncType.STEP_2
                if payload != EMPTY_UPDATE:
                    self.doc.apply_update(payload)
        elif kind == MessageType.ACKNOWLEDGEMENT:
            settled, _ = read_var_uint(message, 1)
            assert self._settled <= settled <= len(self._sent), "acknowledgements go forward, and not ahead of us"
            self.acknowledged += self._sent[self._settled : settled]
            self._settled = settled
        elif kind == MessageType.REFUSED:
            _, at = read_var_uint(message, 1)
            self.refused.append(read_string(message, at)[0])
        elif kind == MessageType.HELLO:
            generation, _ = read_string(message, 1)
            assert self.generation in {"", generation}, "another history of the document"
            self.generation = generation
