"""Who has bought what, and the licence keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import EntitlementId, OrderId, ProjectId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.marketplace.domain.entitlements import Entitlement
from opencode.modules.marketplace.store.tables import entitlements, orders

_SHOWN = select(
    *(column for column in entitlements.columns if column.name != "key_hash"), orders.c.slug, orders.c.title
).select_from(entitlements.join(orders, orders.c.id == entitlements.c.order_id))


class EntitlementStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def active_of(self, user_id: str, project_id: ProjectId) -> Entitlement | None:
        """The oldest that was not revoked."""
        columns = entitlements.c
        return await self._one(
            columns.user_id == user_id, columns.project_id == project_id, columns.revoked_at.is_(None)
        )

    async def get(self, entitlement_id: str) -> Entitlement | None:
        return await self._one(entitlements.c.id == entitlement_id)

    async def with_key(self, key_hash: str) -> Entitlement | None:
        return await self._one(entitlements.c.key_hash == key_hash)

    async def _one(self, *conditions: ColumnElement[bool]) -> Entitlement | None:
        query = _SHOWN.where(*conditions).order_by(entitlements.c.activated_at, entitlements.c.id).limit(1)
        found = (await self._connection.execute(query)).mappings().one_or_none()
        return Entitlement(**found) if found else None

    async def has_keys(self, project_id: ProjectId) -> bool:
        """Do programs of this project ask for licence keys? So it is when some of its buyers have made theirs."""
        columns = entitlements.c
        query = select(columns.id).where(columns.project_id == project_id, columns.key_hash.is_not(None)).limit(1)
        return (await self._connection.execute(query)).first() is not None

    async def page_of(self, user_id: str, wanted: PageRequest) -> Page[Entitlement]:
        """Newest first, those that were revoked too."""
        query = _SHOWN.where(entitlements.c.user_id == user_id)
        query = newest_first(query, entitlements.c.activated_at, entitlements.c.id, wanted)
        found = [Entitlement(**row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda each: time_keys(each.activated_at, each.id))

    async def add(self, new: Entitlement) -> None:
        own: dict[str, Any] = {
            column.name: getattr(new, column.name) for column in entitlements.columns if column.name != "key_hash"
        }
        await self._connection.execute(insert(entitlements).values(own))

    async def revoke(self, order_id: OrderId, at: datetime) -> None:
        """Doing it twice is the same as once."""
        changed = update(entitlements).where(entitlements.c.order_id == order_id, entitlements.c.revoked_at.is_(None))
        await self._connection.execute(changed.values(revoked_at=at))

    async def restore(self, order_id: OrderId) -> None:
        """Take a revocation back."""
        changed = update(entitlements).where(entitlements.c.order_id == order_id)
        await self._connection.execute(changed.values(revoked_at=None))

    async def give_key(self, entitlement_id: EntitlementId, key_hash: str, last4: str, at: datetime) -> bool:
        """In place of the one before. Returns whether there is such an entitlement that was not revoked."""
        changed = update(entitlements).where(entitlements.c.id == entitlement_id, entitlements.c.revoked_at.is_(None))
        changed = changed.values(key_hash=key_hash, key_last4=last4, key_issued_at=at)
        return (await self._connection.execute(changed)).rowcount == 1
