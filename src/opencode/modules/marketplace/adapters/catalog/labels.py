"""The values of facets: each has a number, and counts become what people see."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.arrays import Offsets
from opencode.modules.marketplace.domain.catalog import FACET_VALUES, Facets, FacetValue
from opencode.modules.marketplace.domain.contents import Label
from opencode.modules.marketplace.domain.digest import word_of_label
from opencode.modules.marketplace.domain.words import words_of_name

_NAME_BITS = 32
_LAST_NAME = (1 << _NAME_BITS) - 1
_SORTED_WHOLE = 4  # times what is shown: so many values are rather sorted than divided


class Labels:
    """All of them. What differs in case only is one label, shown as it was first written."""

    def __init__(self) -> None:
        self._all: list[Label] = []
        self._by_word: dict[str, Label] = {}
        self._by_written: dict[tuple[str, str], Label] = {}
        self._of_facet: dict[str, npt.NDArray[np.int64]] | None = None
        self._rank: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)  # of each label, the later the earlier by name
        self._ranked: list[Label] = []

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Label]:
        return iter(self._all)

    def label(self, facet: str, value: str) -> Label:
        """The label of a value; a new one for a new value."""
        if found := self._by_written.get((facet, value)):
            return found
        word = word_of_label(facet, value)
        found = self._by_word.get(word)
        if found is None:
            found = Label(len(self._all), facet, value, word, tuple(words_of_name(value)))
            self._all.append(found)
            self._by_word[word] = found
            self._of_facet = None
        self._by_written[facet, value] = found
        return found

    def facets(self, counts: Offsets) -> Facets:
        """
        Args:
            counts: by number of label; labels that came later have none.
        """
        if self._of_facet is None:
            self._arrange()
        return Facets(**{facet: self._values(facet, counts) for facet in Facets.__struct_fields__})

    def _values(self, facet: str, counts: Offsets) -> tuple[FacetValue, ...]:
        assert self._of_facet is not None
        numbers = self._of_facet.get(facet)
        if numbers is None:
            return ()
        if len(counts) < len(self._all):
            numbers = numbers[numbers < len(counts)]
        numbers = numbers[counts[numbers] > 0]
        # Count and name in one number, as one sort takes less than two.
        keys = counts[numbers] << _NAME_BITS | self._rank[numbers]
        if len(keys) > FACET_VALUES * _SORTED_WHOLE:
            keys = np.partition(keys, -FACET_VALUES)[-FACET_VALUES:]
        keys.sort()
        shown = keys[::-1][:FACET_VALUES].tolist()
        return tuple(FacetValue(self._ranked[key & _LAST_NAME].written, key >> _NAME_BITS) for key in shown)

    def _arrange(self) -> None:
        facets: dict[str, list[int]] = {}
        for label in self._all:
            facets.setdefault(label.facet, []).append(label.number)
        self._ranked = sorted(self._all, key=lambda label: label.written.casefold())[::-1]
        self._rank = np.empty(len(self._all), dtype=np.int64)
        self._rank[[label.number for label in self._ranked]] = np.arange(len(self._all))
        # Last: it tells that all of it is there.
        self._of_facet = {facet: np.array(numbers, dtype=np.int64) for facet, numbers in facets.items()}
