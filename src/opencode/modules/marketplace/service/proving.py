"""Proving that a project's repository is one's own, without a human to wait for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec
import structlog

from opencode.infra.db import fingerprint
from opencode.infra.security import Rate, hash_secret
from opencode.kernel.addresses import network_of
from opencode.kernel.errors import Invalid, Unavailable
from opencode.kernel.ids import ProjectId, UserId, new_id
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.adapters.oidc import Issuers
from opencode.modules.marketplace.adapters.proofs import FILE, RECORD, WELL_KNOWN, Proofs, token_of
from opencode.modules.marketplace.domain.issuers import Vouched
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.proofs import (
    MAX_KEY_BYTES,
    Proof,
    ProofMethod,
    ProofState,
    repository_key,
    same_repository,
    verified_by,
)
from opencode.modules.marketplace.domain.repositories import repository_of
from opencode.modules.marketplace.errors import (
    ChecksTooFast,
    NoIssuer,
    NothingToProve,
    ProjectNotFound,
    ProofNotFound,
    SameKeyOtherProject,
    TokenRefused,
)
from opencode.modules.marketplace.policy import Action
from opencode.modules.marketplace.service.base import Shared, UseCases, listing_events
from opencode.modules.marketplace.store import MarketplaceWork

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 50
"""Proofs that are looked at again in one go."""
_HOUR_S = 3600
_TOKENS = "oidc"
"""In whose name it is remembered which tokens were used; no account is called that."""
_CLAIM = timedelta(hours=1)


class _Key(msgspec.Struct, frozen=True, tag="marketplace.proofs"):
    """What is signed to get a secret that every server of a deployment has."""


@dataclass(frozen=True, slots=True)
class ProofShown:
    """
    A proof as its owner sees it.

    Attributes:
        token: is to be put where only an owner can put it.
        todo: where, in words.
        others: slugs of projects of other people who have proved the same repository.
    """

    proof: Proof
    token: str
    todo: str
    others: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ProofsShown:
    """
    What its owner has done to prove a repository, and could do.

    Attributes:
        methods: that can prove it on this server.
    """

    proofs: Sequence[ProofShown]
    methods: Sequence[ProofMethod]


class Proving(UseCases):
    def __init__(
        self,
        shared: Shared,
        proofs: Proofs,
        issuers: Issuers,
    ) -> None:
        super().__init__(shared)
        self._proofs = proofs
        self._issuers = issuers
        self._key = hash_secret(self.parts.signer.sign(_Key())).encode()

    async def begin(self, slug: str, by: Principal, method: ProofMethod) -> ProofShown:
        """
        Begin to prove the repository that the project names. One that was begun already is given back.

        Raises:
            ProjectNotFound, NotYourProject, ProjectHeld, NothingToProve
            NoIssuer: nobody vouches for jobs that run for this repository.
        """
        policy.require_account(by)
        await self.brake(by)
        async with self.unit_of_work() as work:
            project = (await self.find(work.stores, slug, to_change=True)).project
            policy.require(Action.CHANGE, by, project)
            key = repository_key(project.repository_url)
            if key is None or len(key.encode()) > MAX_KEY_BYTES:
                raise NothingToProve(project.slug)
            if method not in self._methods(key):
                raise NoIssuer(_host_of(key))
            for earlier in await work.stores.proofs.of_project(project.id):
                if earlier.method is not method:
                    continue
                if earlier.state is not ProofState.VOID and earlier.repository == key:
                    return self._shown(project, earlier)
                await work.stores.proofs.remove(earlier.id)
            new = Proof(
                id=new_id("prf"),
                project_id=project.id,
                owner_id=project.owner_id,
                method=method,
                repository=key,
                created_at=self.clock.now(),
            )
            await work.stores.proofs.add(new)
        return self._shown(project, new)

    async def list_all(self, slug: str, by: Principal) -> ProofsShown:
        """
        Raises:
            ProjectNotFound, NotYourProject, ProjectHeld
        """
        policy.require_account(by)
        async with self.reading() as stores:
            project = (await self.find(stores, slug)).project
            policy.require(Action.CHANGE, by, project)
            shown = [
                self._shown(project, proof, await stores.proofs.proved_by_others(proof.repository, proof.owner_id))
                if proof.is_valid
                else self._shown(project, proof)
                for proof in await stores.proofs.of_project(project.id)
            ]
        key = repository_key(project.repository_url)
        return ProofsShown(shown, self._methods(key) if key else ())

    def _methods(self, key: str) -> list[ProofMethod]:
        """Those that can prove a repository here."""
        vouched = bool(self._issuers.of_host(_host_of(key)))
        return [method for method in ProofMethod if method is not ProofMethod.OIDC or vouched]

    async def check(self, slug: str, proof_id: str, by: Principal) -> ProofShown:
        """
        Look whether the token is there.

        Raises:
            ProjectNotFound, NotYourProject, ProjectHeld, ProofNotFound, ChecksTooFast
        """
        policy.require_account(by)
        async with self.reading() as stores:
            project = (await self.find(stores, slug)).project
            policy.require(Action.CHANGE, by, project)
            proof = _one(await stores.proofs.of_project(project.id), proof_id)
        # There is nothing to look at for a job's token: it comes by itself.
        if proof.state is ProofState.VOID or proof.method is ProofMethod.OIDC:
            return self._shown(project, proof)
        rate = Rate(self.settings.proof_checks_per_hour, _HOUR_S)
        if wait_s := await self.parts.limiter.attempt(f"marketplace:proof:{by.id}", rate):
            raise ChecksTooFast(wait_s)
        # Strangers are asked outside of any transaction: they may take their time.
        problem = await self._problem(project, proof)
        return await self._note(project, proof_id, problem)

    async def take_token(self, slug: str, proof_id: str, token: str, address: str) -> ProofShown:
        """
        Take the token of a job of CI. It says itself who it is of and what for, so whoever sends it need not.

        Args:
            token: for the audience that `begin` gave; it is good once.
            address: of whoever sends it.

        Raises:
            ProofNotFound: there is none that waits for a token; it is not told whether there is the project.
            TokenRefused, IssuerNotUnderstood, ChecksTooFast, FetchFailed
        """
        rate = Rate(self.settings.proof_checks_per_hour, _HOUR_S)
        if wait_s := await self.parts.limiter.attempt(f"marketplace:proof:{network_of(address)}", rate):
            raise ChecksTooFast(wait_s)
        try:
            async with self.reading() as stores:
                project = (await self.find(stores, slug)).project
                proof = _one(await stores.proofs.of_project(project.id), proof_id)
        except ProjectNotFound:
            raise ProofNotFound(proof_id) from None
        if proof.method is not ProofMethod.OIDC or proof.state is ProofState.VOID:
            raise ProofNotFound(proof_id)
        said = await self._issuers.read(token, self._token(project), self.clock.now())
        if said.repository != proof.repository or repository_key(project.repository_url) != proof.repository:
            raise TokenRefused("is of another repository")
        await self._use_once(said, proof)
        return await self._note(project, proof_id, None)

    async def _use_once(self, said: Vouched, proof: Proof) -> None:
        """
        Raises:
            TokenRefused: it has come before.
        """
        key = fingerprint(said.id)
        async with self.unit_of_work() as work:
            if await work.stores.requests.find(_TOKENS, key):
                raise TokenRefused("was used before")
            try:
                await work.stores.requests.add(_TOKENS, key, fingerprint(said.repository), proof.id, self.clock.now())
            except SameKeyOtherProject:
                raise TokenRefused("was used before") from None

    async def remove(self, slug: str, proof_id: str, by: Principal) -> None:
        """
        Raises:
            ProjectNotFound, NotYourProject, ProjectHeld, ProofNotFound
        """
        policy.require_account(by)
        async with self.unit_of_work() as work:
            project = (await self.find(work.stores, slug, to_change=True)).project
            policy.require(Action.CHANGE, by, project)
            await work.stores.proofs.remove(_one(await work.stores.proofs.of_project(project.id), proof_id).id)
            await self._show(work, project)
        await self.catalogue.catch_up([project.id])

    async def check_due(self) -> None:
        """Look again at the proofs whose time has come."""
        now = self.clock.now()
        async with self.reading() as stores:
            due = await stores.proofs.due(now, MOST_AT_ONCE)
        for proof in due:
            async with self.unit_of_work() as work:
                mine = await work.stores.proofs.claim(proof, now + _CLAIM)
            if mine:
                await self._check_again(proof)

    async def _check_again(self, proof: Proof) -> None:
        async with self.reading() as stores:
            found = await stores.projects.get(proof.project_id)
        if found is None:
            return
        problem = await self._problem(found.project, proof)
        try:
            shown = await self._note(found.project, proof.id, problem)
        except ProofNotFound:
            return  # its owner took it back in the meantime
        log.info("proof checked again", project_id=proof.project_id, state=shown.proof.state)

    async def _problem(self, project: Project, proof: Proof) -> str | None:
        """Why the token proves nothing, in words; None when it does."""
        token = self._token(project)
        url = project.repository_url
        if url is None or repository_key(url) != proof.repository:
            return "The project names another repository by now."
        if proof.method is ProofMethod.OIDC:
            return f"No job has sent a new token. {_todo(project, proof.method)}"
        try:
            if proof.method is ProofMethod.DNS:
                found = await self._proofs.domain_has(_domain(url), token)
            elif repository_of(url):
                found = await self._proofs.repository_has(url, token)
            else:
                found = await self._proofs.site_has(_domain(url), token)
        except (Invalid, Unavailable) as error:
            return f"{error.detail} {error.action}".strip()
        return None if found else f"The token was not there. {_todo(project, proof.method)}"

    async def _note(self, seen: Project, proof_id: str, problem: str | None) -> ProofShown:
        """
        Write down what a check has found.

        Args:
            seen: the project as it was when the check began.

        Raises:
            ProofNotFound: it is gone.
        """
        now = self.clock.now()
        async with self.unit_of_work() as work:
            found = await work.stores.projects.get(seen.id, to_change=True)
            if found is None:
                raise ProofNotFound(proof_id)
            project = found.project
            before = _one(await work.stores.proofs.of_project(seen.id), proof_id)
            if before.state is ProofState.VOID or not same_repository(seen.repository_url, project.repository_url):
                return self._shown(project, before)
            if problem is None:
                after = before.passed(now, timedelta(days=self.settings.proof_days))
            else:
                after = before.failed(problem, now, timedelta(days=self.settings.proof_grace_days))
            await work.stores.proofs.save(after)
            others = await work.stores.proofs.proved_by_others(after.repository, after.owner_id)
            await self._show(work, project)
        await self.catalogue.catch_up([project.id])
        return self._shown(project, after, others if after.is_valid else ())

    async def _show(self, work: MarketplaceWork, project: Project) -> None:
        """Let the project say what its proofs prove by now."""
        verified = verified_by(await work.stores.proofs.of_project(project.id), project.repository_url)
        if verified == project.verified:
            return
        after = replace(
            project,
            verified_method=verified.method if verified else None,
            verified_at=verified.at if verified else None,
        )
        await work.stores.projects.save(after)
        for event in listing_events(project, after, self.clock.now()):
            work.publish(event)

    def _token(self, project: Project) -> str:
        return token_of(self._key, ProjectId(project.id), UserId(project.owner_id))

    def _shown(self, project: Project, proof: Proof, others: Sequence[str] = ()) -> ProofShown:
        return ProofShown(proof, self._token(project), _todo(project, proof.method), others)


def _one(proofs: Sequence[Proof], proof_id: str) -> Proof:
    """
    Raises:
        ProofNotFound
    """
    for proof in proofs:
        if proof.id == proof_id:
            return proof
    raise ProofNotFound(proof_id)


def _domain(url: str) -> str:
    return urlsplit(url).hostname or ""


def _todo(project: Project, method: ProofMethod) -> str:
    url = project.repository_url or ""
    if method is ProofMethod.DNS:
        return f"Add a TXT record with the text {RECORD}<token> to {_domain(url)}."
    if method is ProofMethod.OIDC:
        return (
            "Let a job of the repository ask for a token with the audience <token>, and send it to "
            f"POST /api/v1/projects/{project.slug}/proofs/<id>/token."
        )
    if known := repository_of(url):
        return (
            f"Commit the token, on a line of its own, as {FILE} or {WELL_KNOWN} to the default branch of {known.url}."
        )
    return f"Serve the token, on a line of its own, at https://{_domain(url)}/{WELL_KNOWN}."


def _host_of(key: str) -> str:
    return key.partition("/")[0]
