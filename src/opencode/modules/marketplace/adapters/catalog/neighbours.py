"""
What is one letter away from a word, with a number for each: hundreds of candidates are held against a vocabulary in
a few array operations, and only what it may have is ever spelt out.

The number of a word is a polynomial of its letters modulo 2**64 (Karp and Rabin, IBM J. Res. Dev. 1987), so those of
all candidates follow from the sums of what stands before and behind the place where they differ.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.domain.spelling import letters_for

Hashes = npt.NDArray[np.uint64]

_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse
_INVERSE = np.uint64(pow(_BASE, -1, 1 << 64))
_MIX = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)
_FURTHER_BITS = (np.uint64(32), np.uint64(16))
"""From where in a number the places of its second and third bit are taken."""
_LETTER_BYTES = 4
_CHUNK = 1 << 15
_BITS_EACH = 16


class Neighbours:
    """All that `spelling.one_letter_away` gives; some may come twice, and the word itself may be among them."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._letters = letters_for(word)
        self.hashes = self._hashes()

    def among(self, words: "Filter") -> frozenset[str]:
        """Those that may be among some words, but for the word itself."""
        return frozenset(map(self._spelt, words.may_have(self.hashes).tolist())) - {self._word}

    def _hashes(self) -> Hashes:
        """Those with one less, with two that changed places, with one more, and with another one; by place."""
        length = len(self._word)
        typed, powers = _codes(self._word), _powers(length + 1)
        letters = _codes(self._letters)[None, :]
        terms = typed * powers[:-1]
        before = np.concatenate([_ZERO, np.cumsum(terms)])  # of what stands before each place
        behind = before[-1] - before
        less = before[:-1] + behind[1:] * _INVERSE
        swapped = before[:-2] + typed[1:] * powers[:-2] + typed[:-1] * powers[1:-1] + behind[2:]
        more = (before + behind * powers[1])[:, None] + letters * powers[:, None]
        other = (before[:-1] + behind[1:])[:, None] + letters * powers[:-1, None]
        return _mixed(np.concatenate([less, swapped, more.ravel(), other.ravel()]))

    def _spelt(self, at: int) -> str:
        word, length, letters = self._word, len(self._word), len(self._letters)
        if at < length:
            return word[:at] + word[at + 1 :]
        at -= length
        if at < length - 1:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        at -= length - 1
        place, letter = divmod(at, letters)
        if place <= length:
            return word[:place] + self._letters[letter] + word[place:]
        place -= length + 1
        return word[:place] + self._letters[letter] + word[place + 1 :]


class Filter:
    """
    Tells nearly all words that are not there from those that are (Bloom, CACM 1970; three bits for each).

    Args:
        bits: as an earlier one had them; their number is a power of two.
    """

    def __init__(self, bits: npt.NDArray[np.uint8]) -> None:
        self.bits = bits
        self._mask = np.uint64(len(bits) * 8 - 1)

    @classmethod
    def of(cls, expected: int, hashes: Iterator[Hashes]) -> Self:
        """
        Args:
            expected: about how many words there will be.
            hashes: of all of them.
        """
        size = 1 << (_BITS_EACH * max(1, expected)).bit_length()
        mask = np.uint64(size - 1)
        taken = np.zeros(size, dtype=np.bool_)
        for some in hashes:
            for shift in (np.uint64(0), *_FURTHER_BITS):
                taken[(some >> shift) & mask] = True
        return cls(np.packbits(taken, bitorder="little"))

    def may_have(self, hashes: Hashes) -> npt.NDArray[np.intp]:
        """Where those are that may be there; the later bits are looked up of few only."""
        at = np.flatnonzero(self._is_taken(hashes & self._mask))
        for shift in _FURTHER_BITS:
            at = at[self._is_taken((hashes[at] >> shift) & self._mask)]
        return at

    def _is_taken(self, places: Hashes) -> npt.NDArray[np.bool_]:
        shift = (places & np.uint64(7)).astype(np.uint8)
        return ((self.bits[places >> np.uint64(3)] >> shift) & np.uint8(1)).astype(np.bool_)


@lru_cache(maxsize=256)
def neighbours_of(word: str) -> Neighbours:
    """Each part of an index asks for the same."""
    return Neighbours(word)


def hashes_of(words: Sequence[str]) -> Iterator[Hashes]:
    """The numbers of words, some thousands at once."""
    for sums, lengths in _sums(words):
        yield _mixed(sums[np.cumsum(lengths) - 1])


def hashes_of_beginnings(words: Sequence[str]) -> Iterator[Hashes]:
    """The numbers of all that these words begin with, the words included."""
    for sums, _ in _sums(words):
        yield _mixed(sums)


def _sums(words: Sequence[str]) -> Iterator[tuple[Hashes, npt.NDArray[np.int64]]]:
    """For each letter of some words the number, not mixed, of what ends there; and how long the words are."""
    for start in range(0, len(words), _CHUNK):
        some = words[start : start + _CHUNK]
        lengths = np.fromiter(map(len, some), dtype=np.int64, count=len(some))
        begins = np.cumsum(lengths) - lengths
        places = np.arange(lengths.sum()) - np.repeat(begins, lengths)
        sums = np.cumsum(_codes("".join(some)) * _powers(int(lengths.max()))[places])
        earlier = np.concatenate([_ZERO, sums])[begins]
        yield sums - np.repeat(earlier, lengths), lengths


def _codes(letters: str) -> Hashes:
    return np.frombuffer(letters.encode("utf-32-le"), dtype=f"<u{_LETTER_BYTES}").astype(np.uint64)


def _powers(count: int) -> Hashes:
    return np.concatenate([_ONE, np.cumprod(np.full(max(0, count - 1), _BASE, dtype=np.uint64))])


def _mixed(sums: Hashes) -> Hashes:
    """The lower bits of a polynomial know only the lower bits of the letters."""
    mixed = (sums ^ (sums >> _HALF)) * _MIX
    return mixed ^ (mixed >> _HALF)


_ZERO: Hashes = np.zeros(1, dtype=np.uint64)
_ONE: Hashes = np.ones(1, dtype=np.uint64)
