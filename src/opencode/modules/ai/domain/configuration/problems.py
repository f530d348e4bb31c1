"""What is wrong with a configuration, and where."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

_CLOSE = 0.6
_SHORTEST_BEGINNING = 3


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """
    Attributes:
        source: a path, or what else the text came from, such as `environment`.
        line: from 1; 0 where a source has no lines.
        column: from 1, in characters.
    """

    source: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """
    Attributes:
        path: the keys that lead to it, such as `providers.local.type`; empty for the whole.
        message: what is wrong, and what to write instead where that can be told.
        suggestion: the likely right word, or empty.
    """

    place: Place
    path: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        meant = f" Did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{self.place}: {self.message}{meant}"


def likely(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or an empty string."""
    by_lower = {each.lower(): each for each in known}
    if found := get_close_matches(word.lower(), by_lower, n=1, cutoff=_CLOSE):
        return by_lower[found[0]]
    begun = [each for each in by_lower if len(word) >= _SHORTEST_BEGINNING and each.startswith(word.lower())]
    return by_lower[begun[0]] if len(begun) == 1 else ""
