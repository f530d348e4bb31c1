"""What a terminal has printed: the end of it is kept once for everybody, and each reader is a place on it."""


class Tape:
    """
    The last bytes of a stream. Readers are positions, counted from its beginning, and never queues: one that falls
    behind further than what is kept has lost something, and is told so.
    """

    def __init__(self, keep_bytes: int) -> None:
        self._keep_bytes = keep_bytes
        self._kept = bytearray()
        self.start = 0
        """The position of the oldest byte that is kept."""

    @property
    def end(self) -> int:
        return self.start + len(self._kept)

    def append(self, data: bytes) -> None:
        self._kept += data
        # Cut rarely and much: each cut moves all that stays.
        if len(self._kept) > 2 * self._keep_bytes:
            surplus = len(self._kept) - self._keep_bytes
            del self._kept[:surplus]
            self.start += surplus

    def since(self, position: int) -> bytes | None:
        """What came after `position`; None when some of it is not kept any more."""
        if position < self.start:
            return None
        return bytes(self._kept[position - self.start :])
