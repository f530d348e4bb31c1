"""People who publish."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from opencode.infra.http import Body
from opencode.kernel.errors import FieldProblem
from opencode.modules.marketplace.domain import profile as profiles
from opencode.modules.marketplace.domain.reputation import Reputation
from opencode.modules.marketplace.schemas.fields import CardView, HoldView, present_values
from opencode.modules.marketplace.service.people import Person


class ProfileChange(Body):
    """What is to change of one's profile; what is absent stays."""

    handle: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    bio: str | UnsetType = UNSET
    avatar: str | UnsetType | None = UNSET
    skills: list[str] | UnsetType = UNSET
    location: str | UnsetType = UNSET
    website: str | UnsetType | None = UNSET
    github: str | UnsetType = UNSET

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return profiles.checked(fields)[1]

    def values(self) -> dict[str, Any]:
        return present_values(self)


class ProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A person. `projects` are the latest publications, `projects_total` says how many there are in all. `moderation` is
    null unless moderators hold the profile; then its owner and they alone see more of it than handle and name.
    """

    handle: str
    display_name: str
    bio: str
    avatar: str | None
    skills: tuple[str, ...]
    location: str
    website: str | None
    github: str
    reputation: int
    projects: list[CardView]
    projects_total: int
    moderation: HoldView | None
    revision: int
    created_at: datetime

    @classmethod
    def of(cls, person: Person) -> "ProfileView":
        own = person.profile
        return cls(
            handle=own.handle,
            display_name=own.display_name,
            bio=own.bio,
            avatar=own.avatar,
            skills=own.skills,
            location=own.location,
            website=own.website,
            github=own.github,
            reputation=person.reputation,
            projects=[CardView.of(card) for card in person.cards],
            projects_total=person.total,
            moderation=HoldView.of(person.case, own.hold),
            revision=own.revision,
            created_at=own.created_at,
        )


class ReputationPartView(msgspec.Struct, frozen=True):
    name: Literal["trusted_stars", "proof", "other_stars"]
    points: int
    why: str


class ReputationView(msgspec.Struct, frozen=True):
    """The score is the sum of its parts. `computed_at` is null when it was not computed yet."""

    score: int
    parts: list[ReputationPartView]
    computed_at: datetime | None

    @classmethod
    def of(cls, found: Reputation, computed_at: datetime | None) -> "ReputationView":
        trust = f"{round(found.trust, 4):g}"
        parts = [
            ReputationPartView(
                "trusted_stars",
                found.trust_points,
                f"{trust} of trust came from people whom the operator has chosen, over at most three stars",
            ),
            ReputationPartView(
                "proof", found.proof_points, "a repository is proved" if found.has_proof else "no repository is proved"
            ),
            ReputationPartView(
                "other_stars",
                found.other_points,
                f"{found.admirers} people with an account of some age have starred a project; 5 points at the most",
            ),
        ]
        return cls(found.score, parts, computed_at)
