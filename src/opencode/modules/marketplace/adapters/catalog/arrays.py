"""The kinds of arrays that the index is made of."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", np.uint32, np.int64)

Places = npt.NDArray[np.uint32]
"""Projects of a segment, counted from its first."""
Mask = npt.NDArray[np.bool_]
"""For each project of a segment whether it is meant."""
Impacts = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]
Offsets = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

NO_PLACES: Places = np.zeros(0, dtype=np.uint32)
NO_SCORES: Scores = np.zeros(0, dtype=np.float32)


def are_among(some: npt.NDArray[Number], others: npt.NDArray[Number]) -> Mask:
    """Which of some are among others, which are ascending: `numpy.isin` would sort both."""
    if not len(others):
        return np.zeros(len(some), dtype=np.bool_)
    return others.take(np.searchsorted(others, some), mode="clip") == some
