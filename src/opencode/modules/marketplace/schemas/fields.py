"""What several bodies and answers share."""

from datetime import datetime
from typing import Any, Self

import msgspec
from msgspec import UNSET

from opencode.infra.http import Body
from opencode.modules.marketplace.domain.moderation import Case, Hold
from opencode.modules.marketplace.domain.money import Price
from opencode.modules.marketplace.domain.project import ProjectStatus
from opencode.modules.marketplace.domain.proofs import ProofMethod, Verified
from opencode.modules.marketplace.domain.views import Card
from opencode.modules.marketplace.service.lines import price_pair


def present_values(body: Body) -> dict[str, Any]:
    """The fields that were sent, as `domain` takes them."""
    present = {name: getattr(body, name) for name in body.__struct_fields__}
    values = {name: value for name, value in present.items() if value is not UNSET}
    return {**values, "price": price_pair(values["price"])} if "price" in values else values


class OwnerView(msgspec.Struct, frozen=True):
    handle: str
    display_name: str


class PriceView(msgspec.Struct, frozen=True):
    """Minor units: 900 and EUR are 9.00 EUR."""

    amount_minor: int
    currency: str

    @classmethod
    def of(cls, price: Price) -> "PriceView | None":
        return cls(price.amount_minor, price.currency) if price.currency else None


class VerifiedView(msgspec.Struct, frozen=True):
    """The repository was proved to be the owner's."""

    method: ProofMethod
    at: datetime

    @classmethod
    def of(cls, verified: Verified | None) -> "VerifiedView | None":
        return cls(verified.method, verified.at) if verified else None


class HoldView(msgspec.Struct, frozen=True, kw_only=True):
    """Why something of one's own is out of others' sight. `may_appeal`: once for each decision."""

    hold: Hold
    reason: str
    decided_at: datetime | None
    may_appeal: bool

    @classmethod
    def of(cls, case: Case | None, hold: Hold | None) -> "HoldView | None":
        if case is None or hold is None:
            return None
        return cls(hold=hold, reason=case.reason, decided_at=case.decided_at, may_appeal=case.may_be_appealed)


class CardView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A project in a list. A `price` of null is free; a `license` of null was not told; a `latest_version` of null: there
    is no release.
    """

    id: str
    slug: str
    name: str
    title: str
    summary: str
    owner: OwnerView
    technologies: tuple[str, ...]
    license: str | None
    price: PriceView | None
    tags: tuple[str, ...]
    status: ProjectStatus
    latest_version: str | None
    stars: int
    downloads: int
    updated_at: datetime
    featured: bool
    verified: VerifiedView | None

    @classmethod
    def of(cls, card: Card) -> Self:
        return cls(
            id=card.id,
            slug=card.slug,
            name=card.name,
            title=card.title,
            summary=card.summary,
            owner=OwnerView(card.owner_handle, card.owner_name),
            technologies=card.technologies,
            license=card.license or None,
            price=PriceView.of(card.price),
            tags=card.tags,
            status=card.status,
            latest_version=card.latest_version,
            stars=card.stars,
            downloads=card.downloads,
            updated_at=card.updated_at,
            featured=card.featured,
            verified=VerifiedView.of(card.verified),
        )
