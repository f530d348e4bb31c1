"""Collections: projects that somebody puts together, in an order, for all or for themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import CollectionId, ProjectId
from opencode.modules.marketplace.domain.text import Findings, line_problem, plain_problem, tidy_line, tidy_plain
from opencode.modules.marketplace.domain.views import Card

MAX_COLLECTION_TITLE = 120
MAX_COLLECTION_DESCRIPTION = 2_000
MAX_NOTE = 300
MAX_ITEMS = 500


class Visibility(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"
    """For its owner alone; for everybody else it does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """
    A collection. `description` is plain text; `revision` grows by one with every change, of its items too.
    """

    id: CollectionId
    owner_id: str
    title: str
    description: str
    visibility: Visibility
    revision: int
    created_at: datetime
    updated_at: datetime

    def changed(self, fields: Mapping[str, Any], at: datetime) -> "Collection":
        """The collection with other fields; the same one when nothing is different."""
        after = replace(self, **fields)
        return self if after == self else after.touched(at)

    def touched(self, at: datetime) -> "Collection":
        return replace(self, revision=self.revision + 1, updated_at=at)


@dataclass(frozen=True, slots=True)
class Item:
    """A project in a collection: items come by `place`, which may have gaps."""

    project_id: ProjectId
    place: int
    note: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class ShownCollection:
    """A collection with its owner's names, and how many of its projects everybody may see."""

    collection: Collection
    owner_handle: str
    owner_name: str
    items: int


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item with its project. `position` counts from 0."""

    item: Item
    position: int
    card: Card


def placed(items: Sequence[Item], new: Item, position: int | None) -> list[Item]:
    """
    The items in their new order, each with its place in it.

    Args:
        items: in their order.
        new: takes the place of the item of the same project, if there is one.
        position: where it goes, the end if that is behind it; None leaves it where it is, or puts it at the end.
    """
    projects = [item.project_id for item in items]
    rest = [item for item in items if item.project_id != new.project_id]
    if position is None:
        position = projects.index(new.project_id) if new.project_id in projects else len(rest)
    ordered = [*rest[:position], new, *rest[position:]]
    return [replace(item, place=place) for place, item in enumerate(ordered)]


def checked_collection(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldProblem]]:
    """The fields of a collection as they are kept, and everything that is wrong; absent ones are not looked at."""
    findings = Findings()
    fields = dict(values)
    if "title" in values:
        fields["title"] = tidy_line(values["title"])
        findings.add("/title", line_problem(fields["title"], MAX_COLLECTION_TITLE, least=1))
    if "description" in values:
        fields["description"] = tidy_plain(values["description"])
        findings.add("/description", plain_problem(fields["description"], MAX_COLLECTION_DESCRIPTION))
    return fields, findings.problems


def checked_note(note: str) -> tuple[str, list[FieldProblem]]:
    findings = Findings()
    findings.add("/note", line_problem(tidy_line(note), MAX_NOTE))
    return tidy_line(note), findings.problems
