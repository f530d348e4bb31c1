"""The chunk with the usage, taken out for a client that did not ask for it."""

from typing import Any

import msgspec

from opencode.modules.ai.domain.dialects.decoding import NotJsonError, decoded
from opencode.modules.ai.domain.dialects.frames import RawEvents, ServerSentEvents

_MOST_HELD_BYTES = 64 * 1024
"""A chunk with usage has some hundred bytes: what is longer is none, and need not wait for its end."""


class _Chunk(msgspec.Struct):
    choices: list[Any]
    usage: dict[str, Any]


class UsageChunkRemover:
    """
    Takes the chunk that has usage and no choices out of a stream; all else stays byte for byte as it is.

    Events go out when they are whole.
    """

    def __init__(self) -> None:
        self._events = RawEvents()

    def feed(self, data: bytes) -> bytes:
        """What to send now; it may be nothing."""
        kept = [event for event in self._events.feed(data) if not _is_usage(event)]
        if self._events.held > _MOST_HELD_BYTES:
            kept.append(self._events.release())
        return b"".join(kept)

    def end(self) -> bytes:
        """What to send at the end of the stream."""
        rest = self._events.release()
        return b"" if _is_usage(rest) else rest


def _is_usage(event: bytes) -> bool:
    # Words of the answer never look so: quotation marks inside of JSON's strings have a backslash before them.
    if b'"usage"' not in event or b'"choices"' not in event or b"[]" not in event.replace(b" ", b""):
        return False
    reader = ServerSentEvents()
    try:
        chunks = [decoded(data, _Chunk) for data in (*reader.feed(event), *reader.end())]
    except NotJsonError:
        return False
    return bool(chunks) and not any(chunk.choices for chunk in chunks)
