"""Collections."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from opencode.infra.http import Body
from opencode.kernel.errors import FieldProblem
from opencode.modules.marketplace.domain.collection import (
    ShownCollection,
    ShownItem,
    Visibility,
    checked_collection,
    checked_note,
)
from opencode.modules.marketplace.schemas.fields import CardView, OwnerView, present_values


class CollectionDraft(Body):
    """A new collection; `description` is plain text."""

    title: str
    visibility: Visibility
    description: str = ""

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_collection(fields)[1]

    def values(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self)


class CollectionChange(Body):
    """What is to change; what is absent stays."""

    title: str | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    description: str | UnsetType = UNSET

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_collection(fields)[1]

    def values(self) -> dict[str, Any]:
        return present_values(self)


class CollectionView(msgspec.Struct, frozen=True, kw_only=True):
    """A collection. `items`: how many projects are in it."""

    id: str
    title: str
    description: str
    visibility: Visibility
    owner: OwnerView
    items: int
    revision: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, shown: ShownCollection) -> "CollectionView":
        own = shown.collection
        return cls(
            id=own.id,
            title=own.title,
            description=own.description,
            visibility=own.visibility,
            owner=OwnerView(shown.owner_handle, shown.owner_name),
            items=shown.items,
            revision=own.revision,
            created_at=own.created_at,
            updated_at=own.updated_at,
        )


class ItemDraft(Body):
    """A project in a collection. `position` counts from 0; what is absent stays, a new project goes to the end."""

    note: str | None = None
    position: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_note(fields.get("note") or "")[1]


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    project: CardView
    note: str
    position: int
    added_at: datetime

    @classmethod
    def of(cls, shown: ShownItem) -> "ItemView":
        item = shown.item
        return cls(project=CardView.of(shown.card), note=item.note, position=shown.position, added_at=item.added_at)
