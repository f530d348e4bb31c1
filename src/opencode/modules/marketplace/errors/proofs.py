"""
What can go wrong with the proof that a repository is one's own.

    NotFound     ProofNotFound
    Conflict     NothingToProve · NoIssuer
    Invalid      TokenRefused
    Busy         ChecksTooFast
    Unavailable  IssuerNotUnderstood
"""

from opencode.kernel.errors import Busy, Conflict, Invalid, NotFound, Unavailable


class ProofNotFound(NotFound):
    """The project has no such proof."""

    title = "The proof was not found"

    def __init__(self, proof_id: str) -> None:
        super().__init__(f"The project has no proof {proof_id[:100]!r}.", action="List its proofs, or begin one.")


class NothingToProve(Conflict):
    """The project names no repository, or one whose address is too long to be one."""

    title = "There is nothing to prove"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"The project {slug} names no repository that could be proved.", action="Set repository_url first."
        )


class NoIssuer(Conflict):
    """Nobody vouches for jobs that run for repositories of this host."""

    title = "No issuer of tokens is set up"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"This server believes no issuer of tokens for repositories on {host[:100]!r}.",
            action="Prove it by a file or by DNS, or ask the operator to set OCP_MARKETPLACE_OIDC_ISSUERS.",
        )


class TokenRefused(Invalid):
    """The token of a job proves nothing here."""

    title = "The token was refused"

    def __init__(self, why: str) -> None:
        super().__init__(f"The token {why}.", action="Let a job of the repository ask for a new one, and send it once.")


class IssuerNotUnderstood(Unavailable):
    """An issuer of tokens does not say what its keys are."""

    title = "The issuer of tokens is not understood"

    def __init__(self, url: str) -> None:
        super().__init__(
            f"The issuer {url} does not tell its keys as OpenID Connect says.",
            action="Try again later, or tell the operator.",
        )


class ChecksTooFast(Busy):
    """One person asks for too many checks of proofs; each of them asks a stranger's server."""

    title = "Too many checks"

    def __init__(self, wait_s: int) -> None:
        super().__init__("You ask for checks too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s)
