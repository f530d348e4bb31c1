"""What the services of this module share: transactions, reading, the trail, and brakes against guessing."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

from opencode.infra.plugs import Parts
from opencode.infra.security import Rate, hash_secret
from opencode.kernel.addresses import network_of
from opencode.kernel.ids import new_id
from opencode.modules.identity.domain import AuditEntry
from opencode.modules.identity.errors import TooManyAttempts
from opencode.modules.identity.settings import IdentitySettings
from opencode.modules.identity.store import Stores, Work

_MINUTE_S = 60


class Service:
    """Base of the services; each public method of theirs is one thing that a person can do."""

    def __init__(self, parts: Parts, settings: IdentitySettings) -> None:
        self._parts = parts
        self._settings = settings

    def _now(self) -> datetime:
        return self._parts.clock.now()

    def _work(self) -> Work:
        return Work(self._parts.database, self._parts.clock, wake=self._parts.wake_relay)

    @asynccontextmanager
    async def _reading(self) -> AsyncGenerator[Stores]:
        async with self._parts.database.read() as connection:
            yield Stores(connection)

    async def _note(
        self, stores: Stores, kind: str, *, actor: str = "", subject: str = "", address: str = "", detail: str = ""
    ) -> None:
        """Add a line to the trail, in the transaction of what it tells of."""
        await stores.audit.add(
            AuditEntry(
                id=new_id("aud"),
                at=self._now(),
                kind=kind,
                actor_id=actor,
                subject_id=subject,
                address=address[:80],
                detail=detail[:500],
            )
        )

    async def _brake(self, action: str, address: str, account: str | None = None) -> None:
        """
        Count an attempt for the address and for the account, whether or not there is such an account.

        Raises:
            TooManyAttempts: the minute's attempts of either are used up.
        """
        rate = Rate(self._settings.sign_in_attempts_per_minute, _MINUTE_S)
        keys = [f"identity.{action}.address:{network_of(address)}"]
        if account is not None:
            keys.append(self._account_brake(action, account))
        waits = [await self._parts.limiter.attempt(key, rate) for key in keys]
        if not any(waits):
            return
        # One line of the trail a minute and address: a flood must not fill the disk.
        if await self._parts.limiter.attempt(f"identity.told:{keys[0]}", Rate(1, _MINUTE_S)) == 0:
            async with self._work() as work:
                await self._note(work.stores, f"{action}.throttled", address=address)
        raise TooManyAttempts(max(waits))

    def _account_brake(self, action: str, account: str) -> str:
        # Hashed: what people type into the form may be anything, of any length, and need not lie around in Redis.
        return f"identity.{action}.account:{hash_secret(account)}"
