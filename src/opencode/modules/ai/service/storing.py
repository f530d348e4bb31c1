"""What administrators have stored, read for the configuration; secrets are sealed again when the key changes."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import structlog

from opencode.infra.db import Database
from opencode.infra.security import Keyring, SealBroken
from opencode.modules.ai.domain.configuration.checking import MASK
from opencode.modules.ai.domain.setting import StoredLimits
from opencode.modules.ai.domain.stored import Secrets, StoredProvider
from opencode.modules.ai.service.configuring import Stored
from opencode.modules.ai.store import reading, writing

log = structlog.get_logger(__name__)

Stamp = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """
    The database's part of the configuration.

    Attributes:
        unreadable: providers whose secrets cannot be opened, with the reason; they are left out.
        limits: of persons, teams and everybody.
        stamp: changes when any of them does.
    """

    providers: Stored
    unreadable: dict[str, str]
    limits: Sequence[StoredLimits]
    stamp: Stamp


NOTHING_STORED = StoredLayer({}, {}, (), frozenset())


class Storing:
    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self.keyring = keyring

    async def layer(self) -> StoredLayer:
        """What the database says."""
        async with reading(self._database) as stores:
            return self.layer_of(await stores.providers.all(), await stores.limits.all())

    async def stamp(self) -> Stamp:
        """The stamp of what the database says now."""
        async with reading(self._database) as stores:
            return stamp_of(await stores.providers.all(), await stores.limits.all())

    async def all(self) -> Sequence[StoredProvider]:
        async with reading(self._database) as stores:
            return await stores.providers.all()

    async def limits(self) -> Sequence[StoredLimits]:
        async with reading(self._database) as stores:
            return await stores.limits.all()

    def layer_of(self, stored: Sequence[StoredProvider], limits: Sequence[StoredLimits] = ()) -> StoredLayer:
        providers: dict[str, dict[str, object]] = {}
        unreadable: dict[str, str] = {}
        for each in stored:
            try:
                providers[each.name] = said_by(each, self.secrets_of(each))
            except (SealBroken, OSError) as error:
                unreadable[each.name] = str(error)
        return StoredLayer(providers, unreadable, limits, stamp_of(stored, limits))

    def secrets_of(self, provider: StoredProvider) -> Secrets:
        """
        Raises:
            SealBroken, OSError
        """
        if provider.sealed is None:
            return Secrets()
        return msgspec.json.decode(self.keyring.open(provider.sealed, provider.what), type=Secrets)

    def sealed(self, secrets: Secrets, what: str) -> str | None:
        return None if secrets.is_empty else self.keyring.seal(msgspec.json.encode(secrets), what)

    async def reseal(self) -> int:
        """Seal with the first key whatever another one has sealed. Returns how many there were."""
        resealed = 0
        for provider in await self.all():
            try:
                if provider.sealed is None or self.keyring.is_current(provider.sealed):
                    continue
                sealed = self.sealed(self.secrets_of(provider), provider.what)
            except (SealBroken, OSError) as error:
                log.error("a stored key cannot be opened", provider=provider.name, reason=str(error))
                continue
            assert sealed is not None
            async with writing(self._database) as stores:
                resealed += await stores.providers.reseal(provider, sealed)
        if resealed:
            log.info("stored keys are sealed anew", count=resealed)
        return resealed


def said_by(provider: StoredProvider, secrets: Secrets) -> dict[str, object]:
    """A stored provider as a configuration would say it."""
    said = dict(provider.settings)
    if secrets.api_key:
        said["api_key"] = secrets.api_key
    if secrets.headers:
        said["headers"] = secrets.headers
    return said


def masked(stored: Sequence[StoredProvider]) -> Stored:
    """The same without opening anything, for those who only look at the configuration."""
    return {each.name: {**each.settings, **({"api_key": MASK} if each.sealed else {})} for each in stored}


def stamp_of(providers: Sequence[StoredProvider], limits: Sequence[StoredLimits]) -> Stamp:
    of_providers = ((each.id, str(each.revision)) for each in providers)
    return frozenset((*of_providers, *((each.whose.words, each.version) for each in limits)))
