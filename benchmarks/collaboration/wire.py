"""The frames of docs/protocol.md, as far as the load reads and writes them."""

SYNC, AWARENESS, HELLO, ACKNOWLEDGEMENT, REFUSED = 0, 1, 100, 101, 102
STEP_1, STEP_2, UPDATE = 0, 1, 2

STEP_1_OF_NOTHING = bytes((SYNC, STEP_1, 1, 0))  # an empty state vector: "send me all"
STEP_2_OF_NOTHING = bytes((SYNC, STEP_2, 2, 0, 0))  # an empty update: "I have nothing that you lack"


class Reader:
    """Reads lib0's encoding from the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def var_uint(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def skip_id(self) -> None:
        """Step over a client id and a clock."""
        self.var_uint()
        self.var_uint()

    def var_bytes(self) -> bytes:
        length = self.var_uint()
        self._at += length
        if self._at > len(self._data):
            raise ValueError("the frame ends within a length-prefixed part")
        return self._data[self._at - length : self._at]


def var_uint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def update_frame(update: bytes) -> bytes:
    return bytes((SYNC, UPDATE)) + var_uint(len(update)) + update
