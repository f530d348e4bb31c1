"""What frequent words weigh in each project of a large segment, as far as somebody has asked lately."""

from collections.abc import Callable

from opencode.modules.marketplace.adapters.catalog.arrays import Impacts
from opencode.modules.marketplace.adapters.catalog.recent import Recent

_MOST_BYTES = 24 * 1024 * 1024


class FrequentWords:
    """A byte for each project and word; half of all searches have a word among few dozen of them."""

    def __init__(self) -> None:
        self._known = Recent[tuple[int, int], Impacts](_MOST_BYTES)

    def impacts(self, first: int, behind: int, make: Callable[[], Impacts]) -> Impacts:
        """
        Args:
            first, behind: the numbers of words: from the first up to the second.
            make: puts them together, by place.
        """
        key = (first, behind)
        if (known := self._known.get(key)) is not None:
            return known
        made = make()
        return self._known.keep(key, made, made.nbytes)
