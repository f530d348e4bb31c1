"""Words that are one letter away from what was typed: one more, one less, another one, or two that changed places."""

from collections.abc import Callable, Iterable, Iterator

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SHORTEST = 2
"""Of what is shorter everything is one letter away."""


def one_letter_away(word: str) -> Iterator[str]:
    """Damerau's four mistakes (CACM 1964). Candidates may come twice; few of them are words."""
    letters = letters_for(word)
    halves = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    for left, right in halves:
        if right:
            yield left + right[1:]
        if len(right) > 1:
            yield left + right[1] + right[0] + right[2:]
        for letter in letters:
            yield left + letter + right
            if right:
                yield left + letter + right[1:]


def letters_for(word: str) -> str:
    """What is tried in place of letters: those of English, and what else the word has."""
    return _LETTERS if word.isascii() else _LETTERS + "".join(sorted({letter for letter in word if letter > "\x7f"}))


def corrections(near: Iterable[str], frequency: Callable[[str], int], most: int) -> list[tuple[str, int]]:
    """
    What may be meant, with how many projects have it, the most frequent first.

    Args:
        near: what is one letter away.
        frequency: how many projects have a word.
    """
    found = [(each, count) for each in set(near) if (count := frequency(each))]
    return sorted(found, key=lambda each: (-each[1], each[0]))[:most]
