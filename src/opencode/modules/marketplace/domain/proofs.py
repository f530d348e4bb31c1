"""Proof that a project's repository is its owner's: which ways there are, how long one is good, and what voids it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from opencode.modules.marketplace.domain.repositories import repository_of

MAX_KEY_BYTES = 500
"""Of a repository's key that can be proved; no real one comes near."""
RETRY = timedelta(days=1)
"""When a proof that failed is looked at again, until its grace is over."""


class ProofMethod(StrEnum):
    FILE = "file"
    """A token in a file of the repository, or of the web site that it is on."""
    DNS = "dns"
    """A token in a TXT record of the repository's host."""
    OIDC = "oidc"
    """A job of the repository's CI, for which an issuer vouches."""


class ProofState(StrEnum):
    PENDING = "pending"
    VERIFIED = "verified"
    FAILING = "failing"
    """The last check failed; it still counts, until the grace is over."""
    VOID = "void"


VALID = frozenset({ProofState.VERIFIED, ProofState.FAILING})


@dataclass(frozen=True, slots=True)
class Verified:
    """What others see of a proof."""

    method: ProofMethod
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """
    One way to prove a project's repository; each project has one proof for each method.

    Attributes:
        repository: the key of what is proved (`repository_key`).
        message: what the last check found, in words.
        next_check_at: None while nobody needs to look.
    """

    id: str
    project_id: str
    owner_id: str
    method: ProofMethod
    repository: str
    state: ProofState = ProofState.PENDING
    message: str = ""
    created_at: datetime
    checked_at: datetime | None = None
    verified_at: datetime | None = None
    failed_since: datetime | None = None
    next_check_at: datetime | None = None

    @property
    def is_valid(self) -> bool:
        return self.state in VALID

    def passed(self, at: datetime, every: timedelta) -> "Proof":
        """Args: every: after which time it is looked at again."""
        return replace(
            self,
            state=ProofState.VERIFIED,
            message="The token is there.",
            checked_at=at,
            verified_at=self.verified_at if self.is_valid else at,
            failed_since=None,
            next_check_at=at + every,
        )

    def failed(self, message: str, at: datetime, grace: timedelta) -> "Proof":
        """Args: grace: how long a proof that was good still counts after the first check that failed."""
        after = replace(self, message=message, checked_at=at)
        if not self.is_valid:
            return after
        since = self.failed_since or at
        if at - since >= grace:
            return replace(after, state=ProofState.VOID, verified_at=None, failed_since=None, next_check_at=None)
        return replace(after, state=ProofState.FAILING, failed_since=since, next_check_at=at + RETRY)


def repository_key(url: str | None) -> str | None:
    """
    Host and path of a repository, the same for all its addresses. The large hosts of repositories take no notice of
    case in them; about others nothing is known, so the case of the path makes a difference there.
    """
    if url is None:
        return None
    if known := repository_of(url):
        return f"{known.host}/{known.path}".lower()
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix(".git")
    return f"{parts.netloc.lower()}{path}{f'?{parts.query}' if parts.query else ''}"


def same_repository(one: str | None, other: str | None) -> bool:
    return repository_key(one) == repository_key(other)


def verified_by(proofs: list[Proof], url: str | None) -> Verified | None:
    """The first of the proofs that hold for the repository at this address."""
    key = repository_key(url)
    good = [proof for proof in proofs if proof.is_valid and proof.repository == key]
    found = [Verified(proof.method, proof.verified_at) for proof in good if proof.verified_at]
    return min(found, key=lambda verified: verified.at, default=None)
