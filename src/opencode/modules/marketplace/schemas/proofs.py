"""Proofs of ownership, and names that are alike."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from opencode.infra.http import Body
from opencode.modules.marketplace.domain.proofs import ProofMethod, ProofState
from opencode.modules.marketplace.service.proving import ProofShown, ProofsShown
from opencode.modules.marketplace.service.resembling import NameChecked, Similar


class ProofBody(Body):
    """How the repository is to be proved: by a `file` in it, by its host's `dns`, or by a job's token (`oidc`)."""

    method: ProofMethod


class TokenBody(Body):
    """What an issuer gave to a job of CI: a JSON Web Token for the audience that the proof has as its `token`."""

    token: Annotated[str, Meta(min_length=1, max_length=16_384)]


class ProofView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A proof. `todo` says where the `token` is to be put, `message` what the last check has found. `also_proved_by`:
    projects of other people who have proved the same repository.
    """

    id: str
    method: ProofMethod
    state: ProofState
    repository: str
    token: str
    todo: str
    message: str
    also_proved_by: list[str]
    created_at: datetime
    checked_at: datetime | None
    verified_at: datetime | None

    @classmethod
    def of(cls, shown: ProofShown) -> "ProofView":
        proof = shown.proof
        return cls(
            id=proof.id,
            method=proof.method,
            state=proof.state,
            repository=proof.repository,
            token=shown.token,
            todo=shown.todo,
            message=proof.message,
            also_proved_by=list(shown.others),
            created_at=proof.created_at,
            checked_at=proof.checked_at,
            verified_at=proof.verified_at,
        )


class ProofsView(msgspec.Struct, frozen=True):
    """The proofs that were begun, and the methods that can prove the project's repository on this server."""

    items: list[ProofView]
    methods: list[ProofMethod]

    @classmethod
    def of(cls, shown: ProofsShown) -> "ProofsView":
        return cls([ProofView.of(each) for each in shown.proofs], list(shown.methods))


class SimilarView(msgspec.Struct, frozen=True):
    """A well used project of somebody else. `why`: how the name resembles its name."""

    slug: str
    title: str
    stars: int
    downloads: int
    why: str

    @classmethod
    def of(cls, similar: Similar, name: str) -> "SimilarView":
        card = similar.card
        return cls(card.slug, card.title, card.stars, card.downloads, similar.told_of(name))


class NameCheckView(msgspec.Struct, frozen=True):
    """`name` is what would stand in the address. `available`: none of one's own projects has it, or had it."""

    name: str
    available: bool
    similar: list[SimilarView]

    @classmethod
    def of(cls, checked: NameChecked) -> "NameCheckView":
        return cls(checked.name, checked.is_available, [SimilarView.of(each, checked.name) for each in checked.similar])
