"""Who may have what: entitlements, and licence keys with which programs ask."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from opencode.infra.security import Rate, hash_secret, same_secret
from opencode.kernel.addresses import network_of
from opencode.kernel.ids import ProjectId
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.entitlements import KEY_BITS, Entitlement, licence_key_of, tidy_licence_key
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.slugs import parts_of
from opencode.modules.marketplace.errors import EntitlementNotFound, LicencesTooFast, ProjectNotBought
from opencode.modules.marketplace.service.base import UseCases

_MINUTE_S = 60
_LAST = 4


@dataclass(frozen=True, slots=True)
class NewKey:
    """A licence key in plain: shown once."""

    key: str
    last4: str
    issued_at: datetime


class Entitlements(UseCases):
    async def holds(self, user_id: str, project_id: ProjectId) -> bool:
        """Has somebody bought this project, and was not given all of the money back?"""
        async with self.reading() as stores:
            return await stores.entitlements.active_of(user_id, project_id) is not None

    async def may_have(self, by: Principal, project: Project) -> bool:
        """May somebody have what is in the project: because it is free, theirs, bought, or they are administrators?"""
        return policy.may_have(by, project) or (by.is_user and await self.holds(by.id, project.id))

    async def require(self, by: Principal, project: Project) -> None:
        """
        Raises:
            ProjectNotBought
        """
        if not await self.may_have(by, project):
            raise ProjectNotBought(project.slug, project.price.amount_minor, project.price.currency)

    async def list_own(self, by: Principal, wanted: PageRequest) -> Page[Entitlement]:
        """Newest first, those that were revoked too."""
        policy.require_account(by)
        async with self.reading() as stores:
            return await stores.entitlements.page_of(by.id, wanted)

    async def new_key(self, entitlement_id: str, by: Principal) -> NewKey:
        """
        Make the licence key of an entitlement; the one before is good no more. It is kept as a hash: nobody reads it
        again.

        Raises:
            EntitlementNotFound: none of the caller's, or one that was revoked.
            Unauthenticated, Forbidden, ProjectsTooFast
        """
        policy.require_writer(by)
        await self.brake(by)
        now = self.clock.now()
        key = licence_key_of(secrets.randbits(KEY_BITS))
        async with self.unit_of_work() as work:
            found = await work.stores.entitlements.get(entitlement_id)
            if found is None or found.user_id != by.id:
                raise EntitlementNotFound(entitlement_id)
            if not await work.stores.entitlements.give_key(found.id, hash_secret(key), key[-_LAST:], now):
                raise EntitlementNotFound(entitlement_id)
        return NewKey(key, key[-_LAST:], now)

    async def verify(self, typed: str, slug: str, address: str) -> Entitlement | None:
        """
        The entitlement that a licence key stands for, if it is good for the project that has, or had, this slug.

        Keys are found by their hash, whose letters tell nothing of a key that is nearly right; and one question takes
        as long as another, so that nobody learns which half of it was wrong.

        Raises:
            LicencesTooFast
        """
        rate = Rate(self.settings.marketplace_licence_checks_per_minute, _MINUTE_S)
        if wait_s := await self.parts.limiter.attempt(f"marketplace:licence:{network_of(address)}", rate):
            raise LicencesTooFast(wait_s)
        key_hash = hash_secret(tidy_licence_key(typed) or "")
        parts = parts_of(slug)
        async with self.reading() as stores:
            found = await stores.entitlements.with_key(key_hash)
            shown = await stores.projects.find(*parts) if parts else None
        meant_id = shown.project.id if shown else ""
        is_meant = same_secret(found.project_id if found else "-", meant_id)
        return found if found and is_meant and found.is_active else None
