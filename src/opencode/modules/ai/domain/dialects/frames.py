"""
Streams cut into their frames: lines (NDJSON), and Server-Sent Events (WHATWG HTML, section 9.2.6).

However the bytes are cut the frames are the same. What is held back is never more than `MOST_FRAME_BYTES`.
"""

from opencode.modules.ai.domain.dialects.decoding import MOST_FRAME_BYTES

_BOM = b"\xef\xbb\xbf"


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
