"""
What a project's repository says of it beside what the project says itself, and which of both is its author's word.

A field follows the repository until its author words it: it is theirs from the moment in which it is neither empty nor
what was read last. Only prints of what was read are kept, since no more than that is asked of it. Those of a draft are
kept before there is a project, which follows its repository from the start then.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from opencode.modules.marketplace.domain.project import Project

Prints = Mapping[str, str]
"""Names of fields -> prints of what was read last."""


MOST_DRAFTS = 100
"""Of one person, of which prints are kept: the last ones that they read."""


class SyncField(StrEnum):
    """What is read again. Title, tags and links are always the author's own."""

    DESCRIPTION = "description"
    SUMMARY = "summary"
    TECHNOLOGIES = "technologies"
    LICENSE = "license"


@dataclass(frozen=True, slots=True)
class Offer:
    """
    A field of which the repository says something else than the project.

    Attributes:
        by_hand: its author has worded it since it was read last, so it is replaced only by their will.
    """

    field: SyncField
    mine: Any
    told: Any
    by_hand: bool


def prints_of(told: Mapping[str, Any]) -> dict[str, str]:
    """Of all that was told; none of what was not."""
    return {field.value: print_of(told[field]) for field in SyncField if told[field]}


def offers_of(project: Project, told: Mapping[str, Any], last: Prints) -> tuple[Offer, ...]:
    """What is not told is not offered."""
    offers: list[Offer] = []
    for field in SyncField:
        mine, theirs = getattr(project, field), told[field]
        if theirs and theirs != mine:
            offers.append(Offer(field, mine, theirs, bool(mine) and print_of(mine) != last.get(field)))
    return tuple(offers)


def prints_after(project: Project, told: Mapping[str, Any], last: Prints) -> dict[str, str]:
    """What was read last of each field, once this project says what it says now."""
    same = {
        field.value: print_of(told[field])
        for field in SyncField
        if told[field] and told[field] == getattr(project, field)
    }
    return {**last, **same}


def print_of(value: str | tuple[str, ...]) -> str:
    return hashlib.blake2b(msgspec.json.encode(value), digest_size=16).hexdigest()
