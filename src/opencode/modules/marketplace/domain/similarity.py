"""
Names that could be taken for another one, by mistake or on purpose: what squatters do with names (Spellbound, arXiv
2003.03471), and what happens when two people think of the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.catalog import Namesake
from opencode.modules.marketplace.domain.spelling import one_letter_away
from opencode.modules.marketplace.domain.words import joined, words_of

SHORTEST_MISSPELT = 5
"""Of shorter names too many are one letter away from another."""
SHORTEST_BASE = 3
"""What is left of a name without what was added to it."""
MOST_PARTS = 4
MORE_POPULAR = 10
"""So many times as popular is what another name could be taken for."""
MOST_SHOWN = 5

AFFIXES = (
    *("2", "3", "cli", "dev", "go", "js", "lib", "next", "node", "official", "plus", "pro", "py", "python", "rs"),
    *("ruby", "rust", "sdk", "ts", "v2"),
)
"""Words that are put before or behind a name that is known."""


class Likeness(StrEnum):
    """How one name resembles another, the closest first; the words fit into "… of the name"."""

    SAME = "another spelling"
    LOOK = "letters that look like those"
    MISSPELT = "one letter away from a spelling"
    SWAPPED = "the words in another order"
    AFFIX = "something added or left out"


@dataclass(frozen=True, slots=True)
class Resemblance:
    """A well used project of somebody else, and how the name resembles its name."""

    project_id: ProjectId
    likeness: Likeness


# One for each, so that two names of which either could be taken for the other come out as one. From Unicode's
# confusables (Technical Standard 39), those that keyboards have: Cyrillic and Greek letters, and digits.
_LOOKS = str.maketrans(
    {
        **dict(zip("авсԁеԍһіјкӏмпоԛгѕтԝхуѵ", "abcdeghijklmnoqrstwxyv", strict=True)),
        **dict(zip("αβεικνορτυχ", "abeiknoptux", strict=True)),
    }
)
_DIGITS = (("0", "o"), ("1", "l"), ("1", "i"), ("3", "e"), ("5", "s"), ("rn", "m"), ("vv", "w"), ("cl", "d"))


def candidates(name: str) -> dict[str, Likeness]:
    """
    All names, as `words.joined` makes them, that this one could be taken for, with the closest likeness. There are
    about 70 for each letter.
    """
    found: dict[str, Likeness] = {}
    for likeness, names in _kinds(name):
        for each in names:
            if each:
                found.setdefault(each, likeness)
    return found


def resembled(
    wanted: dict[str, Likeness], namesakes: Iterable[Namesake], least: float, own_popularity: float = 0.0
) -> list[Resemblance]:
    """
    The projects that the name could be taken for, the closest and most popular first.

    Args:
        wanted: as `candidates` gave them back.
        least: popularity from which on a project counts as well used.
        own_popularity: of the project whose name it is.
    """
    bar = max(least, MORE_POPULAR * own_popularity)
    used = [each for each in namesakes if each.popularity >= bar and each.name in wanted]
    closest = list(Likeness)
    used.sort(key=lambda each: (closest.index(wanted[each.name]), -each.popularity, each.id))
    return [Resemblance(each.id, wanted[each.name]) for each in used]


def _kinds(name: str) -> Iterator[tuple[Likeness, Iterable[str]]]:
    whole = joined(name)
    yield Likeness.SAME, [whole]
    looks = joined(name.casefold().translate(_LOOKS))
    yield Likeness.LOOK, _read_otherwise(looks)
    if len(looks) >= SHORTEST_MISSPELT:
        yield Likeness.MISSPELT, one_letter_away(looks)
    parts = [joined(part) for part in words_of(name)]
    if 1 < len(parts) <= MOST_PARTS:
        yield Likeness.SWAPPED, map("".join, permutations(parts))
    yield Likeness.AFFIX, _with_and_without_affix(looks)


def _read_otherwise(looks: str) -> Iterator[str]:
    """What it can be read as: each letter that looks like another, here or everywhere, and all of them."""
    yield looks
    every = looks
    for one, other in _DIGITS:
        for shown, meant in ((one, other), (other, one)):
            pieces = looks.split(shown)
            yield meant.join(pieces)
            for at in range(1, len(pieces)):
                yield meant.join((shown.join(pieces[:at]), shown.join(pieces[at:])))
        every = every.replace(one, other)
    yield every
    yield looks.replace("0", "o").replace("1", "i").replace("3", "e").replace("5", "s")


def _with_and_without_affix(name: str) -> Iterator[str]:
    for affix in AFFIXES:
        for base in (name.removeprefix(affix), name.removesuffix(affix)):
            if base != name and len(base) >= SHORTEST_BASE:
                yield base
        if len(name) >= SHORTEST_BASE:
            yield affix + name
            yield name + affix
