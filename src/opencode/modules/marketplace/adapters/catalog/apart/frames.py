"""Messages between two processes of one machine: a head of 13 bytes, then so many more."""

import asyncio
import struct
from collections.abc import Callable
from enum import IntEnum
from typing import cast

_HEAD = struct.Struct("<IQB")
"""How many bytes follow, the number of what is asked or answered, and its kind."""


class Kind(IntEnum):
    """What comes back; what goes there is of the kind of its `Call.number`."""

    ANSWER = 0
    REFUSED = 1
    """A `ValueError`, in words."""
    FAILED = 2
    """Whatever else went wrong, in words; the log has it whole."""
    SAID = 3
    """Answers nothing: an entry of the log."""


class Frames(asyncio.Protocol):
    """
    One end.

    Args:
        hear: is given number, kind and content of each message.
        end: is called once the other end is gone.
    """

    def __init__(self, hear: Callable[[int, int, bytes], None], end: Callable[[], None]) -> None:
        self._hear = hear
        self._end = end
        self._came = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def send(self, number: int, kind: int, content: bytes) -> None:
        """To nobody, once the other end is gone."""
        if self._transport:
            self._transport.write(_HEAD.pack(len(content), number, kind) + content)

    def close(self) -> None:
        """Send what is on its way, then end."""
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's are of no such class

    def data_received(self, data: bytes) -> None:
        came, at = self._came, 0
        came += data
        while len(came) - at >= _HEAD.size:
            length, number, kind = _HEAD.unpack_from(came, at)
            behind = at + _HEAD.size + length
            if len(came) < behind:
                break
            self._hear(number, kind, bytes(memoryview(came)[at + _HEAD.size : behind]))
            at = behind
        del came[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._end()
