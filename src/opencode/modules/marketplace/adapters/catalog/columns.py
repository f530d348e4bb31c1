"""What is known of each project beside its words: flat columns by its number. A changed project gets a new number."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from opencode.kernel.ids import ALPHABET, ProjectId, id_of, number_of
from opencode.modules.marketplace.domain.catalog import Listing, Standing
from opencode.modules.marketplace.domain.digest import digest_of
from opencode.modules.marketplace.domain.ranking import boost
from opencode.modules.marketplace.domain.words import fold, joined

NAME_BYTES = 32
"""The order by name compares that many bytes."""
_PREFIX = "prj"
_SOME = 1024
_HASH_BYTES = 8


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
        version: of the store's row that this was read from.
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
        self.version: npt.NDArray[np.int64] = np.zeros(_SOME, dtype=np.int64)
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
        self.name_hash[number] = hash_of_name(joined(listing.name))
        self.digest[number] = digest_of(listing)
        self.version[number] = listing.version
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

    def kept(self, count: int) -> dict[str, npt.NDArray[Any]]:
        """The first so many of each column, by name: the columns themselves, which go on changing. All but `boost`."""
        return {name: column[:count] for name, column in self._all() if name != "boost"}

    @classmethod
    def of(cls, kept: Mapping[str, npt.NDArray[Any]], count: int) -> Self:
        """
        Columns as they were. `boost` follows from the others, each of which may have been read at another moment.

        Args:
            kept: as `kept` gave them.

        Raises:
            ValueError: they are not all there, or not of this length and kind.
        """
        columns = cls()
        while len(columns.alive) < count:
            columns._grow()
        for name, column in columns._all():
            if name != "boost":
                if kept[name].shape != (count,) or kept[name].dtype != column.dtype:
                    raise ValueError(f"column {name} does not fit")
                column[:count] = kept[name]
        popularities, which = np.unique(columns.popularity[:count], return_inverse=True)
        boosts = np.array([boost(value) for value in popularities.tolist()], dtype=np.float64)
        columns.boost[:count] = boosts[which] * columns.trust[:count]
        columns.count = count
        return columns

    def _all(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        return ((name, column) for name, column in list(vars(self).items()) if isinstance(column, np.ndarray))

    def _grow(self) -> None:
        for name, column in self._all():
            setattr(self, name, np.concatenate([column, np.zeros_like(column)]))


def name_key(name: str) -> bytes:
    """What the order by name compares."""
    return fold(name).encode()[:NAME_BYTES].rstrip(b"\0")


def hash_of_name(name: str) -> int:
    """64 bits of a name as one word. Not Python's own hash, which is another one in each process."""
    raw = name.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(raw, digest_size=_HASH_BYTES).digest(), "big", signed=True)


_DIGITS: npt.NDArray[np.uint8] = np.full(256, 255, dtype=np.uint8)
_DIGITS[np.frombuffer(ALPHABET.encode(), dtype=np.uint8)] = np.arange(len(ALPHABET), dtype=np.uint8)
_BEFORE, _LETTERS = len(_PREFIX) + 1, 26
_HIGH_DIGITS = 13
"""So many digits of five bits, and one bit of the next, are the upper half of an id."""


def keys_of(ids: Sequence[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """
    As `Key.of`, of many at once: the upper halves, and the lower ones.

    Raises:
        ValueError: one of them is no id of a project.
    """
    letters = np.frombuffer("".join(ids).encode(), dtype=np.uint8)
    if len(letters) != len(ids) * (_BEFORE + _LETTERS):
        raise ValueError("an id is longer or shorter than ids are")
    digits = _DIGITS[letters.reshape(len(ids), _BEFORE + _LETTERS)[:, _BEFORE:]]
    if len(ids) and digits.max() >= len(ALPHABET):
        raise ValueError("an id holds other letters than ids do")
    wide = digits.astype(np.uint64).T
    high, low = wide[0].copy(), wide[_HIGH_DIGITS] & np.uint64(15)
    for digit in wide[1:_HIGH_DIGITS]:
        high = high << np.uint64(5) | digit
    for digit in wide[_HIGH_DIGITS + 1 :]:
        low = low << np.uint64(5) | digit
    return high << np.uint64(1) | wide[_HIGH_DIGITS] >> np.uint64(4), low
