"""Whom and what somebody follows."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from opencode.infra.http import Body
from opencode.kernel.errors import FieldProblem
from opencode.modules.marketplace.domain.catalog import PriceFilter
from opencode.modules.marketplace.domain.following import FollowedSearch, FollowKind, checked_search
from opencode.modules.marketplace.schemas.fields import CardView, OwnerView
from opencode.modules.marketplace.service.following import Followed, FollowState


class FollowingView(msgspec.Struct, frozen=True):
    """`following`: the caller does. `followers`: how many do."""

    following: bool
    followers: int

    @classmethod
    def of(cls, current: FollowState) -> "FollowingView":
        return cls(current.following, current.followers)


class FollowedSearchDraft(Body):
    """A search to follow: `q` and filters as in `GET /api/v1/projects`. Without a `name` it is called by them."""

    name: str | None = None
    q: str = ""
    technologies: list[str] = msgspec.field(default_factory=list[str])
    license: str | None = None
    price: PriceFilter = PriceFilter.ALL
    tags: list[str] = msgspec.field(default_factory=list[str])

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_search(fields)[1]

    def values(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self)


class FollowedSearchView(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    q: str
    technologies: tuple[str, ...]
    license: str | None
    price: PriceFilter
    tags: tuple[str, ...]
    created_at: datetime

    @classmethod
    def of(cls, search: FollowedSearch) -> "FollowedSearchView":
        return cls(
            id=search.id,
            name=search.name,
            q=search.text,
            technologies=search.technologies,
            license=search.license or None,
            price=search.price,
            tags=search.tags,
            created_at=search.created_at,
        )


class FollowedView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the caller follows; of person, project and search the one that `kind` names is not null."""

    kind: FollowKind
    followed_at: datetime
    person: OwnerView | None
    project: CardView | None
    search: FollowedSearchView | None

    @classmethod
    def of(cls, followed: Followed) -> "FollowedView":
        person = followed.person
        return cls(
            kind=followed.kind,
            followed_at=followed.at,
            person=OwnerView(person.handle, person.display_name) if person else None,
            project=CardView.of(followed.card) if followed.card else None,
            search=FollowedSearchView.of(followed.search) if followed.search else None,
        )
