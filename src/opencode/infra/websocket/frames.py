"""The frames that nearly all traffic consists of (RFC 6455 §5.2); everything else is left to the library."""

from websockets.speedups import apply_mask

_BINARY_FINAL = 0x82
_MASKED = 0x80
_SHORT = 125  # payloads up to here carry their length in the second byte
_HEADER_BYTES = 6  # two bytes and the mask

PING = b"\x89\x00"


def binary_frame(payload: bytes) -> bytes:
    """A whole binary message from the server: unmasked, in one frame."""
    size = len(payload)
    if size <= _SHORT:
        return bytes((_BINARY_FINAL, size)) + payload
    if size < 1 << 16:
        return b"\x82\x7e" + size.to_bytes(2, "big") + payload
    return b"\x82\x7f" + size.to_bytes(8, "big") + payload


def read_short_message(data: bytes) -> bytes | None:
    """
    The payload, if `data` is exactly one short, whole, masked, binary message, as a keystroke is; else None.

    Args:
        data: what one read of the socket gave, starting at the border of a frame.
    """
    size = len(data) - _HEADER_BYTES
    if 0 <= size <= _SHORT and data[0] == _BINARY_FINAL and data[1] == _MASKED | size:
        return apply_mask(data[_HEADER_BYTES:], data[2:_HEADER_BYTES])
    return None


def client_frame_bytes(payload_bytes: int) -> int:
    """How long a client's frame is on the wire, when its length is written in the shortest form."""
    extra = 0 if payload_bytes <= _SHORT else 2 if payload_bytes < 1 << 16 else 8
    return _HEADER_BYTES + extra + payload_bytes
