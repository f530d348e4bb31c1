"""What is kept, and the port of where it is kept."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import msgspec

MOST_KEPT_S = 86_400
"""Nothing is kept for longer, whatever is asked."""


@dataclass(frozen=True, slots=True)
class Made:
    """
    Something that was made to be kept.

    Attributes:
        surrogate_keys: what it was made of; it is outdated when one of these is dropped.
        fresh_s: for how long it is given away as it is; 0 is not to be kept at all.
        stale_s: for how long after that it is still given away, while another one is being made.
        is_local: made of what this process alone knows, so no other one gets it.
    """

    value: bytes
    surrogate_keys: tuple[str, ...] = ()
    fresh_s: float = 60
    stale_s: float = 0
    is_local: bool = False


class Kept(msgspec.Struct, frozen=True):
    """
    Something that is kept.

    Attributes:
        stamp: the shelf's own, from before it was made.
        fresh_until, stale_until: seconds since 1970.
    """

    value: bytes
    surrogate_keys: tuple[str, ...]
    stamp: int
    fresh_until: float
    stale_until: float


class Shelf(Protocol):
    """
    Holds values by key. It may lose any of them at any time, and never gives one back that was made from what was
    dropped since: whoever makes something takes a stamp first, so what was read before a change and arrives after it
    is refused.
    """

    async def stamp(self) -> int | None:
        """To be taken before something is made. None: nothing can be kept now."""
        ...

    async def get(self, key: str) -> Kept | None: ...

    async def put(self, key: str, kept: Kept, *, for_s: float) -> None:
        """Keep something, for so many seconds at the most."""
        ...

    async def drop(self, surrogate_keys: Collection[str]) -> None:
        """Whatever was made from these is never given back again."""
        ...

    async def close(self) -> None: ...
