"""A shelf in this process: what was not asked for the longest goes first when there is no room."""

from collections import OrderedDict
from collections.abc import Collection, Iterable

from opencode.infra.cache.base import Kept
from opencode.infra.observability import metrics

DEFAULT_BYTES = 64 * 1024 * 1024
_ENTRY_BYTES = 600
"""What Python needs for an entry beside its letters."""
_LARGEST_SHARE = 8
"""One value takes no more than this part of the shelf."""
_MOST_REMEMBERED = 10_000


class MemoryShelf:
    def __init__(self, most_bytes: int = DEFAULT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._made_of: dict[str, set[str]] = {}
        self._stamp = 0
        # When a surrogate key was dropped last; what was forgotten of that was dropped before `_floor`.
        self._dropped: dict[str, int] = {}
        self._floor = 0

    @property
    def size_bytes(self) -> int:
        return self._bytes

    async def stamp(self) -> int:
        return self._stamp

    async def get(self, key: str) -> Kept | None:
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return kept

    async def put(self, key: str, kept: Kept, *, for_s: float) -> None:
        del for_s  # who reads looks at the clock; what nobody reads goes when there is no room
        outdated = any(self._dropped.get(each, -1) >= kept.stamp for each in kept.surrogate_keys)
        size = _size(key, kept)
        if outdated or kept.stamp < self._floor or size * _LARGEST_SHARE > self._most_bytes:
            return
        self._take_out(key)
        self._kept[key] = kept
        self._bytes += size
        for each in kept.surrogate_keys:
            self._made_of.setdefault(each, set()).add(key)
        while self._bytes > self._most_bytes:
            self._take_out(next(iter(self._kept)))
        metrics.CACHE_BYTES.set(self._bytes)

    async def drop(self, surrogate_keys: Collection[str]) -> None:
        for each in surrogate_keys:
            self._dropped[each] = self._stamp
        self._stamp += 1
        if len(self._dropped) > _MOST_REMEMBERED:
            self._dropped.clear()
            self._floor = self._stamp
        self._take_all_out(key for each in surrogate_keys for key in self._made_of.get(each, ()))

    async def close(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Drop everything, whatever it was made of."""
        self._stamp += 1
        self._floor = self._stamp
        self._dropped.clear()
        self._take_all_out(self._kept)

    def _take_all_out(self, keys: Iterable[str]) -> None:
        for key in list(keys):
            self._take_out(key)
        metrics.CACHE_BYTES.set(self._bytes)

    def _take_out(self, key: str) -> None:
        if (kept := self._kept.pop(key, None)) is None:
            return
        self._bytes -= _size(key, kept)
        for each in kept.surrogate_keys:
            keys = self._made_of[each]
            keys.discard(key)
            if not keys:
                del self._made_of[each]


def _size(key: str, kept: Kept) -> int:
    return len(key) + len(kept.value) + sum(map(len, kept.surrogate_keys)) + _ENTRY_BYTES
