"""The frames that nearly all traffic consists of (RFC 6455 §5.2); everything else is left to the library."""

from websockets.speedups import apply_mask

_BINARY_FINAL = 0x82
_TEXT_FINAL = 0x81
_MASKED = 0x80
_SHORT = 125  # payloads up to here carry their length in the second byte
_HEADER_BYTES = 6  # two bytes and the mask

PING = b"\x89\x00"

_SHORT_HEADS = tuple(bytes((_BINARY_FINAL, size)) for size in range(_SHORT + 1))


def binary_frame(payload: bytes) -> bytes:
    """A whole binary message from the server: unmasked, in one frame."""
    size = len(payload)
    if size <= _SHORT:
        return _SHORT_HEADS[size] + payload
    if size < 1 << 16:
        return b"\x82\x7e" + size.to_bytes(2, "big") + payload
    return b"\x82\x7f" + size.to_bytes(8, "big") + payload


def text_frame(payload: bytes) -> bytes:
    """A whole text message from the server. `payload` is UTF-8 (RFC 6455 §5.6)."""
    return bytes((_TEXT_FINAL,)) + binary_frame(payload)[1:]


def is_text(frame: bytes) -> bool:
    """Did `text_frame` make this, rather than `binary_frame`?"""
    return frame[0] == _TEXT_FINAL


def payload_of(frame: bytes) -> bytes:
    """The payload of what `binary_frame` or `text_frame` made, for transports that frame by themselves."""
    size = frame[1]
    return frame[2 if size <= _SHORT else 4 if size == _SHORT + 1 else 10 :]


def read_keystroke(data: bytes) -> bytes | None:
    """
    The payload, when `data` is exactly one short, whole, masked, binary message, which nearly every read is; None for
    everything else. It says the same as `read_short_messages`, in a third of the time.
    """
    size = len(data) - _HEADER_BYTES
    if 0 < size <= _SHORT and data[1] == size + _MASKED and data[0] == _BINARY_FINAL:
        return apply_mask(data[_HEADER_BYTES:], data[2:_HEADER_BYTES])
    return None


def read_short_messages(data: bytes, at_most: int) -> tuple[list[bytes], int]:
    """
    The payloads of the short, whole, masked, binary messages that `data` begins with, as keystrokes are.

    Args:
        data: what one read of the socket gave, starting at the border of a frame.
        at_most: so many messages are read.

    Returns:
        The payloads, and how many bytes they took; what follows is more of them, or for the library.
    """
    messages: list[bytes] = []
    at, end = 0, len(data)
    while len(messages) < at_most and end - at >= _HEADER_BYTES and data[at] == _BINARY_FINAL:
        size = data[at + 1] - _MASKED
        body = at + _HEADER_BYTES
        if not 0 < size <= _SHORT or body + size > end:
            break
        messages.append(apply_mask(data[body : body + size], data[at + 2 : body]))
        at = body + size
    return messages, at


def client_frame_bytes(payload_bytes: int) -> int:
    """How long a client's frame is on the wire, when its length is written in the shortest form."""
    extra = 0 if payload_bytes <= _SHORT else 2 if payload_bytes < 1 << 16 else 8
    return _HEADER_BYTES + extra + payload_bytes
