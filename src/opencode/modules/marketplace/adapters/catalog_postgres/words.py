"""What the index knows of its words, asked for as rarely as can be; and how words become lexemes."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.modules.marketplace.adapters.catalog_postgres.tables import Tables
from opencode.modules.marketplace.domain.ranking import rarity
from opencode.modules.marketplace.domain.spelling import one_letter_away

T = TypeVar("T")

_LONGEST_LEXEME_BYTES = 2000  # PostgreSQL takes 2,046; what is published has fewer
_BEHIND_ALL = "\U0010ffff"
_NOTHING = (0, 0)


class AskedWords:
    """
    See `understanding.Words`. The rules of understanding ask for one word after the other, hundreds where a word may be
    misspelt, and a database is asked for many at once. So what is not known yet is noted and answered with nothing;
    then all of it is fetched, and the rules begin again, until they have asked for nothing new. They ask for candidates
    by letters, which a B-tree finds exactly.
    """

    def __init__(self, connection: AsyncConnection, tables: Tables, counted: int) -> None:
        """Args: counted: how many projects there were when words were last counted."""
        self._connection = connection
        self._tables = tables
        self._counted = counted
        self._known: dict[tuple[str, bool], tuple[int, int]] = {}
        self._missing: set[tuple[str, bool]] = set()
        self._near: dict[tuple[str, bool], set[str]] = {}
        self._near_missing: dict[tuple[str, bool], set[str]] = {}

    async def answer(self, rules: "Callable[[AskedWords], T]") -> T:
        """What the rules say when all that they ask for is known."""
        while True:
            said = rules(self)
            if not self._missing and not self._near_missing:
                return said
            await self._fetch()

    def frequency(self, word: str, *, is_open: bool = False) -> int:
        return self._of(word, is_open)[0]

    def near(self, word: str, *, is_open: bool = False) -> set[str]:
        if (word, is_open) not in self._near:
            self._near_missing[word, is_open] = set(one_letter_away(word)) - {word}
        return self._near.get((word, is_open), set())

    def rarity(self, word: str, *, is_open: bool = False) -> float:
        having = self._of(word, is_open)[1]
        return rarity(max(self._counted, having), having)

    def _of(self, word: str, is_open: bool) -> tuple[int, int]:
        if (word, is_open) not in self._known:
            self._missing.add((word, is_open))
        return self._known.get((word, is_open), _NOTHING)

    async def _fetch(self) -> None:
        asked = self._missing.union(
            (candidate, is_open) for (_, is_open), near in self._near_missing.items() for candidate in near
        )
        whole = [word for word, is_open in asked if not is_open]
        begun = [word for word, is_open in asked if is_open]
        self._known.update(dict.fromkeys(self._missing, _NOTHING))
        self._missing.clear()
        await self._look_up(whole, begun)
        for (word, is_open), near in self._near_missing.items():
            self._near[word, is_open] = {candidate for candidate in near if (candidate, is_open) in self._known}
        self._near_missing.clear()

    async def _look_up(self, whole: list[str], begun: list[str]) -> None:
        if whole:
            # Not `= any`: the planner would weigh each of hundreds of words, for longer than it takes to find them.
            rows = await self._connection.exec_driver_sql(
                "select found.word, projects, counted from unnest($1::text[]) as asked(word) "
                f"join {self._tables.words} as found on found.word = asked.word",
                (whole,),
            )
            self._known.update({(row.word, False): (row.projects, row.counted) for row in rows})
        if begun:
            rows = await self._connection.exec_driver_sql(
                "select asked.word, coalesce(sum(found.projects), 0)::integer as projects, "
                "coalesce(sum(found.counted), 0)::integer as counted "
                "from unnest($1::text[], $2::text[]) as asked(word, behind) "
                f"join {self._tables.words} as found on found.word >= asked.word and found.word < asked.behind "
                "group by asked.word",
                (begun, [word + _BEHIND_ALL for word in begun]),
            )
            self._known.update({(row.word, True): (row.projects, row.counted) for row in rows})


def lexeme(word: str) -> str:
    """A word as PostgreSQL can hold it. What must be cut or changed for that is in no project."""
    if word.isascii() and len(word) <= _LONGEST_LEXEME_BYTES and "\0" not in word:
        return word
    raw = word.replace("\0", "\1").encode("utf-8", "replace")[:_LONGEST_LEXEME_BYTES]
    return raw.decode("utf-8", "ignore")


def quoted(word: str) -> str:
    """In the text form of `tsvector` and `tsquery`."""
    return "'" + lexeme(word).replace("\\", "\\\\").replace("'", "''") + "'"
