"""Providers that administrators have added."""

from dataclasses import fields
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.modules.ai.domain.stored import StoredProvider
from opencode.modules.ai.errors import ProviderNameTaken
from opencode.modules.ai.store.tables import providers


class ProviderStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self, *, to_change: bool = False) -> list[StoredProvider]:
        """By name. There are few: the settings say how many there may be."""
        query = select(providers).order_by(providers.c.name)
        rows = await self._connection.execute(query.with_for_update() if to_change else query)
        return [_stored(row) for row in rows]

    async def add(self, provider: StoredProvider) -> None:
        """
        Raises:
            ProviderNameTaken: somebody took the name at the same moment.
        """
        try:
            await self._connection.execute(insert(providers).values(_row(provider)))
        except IntegrityError:
            raise ProviderNameTaken(provider.name, "it was added in this moment") from None

    async def save(self, provider: StoredProvider) -> None:
        await self._connection.execute(update(providers).where(providers.c.id == provider.id).values(_row(provider)))

    async def reseal(self, provider: StoredProvider, sealed: str) -> bool:
        """Put other seals around the same secrets. Returns False when they were changed meanwhile."""
        same = providers.c.id == provider.id, providers.c.sealed == provider.sealed
        done = await self._connection.execute(update(providers).where(*same).values(sealed=sealed))
        return bool(done.rowcount)

    async def delete(self, provider: StoredProvider) -> None:
        await self._connection.execute(delete(providers).where(providers.c.id == provider.id))


def _stored(row: Any) -> StoredProvider:
    values: dict[str, Any] = {each.name: getattr(row, each.name) for each in fields(StoredProvider)}
    values["settings"] = msgspec.json.decode(row.settings, type=dict[str, object])
    return StoredProvider(**values)


def _row(provider: StoredProvider) -> dict[str, Any]:
    values = {each.name: getattr(provider, each.name) for each in fields(provider)}
    return {**values, "settings": msgspec.json.encode(provider.settings).decode()}
