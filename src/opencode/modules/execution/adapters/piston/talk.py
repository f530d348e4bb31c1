"""A run on another server that is spoken to while it runs."""

import asyncio
import codecs
from collections.abc import Collection
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from opencode.contracts.execution import RunRefused, RunRequest, Terminal
from opencode.modules.execution.adapters.piston.asking import EOF, RESIZE

_PIECE_BYTES = 64 * 1024


class Talk:
    """
    What is said to a run. Words of before its run stage wait for it, since stock Piston drops them.

    Args:
        extensions: what the server understands beyond Piston.
    """

    def __init__(self, request: RunRequest, extensions: Collection[str], server: str) -> None:
        self._extensions = extensions
        self._server = server
        self._has_terminal = request.terminal is not None
        self._early = bytearray(request.stdin)
        self._ends = not request.live
        self._socket: ClientConnection | None = None
        self._is_running = False
        # A character may be split over two pieces that are typed, and messages are text.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._typing = asyncio.Lock()
        self._beginning: asyncio.Task[None] | None = None
        if self._ends:
            self._require(EOF, "does not know the end of input")

    def begin(self, socket: ClientConnection) -> None:
        """The program runs now, and may be typed to. What was said before is typed beside all else."""
        self._socket = socket
        self._is_running = True
        self._beginning = asyncio.create_task(self._begin())

    async def over(self) -> None:
        """Nobody listens any more."""
        self._ends, self._socket = True, None
        if self._beginning:
            self._beginning.cancel()
            await asyncio.gather(self._beginning, return_exceptions=True)

    async def _begin(self) -> None:
        async with self._typing:
            await self._type(bytes(self._early))
            if self._ends:
                await self._end()

    async def write(self, data: bytes) -> bool:
        if self._ends:
            return False
        if not self._is_running:
            self._early += data
            return True
        async with self._typing:
            return await self._type(data)

    async def end_input(self) -> bool:
        if self._ends:
            return False
        self._require(EOF, "does not know the end of input")
        self._ends = not (self._is_running and self._has_terminal)  # a terminal takes more after Ctrl-D
        if not self._is_running:
            return True
        async with self._typing:
            return await self._end()

    async def signal(self, name: str) -> bool:
        return await self._say({"type": "signal", "signal": name})

    async def resize(self, terminal: Terminal) -> bool:
        if not self._has_terminal or not self._is_running or RESIZE not in self._extensions:
            return False
        return await self._say({"type": "resize", "columns": terminal.columns, "rows": terminal.rows})

    async def _type(self, data: bytes) -> bool:
        said = True
        for start in range(0, len(data), _PIECE_BYTES):
            text = self._decoder.decode(data[start : start + _PIECE_BYTES])
            said = not text or await self._say({"type": "data", "stream": "stdin", "data": text})
        return said

    async def _end(self) -> bool:
        if rest := self._decoder.decode(b"", final=True):
            await self._say({"type": "data", "stream": "stdin", "data": rest})
        return await self._say({"type": "eof"})

    async def _say(self, message: dict[str, Any]) -> bool:
        """Waits while the other side takes no more. False when it is gone."""
        if self._socket is None:
            return False
        try:
            await self._socket.send(msgspec.json.encode(message).decode())
        except ConnectionClosed:
            return False
        return True

    def _require(self, extension: str, otherwise: str) -> None:
        if extension not in self._extensions:
            raise RunRefused(f"{self._server} {otherwise}.", action="Let the program end by what it reads.")
