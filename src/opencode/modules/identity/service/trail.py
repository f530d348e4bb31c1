"""The trail of security events, for administrators; and keeping it and all credentials from growing for ever."""

from datetime import timedelta

from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.identity.domain import AuditEntry
from opencode.modules.identity.service.base import Service


class Trail(Service):
    async def page(self, principal: Principal, page: PageRequest) -> Page[AuditEntry]:
        """
        The whole trail, the newest first.

        Raises:
            Unauthenticated, Forbidden: only administrators read it.
        """
        principal.require("audit:read")
        async with self._reading() as stores:
            return await stores.audit.page(page)

    async def sweep(self) -> None:
        """Drop what has expired: sessions, tokens, guests, invitations, and old lines of the trail."""
        now = self._now()
        async with self._work() as work:
            for store in (work.stores.sessions, work.stores.tokens, work.stores.guests, work.stores.invites):
                await store.sweep(now)
            await work.stores.audit.sweep(now - timedelta(days=self._settings.audit_days))
