"""
The wire of the y-websocket family and our additions (docs/protocol.md), as functions over bytes.

Numbers are lib0 `varUint`: seven bits a byte, low bits first, the top bit says that more follow; at most 53 bits.
Source of the layout: y-protocols PROTOCOL.md.
"""

from dataclasses import dataclass
from enum import IntEnum


class MessageType(IntEnum):
    SYNC = 0
    AWARENESS = 1
    AUTH = 2
    QUERY_AWARENESS = 3
    HELLO = 100
    ACKNOWLEDGEMENT = 101
    REFUSED = 102
    ACCESS = 103


class SyncType(IntEnum):
    STEP_1 = 0
    STEP_2 = 1
    UPDATE = 2


_SHORT_EDITS = tuple(bytes((MessageType.SYNC, SyncType.UPDATE, size)) for size in range(0x80))
_ACKNOWLEDGEMENT = bytes((MessageType.ACKNOWLEDGEMENT,))

EMPTY_UPDATE = b"\x00\x00"
EMPTY_STATE_VECTOR = b"\x00"

# Every number of one or two bytes, as every acknowledgement has two of them: 0.7 MB, and ready-made.
_SHORT_NUMBERS = (
    *(bytes((number,)) for number in range(0x80)),
    *(bytes((number & 0x7F | 0x80, number >> 7)) for number in range(0x80, 0x4000)),
)
_MAX_VAR_UINT = (1 << 53) - 1
_MAX_VAR_UINT_BYTES = 8


class Malformed(Exception):
    """The bytes are not a message of this protocol; the text says where they stop making sense."""


def write_var_uint(number: int) -> bytes:
    """Encode a number from 0 to 2^53 - 1."""
    if number < 0x4000:
        return _SHORT_NUMBERS[number]
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_var_uint(data: bytes, at: int) -> tuple[int, int]:
    """
    Decode a number. Returns it and the position behind it.

    Raises:
        Malformed: the bytes end too early, or the number has more than 53 bits.
    """
    number = shift = 0
    for position in range(at, min(at + _MAX_VAR_UINT_BYTES, len(data))):
        byte = data[position]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if number > _MAX_VAR_UINT:
                raise Malformed(f"the number at byte {at} has more than 53 bits")
            return number, position + 1
        shift += 7
    raise Malformed(f"the number at byte {at} has no end")


def write_bytes(payload: bytes) -> bytes:
    """A length in bytes, then the bytes."""
    return write_var_uint(len(payload)) + payload


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """
    Raises:
        Malformed: fewer bytes are there than the length says.
    """
    size, start = read_var_uint(data, at)
    end = start + size
    if end > len(data):
        raise Malformed(f"{size} bytes were announced at byte {at}, {len(data) - start} came")
    return data[start:end], end


def write_string(text: str) -> bytes:
    """UTF-8, with its length in bytes, not in characters."""
    return write_bytes(text.encode())


def read_string(data: bytes, at: int) -> tuple[str, int]:
    """
    Raises:
        Malformed: cut short, or not UTF-8.
    """
    raw, end = read_bytes(data, at)
    try:
        return raw.decode(), end
    except UnicodeDecodeError:
        raise Malformed(f"the string at byte {at} is not UTF-8") from None


@dataclass(frozen=True, slots=True)
class SyncMessage:
    """`payload` is a state vector for step 1, an update for step 2 and update."""

    kind: SyncType
    payload: bytes


@dataclass(frozen=True, slots=True)
class AwarenessMessage:
    update: bytes


@dataclass(frozen=True, slots=True)
class QueryAwareness:
    pass


ClientMessage = SyncMessage | AwarenessMessage | QueryAwareness


def parse(message: bytes) -> ClientMessage:
    """
    Read one message of a client, all of it.

    Raises:
        Malformed: unknown type, cut short, or with bytes left over.
    """
    kind, at = read_var_uint(message, 0)
    if kind == MessageType.SYNC:
        sync, at = read_var_uint(message, at)
        if sync > SyncType.UPDATE:
            raise Malformed(f"{sync} is no kind of sync message")
        payload, end = read_bytes(message, at)
        parsed: ClientMessage = SyncMessage(SyncType(sync), payload)
    elif kind == MessageType.AWARENESS:
        update, end = read_bytes(message, at)
        parsed = AwarenessMessage(update)
    elif kind == MessageType.QUERY_AWARENESS:
        parsed, end = QueryAwareness(), at
    else:
        raise Malformed(f"{kind} is no kind of message that a client may send")
    if end != len(message):
        raise Malformed(f"{len(message) - end} bytes are left over")
    return parsed


def parse_short_update(message: bytes) -> bytes | None:
    """
    The update of a message that holds a live edit of fewer than 128 bytes, which nearly all messages are; None for
    every other message. It says the same as `parse`, several times faster.
    """
    size = len(message) - 3
    if 0 < size < 0x80 and message[:3] == _SHORT_EDITS[size] and message[3] < 0x80:
        return message[3:]
    return None


def sync_message(kind: SyncType, payload: bytes) -> bytes:
    return bytes((MessageType.SYNC, kind)) + write_bytes(payload)


def awareness_message(update: bytes) -> bytes:
    return bytes((MessageType.AWARENESS,)) + write_bytes(update)


def hello(generation: str, role: str, sequence: int) -> bytes:
    return bytes((MessageType.HELLO,)) + write_string(generation) + write_string(role) + write_var_uint(sequence)


def acknowledgement(settled: int, sequence: int) -> bytes:
    return _ACKNOWLEDGEMENT + write_var_uint(settled) + write_var_uint(sequence)


def refused(ordinal: int, reason: str, sentence: str) -> bytes:
    return bytes((MessageType.REFUSED,)) + write_var_uint(ordinal) + write_string(reason) + write_string(sentence)


def access(role: str) -> bytes:
    return bytes((MessageType.ACCESS,)) + write_string(role)
