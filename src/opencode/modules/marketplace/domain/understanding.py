"""
What somebody means who typed this: for each word, what will do in its place. All indexes search by the same
understanding, and differ in how they look it up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from opencode.modules.marketplace.domain import spelling
from opencode.modules.marketplace.domain.ranking import CORRECTED, UNFINISHED
from opencode.modules.marketplace.domain.words import MOST_QUERY_WORDS, joined, words_of

RARE = 3
"""A word that so few projects have may be a mistake for one that many have..."""
MORE_FREQUENT = 10
"""...that is, so many times as many, and more than nobody."""
MOST_CORRECTIONS = 8


@dataclass(frozen=True, slots=True)
class Alternative:
    """
    Words that will do: one, or all that begin with it (`is_open`).

    Attributes:
        weight: what a project that has it at full impact gets for it.
    """

    word: str
    weight: float
    is_open: bool = False


Clause = tuple[Alternative, ...]
"""A project that has any of these has it; the best counts."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """
    A project is found when it has every clause, or one of the names.

    Attributes:
        exact: the text as one word: a project of that name is meant.
        names: names as one word that are one letter away from it, where it is no name itself.
        corrected: the text as it was understood; None where every word was known.
    """

    clauses: tuple[Clause, ...] = ()
    exact: str = ""
    names: Clause = ()
    corrected: str | None = None


class Words(Protocol):
    """What an index knows of its words."""

    def frequency(self, word: str, *, is_open: bool = False) -> int:
        """How many projects have the word now, or one that begins with it; with `is_open`, some may count twice."""
        ...

    def near(self, word: str, *, is_open: bool = False) -> Iterable[str]:
        """
        Of `spelling.one_letter_away` at least what any project has, or what any of their words begins with; never the
        word itself.
        """
        ...

    def rarity(self, word: str, *, is_open: bool = False) -> float:
        """
        `ranking.rarity` of the word, by numbers that stay the same until `is_outdated`: so scores do not move under
        somebody who goes from page to page.
        """
        ...


def is_outdated(projects_then: int, projects_now: int) -> bool:
    """Are numbers that were taken with so many projects too old to tell how rare words are?"""
    return not projects_then <= 2 * projects_now <= 4 * projects_then


def understand(text: str, words: Words) -> Understanding:
    """The last word may be unfinished, unless something follows it."""
    return _understand(text, words, doubting=False)


def understand_again(first: Understanding, text: str, words: Words) -> Understanding:
    """When little was found: the whole may be a name with a mistake, or else words that there are may be mistakes."""
    names = first.names or _names(first.exact, words)
    return replace(first, names=names) if names else _understand(text, words, doubting=True)


def is_worth_again(understood: Understanding, total: int) -> bool:
    """Was so little found that more should be understood?"""
    return bool(understood.clauses) and (total <= RARE or understood.corrected is not None)


def _understand(text: str, words: Words, *, doubting: bool) -> Understanding:
    typed = words_of(text)[:MOST_QUERY_WORDS]
    if not typed:
        return Understanding()
    is_open, exact = text[-1].isalnum(), joined(text)
    clauses: list[Clause] = []
    understood: list[str] = []
    for at, word in enumerate(typed):
        in_one = _in_one(typed, at, exact)
        clause, best = _clause(word, in_one, words, is_open=is_open and at == len(typed) - 1, doubting=doubting)
        clauses.append(clause)
        understood.append(best)
    corrected = " ".join(understood) if understood != typed else None
    names = _names(exact, words) if len(typed) > 1 and not _is_begun(exact, words, is_open=is_open) else ()
    return Understanding(tuple(clauses), exact, names, corrected)


def _is_begun(name: str, words: Words, *, is_open: bool) -> bool:
    """Has anything this name, or, as it may be unfinished, one that begins with it?"""
    return bool(words.frequency(name) or (is_open and words.frequency(name, is_open=True)))


def _names(name: str, words: Words) -> Clause:
    return tuple(_corrections(name, 0, words, is_open=False))


def _in_one(typed: Sequence[str], at: int, everything: str) -> list[str]:
    """What a word is part of when it is written in one with its neighbours: `fast api` is `fastapi`."""
    if len(typed) == 1:
        return []
    pairs = ["".join(typed[first : first + 2]) for first in (at - 1, at) if 0 <= first < len(typed) - 1]
    return list(dict.fromkeys([everything, *pairs]))


def _clause(word: str, in_one: Sequence[str], words: Words, *, is_open: bool, doubting: bool) -> tuple[Clause, str]:
    """What will do for a word, and the word as it is understood."""
    count = words.frequency(word)
    alternatives = [Alternative(word, words.rarity(word))]
    if is_open:
        alternatives.append(Alternative(word, UNFINISHED * words.rarity(word, is_open=True), is_open=True))
        count = max(count, words.frequency(word, is_open=True))
    whole = [Alternative(each, words.rarity(each)) for each in in_one if words.frequency(each)]
    if not doubting and (count > RARE or whole):
        return (*alternatives, *whole), word
    near = _corrections(word, 0 if doubting else count * MORE_FREQUENT, words, is_open=is_open)
    return (*alternatives, *whole, *near), near[0].word if near and not count else word


def _corrections(word: str, more_than: int, words: Words, *, is_open: bool) -> list[Alternative]:
    if len(word) < spelling.SHORTEST:
        return []
    found = spelling.corrections(words.near(word), words.frequency, MOST_CORRECTIONS)
    near = [Alternative(each, CORRECTED * words.rarity(each)) for each, count in found if count > more_than]
    if near or not is_open:
        return near
    begun = words.near(word, is_open=True)
    found = spelling.corrections(begun, lambda each: words.frequency(each, is_open=True), MOST_CORRECTIONS)
    factor = CORRECTED * UNFINISHED
    return [
        Alternative(each, factor * words.rarity(each, is_open=True), is_open=True)
        for each, count in found
        if count > more_than
    ]
