"""The values of facets: each has a number, and counts become what people see."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.digest import Label
from opencode.modules.marketplace.adapters.catalog.segment import Offsets
from opencode.modules.marketplace.domain.catalog import FACET_VALUES, Facets, FacetValue
from opencode.modules.marketplace.domain.words import fold


@dataclass(slots=True)
class Labels:
    _numbers: dict[Label, int] = field(default_factory=dict[Label, int])
    _written: list[Label] = field(default_factory=list[Label])
    _of_facet: dict[str, npt.NDArray[np.int64]] | None = None
    _by_name: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self._written)

    def number(self, label: Label) -> int:
        """What differs in case only is one label, shown as it was first written."""
        facet, value = label
        key = (facet, fold(value))
        number = self._numbers.setdefault(key, len(self._written))
        if number == len(self._written):
            self._written.append(label)
            self._of_facet = None
        return number

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
        return tuple(FacetValue(self._written[number][1], int(counts[number])) for number in best.tolist())

    def _arrange(self) -> None:
        facets: dict[str, list[int]] = {}
        for number, (facet, _) in enumerate(self._written):
            facets.setdefault(facet, []).append(number)
        self._of_facet = {facet: np.array(numbers, dtype=np.int64) for facet, numbers in facets.items()}
        by_name = sorted(range(len(self._written)), key=lambda number: self._written[number][1].casefold())
        self._by_name = np.empty(len(by_name), dtype=np.int64)
        self._by_name[by_name] = np.arange(len(by_name))
