"""What was made last, as much as fits, for whoever wants it again."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """
    Args:
        most_bytes: of all that is kept, as whoever keeps it tells; what was used longest ago goes first.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Key, tuple[Value, int]] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        if (known := self._kept.get(key)) is None:
            return None
        self._kept.move_to_end(key)
        return known[0]

    def keep(self, key: Key, value: Value, size_bytes: int) -> Value:
        """What was not kept until now; gives it back."""
        self._kept[key] = (value, size_bytes)
        self._bytes += size_bytes
        while self._bytes > self._most_bytes:
            self._bytes -= self._kept.popitem(last=False)[1][1]
        return value
