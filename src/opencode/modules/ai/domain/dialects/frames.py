"""
Streams cut into their frames: lines (NDJSON), and Server-Sent Events (WHATWG HTML, section 9.2.6).

However the bytes are cut the frames are the same. What is held back is never more than `MOST_FRAME_BYTES`; of
`RawEvents` whoever uses them says how much that is.
"""

import re

from opencode.modules.ai.domain.dialects.decoding import MOST_FRAME_BYTES

_BOM = b"\xef\xbb\xbf"
# A CR at the end of what has come may be the first half of a CRLF.
_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n|\Z)){2}")


class FrameTooLongError(Exception):
    """A stream's frame does not end."""


class Lines:
    """The lines of a stream; they end in LF, CRLF or CR."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._held = 0
        self._after_cr = False

    def feed(self, data: bytes) -> list[bytes]:
        """
        The lines that have ended, without their ends.

        Raises:
            FrameTooLongError: a line does not end.
        """
        if self._after_cr and data:
            # The line has ended with the CR; an LF behind it belongs to that end.
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = data.split(b"\n")
        if lines and self._pieces:
            lines[0] = b"".join((*self._pieces, lines[0]))
        if lines:
            self._pieces.clear()
            self._held = 0
        if rest:
            self._pieces.append(rest)
            self._held += len(rest)
        if self._held > MOST_FRAME_BYTES or any(len(line) > MOST_FRAME_BYTES for line in lines):
            raise FrameTooLongError
        return lines

    def count(self, data: bytes) -> int:
        """How many objects of JSON this is, a whole line for each, after what has come so far; 0 if in doubt."""
        if self._pieces or self._after_cr or b"\r" in data or len(data) > MOST_FRAME_BYTES:
            return 0
        count = data.count(b"\n")
        return count if data[:1] == b"{" and data[-1:] == b"\n" and data.count(b"\n{") == count - 1 else 0

    def end(self) -> list[bytes]:
        """The last line, where nothing ended it."""
        rest = b"".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        return [rest] if rest else []


class ServerSentEvents:
    """The data of each event. Its name is left out: each dialect that names events repeats the name in the data."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._data: list[bytes] = []
        self._held = 0
        self._first = True

    def feed(self, data: bytes) -> list[bytes]:
        """
        Raises:
            FrameTooLongError: an event does not end.
        """
        return self._events(self._lines.feed(data))

    def end(self) -> list[bytes]:
        """The last event, where no blank line ended it."""
        return self._events([*self._lines.end(), b""])

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        for line in lines:
            if self._first:
                self._first = False
                line = line.removeprefix(_BOM)
            if not line and self._data:
                events.append(b"\n".join(self._data))
                self._data.clear()
                self._held = 0
            elif line == b"data" or line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
                self._held += len(line)
                if self._held > MOST_FRAME_BYTES:
                    raise FrameTooLongError
        return events


class RawEvents:
    """The bytes of each event with the blank line behind it: joined they are the stream, not a byte changed."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._returns = False

    @property
    def held(self) -> int:
        """How many bytes of an event have come that has not ended."""
        return len(self._held)

    def count(self, data: bytes) -> int:
        """
        How many whole events this is, after what has come so far, if all begin with the same field; 0 if in doubt.
        Providers nearly always send them so.
        """
        if self._held or b"\r" in data or data[-2:] != b"\n\n" or data[-3:-2] == b"\n":
            return 0
        field, count = data[: data.find(b":") + 1], data.count(b"\n\n")
        return count if field.strip() and data.count(b"\n\n" + field) == count - 1 else 0

    def feed(self, data: bytes) -> list[bytes]:
        """The events that have ended."""
        if self.count(data) == 1:
            return [data]
        seen = max(len(self._held) - 3, 0)
        self._held += data
        self._returns = self._returns or b"\r" in data
        return self._cut_anywhere(seen) if self._returns else self._cut_at_newlines(seen)

    def _cut_at_newlines(self, seen: int) -> list[bytes]:
        # Nearly always; many times as quick as the pattern.
        if self._held.find(b"\n\n", seen) < 0:
            return []
        *events, rest = bytes(self._held).split(b"\n\n")
        self._held[:] = rest
        return [event + b"\n\n" for event in events]

    def _cut_anywhere(self, seen: int) -> list[bytes]:
        events: list[bytes] = []
        begin = 0
        for found in _BLANK_LINE.finditer(self._held, seen):
            events.append(bytes(self._held[begin : found.end()]))
            begin = found.end()
        del self._held[:begin]
        return events

    def release(self) -> bytes:
        """What is held of an event that has not ended."""
        rest = bytes(self._held)
        self._held.clear()
        return rest
