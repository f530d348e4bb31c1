"""Who comes next: one line for each owner, and the turn goes round among the lines."""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class FairLine(Generic[T]):
    """
    Things that wait, each for an owner. Within an owner it is first come, first served; among owners the turn goes
    round, so that whoever brings a hundred things delays another's single one by one place, not by a hundred.
    """

    def __init__(self) -> None:
        # In the order of their turns; an owner is in it while something of theirs waits.
        self._lines: OrderedDict[str, deque[T]] = OrderedDict()
        self._owners: dict[T, str] = {}

    def __len__(self) -> int:
        return len(self._owners)

    def push(self, owner: str, thing: T) -> None:
        """Stand at the end of the owner's line. What waits already keeps its place."""
        if thing not in self._owners:
            self._owners[thing] = owner
            self._lines.setdefault(owner, deque()).append(thing)

    def pop(self) -> tuple[T, str] | None:
        """
        Take whoever's turn it is, with the owner, whose next turn comes after everybody else's. None when nobody
        waits.
        """
        if not self._lines:
            return None
        owner, line = self._lines.popitem(last=False)
        thing = line.popleft()
        if line:
            self._lines[owner] = line
        del self._owners[thing]
        return thing, owner

    def remove(self, thing: T) -> bool:
        """Leave the line. False when it did not wait."""
        owner = self._owners.pop(thing, None)
        if owner is None:
            return False
        self._lines[owner].remove(thing)
        if not self._lines[owner]:
            del self._lines[owner]
        return True

    def ahead(self, thing: T) -> int | None:
        """How many come before it if nobody else arrives; None when it does not wait."""
        owner = self._owners.get(thing)
        if owner is None:
            return None
        place = self._lines[owner].index(thing)
        ahead, earlier = place, True
        for other, line in self._lines.items():
            if other == owner:
                earlier = False
            else:
                # Before its own turn number `place`, each line in front had `place + 1` turns, each behind `place`.
                ahead += min(len(line), place + 1 if earlier else place)
        return ahead
