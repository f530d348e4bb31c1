"""The values of facets: each has a number, and counts become what people see."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.arrays import Offsets
from opencode.modules.marketplace.domain.catalog import FACET_VALUES, Facets, FacetValue
from opencode.modules.marketplace.domain.contents import Label
from opencode.modules.marketplace.domain.digest import word_of_label
from opencode.modules.marketplace.domain.words import words_of_name


class Labels:
    """All of them. What differs in case only is one label, shown as it was first written."""

    def __init__(self) -> None:
        self._all: list[Label] = []
        self._by_word: dict[str, Label] = {}
        self._by_written: dict[tuple[str, str], Label] = {}
        self._of_facet: dict[str, npt.NDArray[np.int64]] | None = None
        self._by_name: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)

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
        return Facets(**{facet: self._values(facet, counts) for facet in Facets.__slots__})

    def _values(self, facet: str, counts: Offsets) -> tuple[FacetValue, ...]:
        assert self._of_facet is not None
        numbers = self._of_facet.get(facet)
        if numbers is None:
            return ()
        numbers = numbers[numbers < len(counts)]
        numbers = numbers[counts[numbers] > 0]
        best = numbers[np.lexsort((self._by_name[numbers], -counts[numbers]))][:FACET_VALUES]
        return tuple(FacetValue(self._all[number].written, int(counts[number])) for number in best.tolist())

    def _arrange(self) -> None:
        facets: dict[str, list[int]] = {}
        for label in self._all:
            facets.setdefault(label.facet, []).append(label.number)
        self._of_facet = {facet: np.array(numbers, dtype=np.int64) for facet, numbers in facets.items()}
        by_name = [label.number for label in sorted(self._all, key=lambda label: label.written.casefold())]
        self._by_name = np.empty(len(by_name), dtype=np.int64)
        self._by_name[by_name] = np.arange(len(by_name))
