"""What is known of each project beside its words: flat columns by its number. A changed project gets a new number."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from opencode.kernel.ids import ProjectId, id_of, number_of
from opencode.modules.marketplace.domain.catalog import Listing, Standing
from opencode.modules.marketplace.domain.digest import digest_of
from opencode.modules.marketplace.domain.ranking import boost
from opencode.modules.marketplace.domain.words import fold, joined

NAME_BYTES = 32
"""The order by name compares that many bytes."""
_PREFIX = "prj"
_SOME = 1024


class Key(NamedTuple):
    """The 128 bits of an id, so that they compare as ids do."""

    high: int
    low: int

    @classmethod
    def of(cls, project_id: str) -> "Key":
        return cls(*divmod(number_of(project_id), 1 << 64))

    @property
    def id(self) -> ProjectId:
        return ProjectId(id_of(_PREFIX, self.high << 64 | self.low))


class Columns:
    """
    Attributes:
        count: how many numbers are taken, those of projects that are gone included.
        high, low: the `Key` of the project's id.
        alive: whether this is what is known of the project now.
        name_hash: of the name as one word, to find exact names by.
        digest: of what was put, to be compared with the store.
        boost: what the score of the text is multiplied by, trust included.
    """

    def __init__(self) -> None:
        self.count = 0
        self.high: npt.NDArray[np.uint64] = np.zeros(_SOME, dtype=np.uint64)
        self.low: npt.NDArray[np.uint64] = np.zeros(_SOME, dtype=np.uint64)
        self.names: npt.NDArray[np.bytes_] = np.zeros(_SOME, dtype=f"S{NAME_BYTES}")
        self.alive: npt.NDArray[np.bool_] = np.zeros(_SOME, dtype=np.bool_)
        self.name_hash: npt.NDArray[np.int64] = np.zeros(_SOME, dtype=np.int64)
        self.digest: npt.NDArray[np.uint64] = np.zeros(_SOME, dtype=np.uint64)
        self.popularity: npt.NDArray[np.float64] = np.zeros(_SOME, dtype=np.float64)
        self.trending: npt.NDArray[np.float64] = np.zeros(_SOME, dtype=np.float64)
        self.updated: npt.NDArray[np.int64] = np.zeros(_SOME, dtype=np.int64)
        self.boost: npt.NDArray[np.float32] = np.zeros(_SOME, dtype=np.float32)
        self.trust: npt.NDArray[np.float32] = np.zeros(_SOME, dtype=np.float32)

    def add(self, key: Key, listing: Listing, standing: Standing) -> int:
        """The number that the project gets."""
        number = self.count
        if number == len(self.alive):
            self._grow()
        self.count += 1
        self.high[number], self.low[number] = key
        self.names[number] = name_key(listing.name)
        self.name_hash[number] = hash(joined(listing.name))
        self.digest[number] = digest_of(listing)
        self.updated[number] = listing.updated_at
        self.alive[number] = True
        self.stand(number, standing)
        return number

    def stand(self, number: int, standing: Standing) -> None:
        self.popularity[number] = standing.popularity
        self.trending[number] = standing.trending
        self.trust[number] = standing.trust
        self.boost[number] = boost(standing.popularity) * standing.trust

    def standing(self, number: int) -> Standing:
        return Standing(float(self.popularity[number]), float(self.trending[number]), float(self.trust[number]))

    def key(self, number: int) -> Key:
        return Key(int(self.high[number]), int(self.low[number]))

    def _grow(self) -> None:
        for name, column in list(vars(self).items()):
            if isinstance(column, np.ndarray):
                setattr(self, name, np.concatenate([column, np.zeros_like(column)]))


def name_key(name: str) -> bytes:
    """What the order by name compares."""
    return fold(name).encode()[:NAME_BYTES].rstrip(b"\0")
