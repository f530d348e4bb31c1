"""
Following people, projects and searches; and which followed searches a new project fits.

A followed search is filed under a few words, and a project that has none of them cannot fit it. So a new project is
held against the searches that are filed under its own words, and not against all that there are.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import SearchId
from opencode.modules.marketplace.domain.catalog import Filters, PriceFilter
from opencode.modules.marketplace.domain.digest import words_of_filters
from opencode.modules.marketplace.domain.project import MAX_TAGS, MAX_TECHNOLOGIES, MAX_WORD
from opencode.modules.marketplace.domain.text import Findings, each_once, line_problem, tidy_line, words_problem
from opencode.modules.marketplace.domain.understanding import RARE, Clause, understand

MAX_SEARCH_NAME = 80
MAX_SEARCH_TEXT = 200
MAX_SEARCH_LICENSE = 300
SEARCHES_PER_PERSON = 50
"""Followed searches of one person: each is held against new projects."""


class FollowKind(StrEnum):
    PERSON = "person"
    PROJECT = "project"
    SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Follow:
    """Somebody follows something: `target_id` is an account's, a project's or a followed search's."""

    kind: FollowKind
    target_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedSearch:
    """
    A search whose new results its follower is told of.

    Attributes:
        name: what its follower calls it.
        text: as typed; its last word counts as finished, and none is corrected.
        license: an SPDX expression, or empty for any.
    """

    id: SearchId
    user_id: str
    name: str
    text: str
    technologies: tuple[str, ...]
    tags: tuple[str, ...]
    license: str
    price: PriceFilter
    created_at: datetime

    @property
    def filters(self) -> Filters:
        return Filters(self.technologies, self.tags, self.license or None, self.price)

    @property
    def fingerprint(self) -> str:
        """The same for searches that ask for the same, whatever they are called."""
        words = sorted(words_of_filters(self.filters))
        asked = msgspec.json.encode((_typed(self.text).casefold(), words))
        return hashlib.blake2b(asked, digest_size=16).hexdigest()

    @property
    def keys(self) -> frozenset[int]:
        """
        What it is filed under: a project that fits it has one of these among `keys_of` its words. The longest word
        that was typed is taken, or else a tag, a technology or the licence: the former are rarer than the latter.
        """
        if clauses := _clauses(self.text):
            longest = max(clauses, key=lambda clause: len(clause[0].word))
            return keys_of({alternative.word for alternative in longest})
        by_rarity = (Filters(tags=self.tags), Filters(self.technologies), Filters(license=self.license or None))
        found = next((words for filters in by_rarity if (words := words_of_filters(filters))), [])
        return keys_of({max(found, key=len)} if found else ())

    def fits(self, words: frozenset[str]) -> bool:
        """
        Would the catalogue find a project by this search?

        Args:
            words: of the project, as `digest.words_of_listing` gives them.
        """
        if not words.issuperset(words_of_filters(self.filters)):
            return False
        return all(any(each.word in words for each in clause) for clause in _clauses(self.text))


def keys_of(words: Collection[str]) -> frozenset[int]:
    """Words as numbers of 64 bits, signed, as databases keep them. That two words share one does no harm."""
    return frozenset(
        int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), signed=True) for word in words
    )


def checked_search(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldProblem]]:
    """
    The fields of a search as they are kept, and everything that is wrong with them.

    Args:
        values: `name`, `q`, `technologies`, `license`, `price`, `tags`; absent ones, or None, do not filter.
    """
    findings = Findings()
    text, licence = tidy_line(values.get("q") or ""), tidy_line(values.get("license") or "")
    technologies, tags = each_once(values.get("technologies") or ()), each_once(values.get("tags") or ())
    name = tidy_line(values.get("name") or "")
    findings.add("/name", line_problem(name, MAX_SEARCH_NAME))
    findings.add("/license", line_problem(licence, MAX_SEARCH_LICENSE))
    findings.add("/technologies", words_problem(technologies, MAX_TECHNOLOGIES, MAX_WORD))
    findings.add("/tags", words_problem(tags, MAX_TAGS, MAX_WORD))
    is_good = findings.add("/q", line_problem(text, MAX_SEARCH_TEXT))
    if is_good and not (_clauses(text) or technologies or tags or licence):
        findings.add("/q", "must hold a word, unless there is a technology, a tag or a licence: all would fit")
    price = values.get("price") or PriceFilter.ALL
    name = name or _name_of(text, (*technologies, *tags), licence)
    fields = {"name": name, "text": text, "technologies": technologies, "tags": tags, "license": licence}
    return {**fields, "price": price}, findings.problems


def _name_of(text: str, labels: Collection[str], licence: str) -> str:
    return ", ".join(part for part in (text, *labels, licence) if part)[:MAX_SEARCH_NAME].strip()


class _AllAreKnown:
    """Words of a catalogue that has them all: nothing that was typed is taken for a mistake."""

    def frequency(self, word: str, *, is_open: bool = False) -> int:
        del word, is_open
        return RARE + 1

    def near(self, word: str, *, is_open: bool = False) -> Iterable[str]:
        del word, is_open
        return ()

    def rarity(self, word: str, *, is_open: bool = False) -> float:
        del word, is_open
        return 1.0


def _clauses(text: str) -> tuple[Clause, ...]:
    return understand(_typed(text) + " ", _AllAreKnown()).clauses


def _typed(text: str) -> str:
    return " ".join(text.split())
