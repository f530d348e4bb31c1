"""Which projects of an index are not as the store has them, by versions: a million in a second."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.adapters.catalog.columns import Columns, keys_of
from opencode.modules.marketplace.adapters.catalog.numbering import Numbering


class Look:
    """One look through all projects. The index may change meanwhile: what has changed is none that differs."""

    def __init__(self, columns: Columns, numbering: Numbering) -> None:
        self._columns = columns
        self._numbering = numbering
        self._seen: npt.NDArray[np.bool_] = np.zeros(columns.count, dtype=np.bool_)

    def outdated(self, ids: Sequence[ProjectId], versions: Sequence[int]) -> list[ProjectId]:
        """Those of these published projects that the index has not, or in another version."""
        numbers = self._numbers(ids)
        known = numbers >= 0
        self._seen[numbers[known & (numbers < len(self._seen))]] = True
        same = known & (self._columns.version[numbers] == np.array(versions, dtype=np.int64))
        return [ids[at] for at in np.flatnonzero(~same).tolist()]

    def unpublished(self) -> list[ProjectId]:
        """What is in the index, and was not among those that `outdated` was asked of."""
        alive = self._columns.alive[: len(self._seen)]
        return [self._columns.key(number).id for number in np.flatnonzero(alive & ~self._seen).tolist()]

    def standing_otherwise(
        self, ids: Sequence[ProjectId], popularity: Sequence[float], trending: Sequence[float]
    ) -> list[ProjectId]:
        """Those of these projects that the index has with other numbers; those that it has not are none."""
        columns, numbers = self._columns, self._numbers(ids)
        same = columns.popularity[numbers] == np.array(popularity)
        same &= columns.trending[numbers] == np.array(trending)
        same &= columns.trust[numbers] == 1
        return [ids[at] for at in np.flatnonzero((numbers >= 0) & ~same).tolist()]

    def _numbers(self, ids: Sequence[ProjectId]) -> npt.NDArray[np.int64]:
        return self._numbering.find_all(*keys_of(ids))
