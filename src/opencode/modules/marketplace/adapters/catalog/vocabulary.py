"""The words of a segment, sorted, in one string of bytes: a million of them as Python strings would take 80 MB."""

import bisect
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Self, TypeVar

from opencode.modules.marketplace.adapters.catalog.neighbours import (
    Filter,
    hashes_of,
    hashes_of_beginnings,
    neighbours_of,
)

NUMBERS = "I"
"""The kind of array that `Vocabulary.starts` is: four bytes each."""
_BLOCK = 16  # words; the first of each block is kept as an object, so that `bisect` can look among them
_BEHIND_ALL = b"\xff"  # in no UTF-8
_BEGINNINGS_EACH = 2  # about so many beginnings a word has to itself
_MOST_LOOKED_UP = 8192
_MOST_NEIGHBOURS = 2048

Value = TypeVar("Value")


class _Known(dict[str, Value]):
    """What was looked up lately; one search looks the same words up several times, and people ask for the same ones."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, word: str, value: Value) -> Value:
        if len(self) >= self._most:
            self.clear()
        self[word] = value
        return value


class Vocabulary:
    """
    Args:
        starts: where each word begins in `letters`, and where the last one ends. Not of NumPy, which takes three times
            as long to hand out one number.
        letters: of all words, sorted, in UTF-8.
        known: has the words; `begun` all that they begin with.
    """

    def __init__(self, starts: "array[int]", letters: bytes, known: Filter, begun: Filter) -> None:
        self.starts = starts
        self.letters = letters
        self.known = known
        self.begun = begun
        self._firsts = [letters[starts[at] : starts[at + 1]] for at in range(0, len(starts) - 1, _BLOCK)]
        # Words never change, so what is known of them stays true.
        self._found = _Known[int](_MOST_LOOKED_UP)
        self._ranges = _Known[tuple[int, int]](_MOST_LOOKED_UP)
        self._near_words = _Known[frozenset[str]](_MOST_NEIGHBOURS)
        self._near_beginnings = _Known[frozenset[str]](_MOST_NEIGHBOURS)

    @classmethod
    def of(cls, words: Sequence[str]) -> Self:
        """Args: words: sorted, none twice."""
        encoded = [word.encode() for word in words]
        starts = array(NUMBERS, accumulate(map(len, encoded), initial=0))
        known = Filter.of(len(words), hashes_of(words))
        begun = Filter.of(len(words) * _BEGINNINGS_EACH, hashes_of_beginnings(words))
        return cls(starts, b"".join(encoded), known, begun)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __iter__(self) -> Iterator[str]:
        return (self.letters[begin:end].decode() for begin, end in pairwise(self.starts))

    def find(self, word: str) -> int:
        """The number of a word, or -1."""
        known = self._found.get(word)
        return self._found.keep(word, self._find(word)) if known is None else known

    def beginning(self, prefix: str) -> tuple[int, int]:
        """The numbers of all words that begin so: from the first up to the second."""
        return self._ranges.get(prefix) or self._ranges.keep(prefix, self._beginning(prefix))

    def near(self, word: str, *, is_open: bool) -> frozenset[str]:
        """What is here of all that is one letter away, or what begins words that are here; and few that are not."""
        known, there = (self._near_beginnings, self.begun) if is_open else (self._near_words, self.known)
        near = known.get(word)
        return known.keep(word, neighbours_of(word).among(there)) if near is None else near

    def _find(self, word: str) -> int:
        wanted = word.encode()
        at = self._place(wanted)
        return at if at < len(self) and self._word(at) == wanted else -1

    def _beginning(self, prefix: str) -> tuple[int, int]:
        wanted = prefix.encode()
        first = self._place(wanted)
        if first == len(self) or not self._word(first).startswith(wanted):
            return first, first
        return first, self._place(wanted + _BEHIND_ALL)

    def _place(self, wanted: bytes) -> int:
        """The number of the first word that is not before this one."""
        block = bisect.bisect_left(self._firsts, wanted)
        low, high = max(0, (block - 1) * _BLOCK), min(block * _BLOCK, len(self))
        starts, letters = self.starts, self.letters
        while low < high:
            middle = (low + high) >> 1
            if letters[starts[middle] : starts[middle + 1]] < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def _word(self, number: int) -> bytes:
        return self.letters[self.starts[number] : self.starts[number + 1]]
