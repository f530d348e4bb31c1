"""Profiles, and the handles that they have and had."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.modules.marketplace.domain.profile import Profile
from opencode.modules.marketplace.domain.slugs import MAX_HANDLE, numbered
from opencode.modules.marketplace.errors import HandleTaken
from opencode.modules.marketplace.store.tables import handles, profiles


class ProfileStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, user_id: str, *, to_change: bool = False) -> Profile | None:
        """Args: to_change: nobody else changes it until this transaction is over."""
        query = select(profiles).where(profiles.c.user_id == user_id)
        row = (await self._connection.execute(query.with_for_update() if to_change else query)).mappings().one_or_none()
        return Profile(**row) if row else None

    async def of_all(self, user_ids: Collection[str]) -> dict[str, Profile]:
        """By account: those of these people who have a profile."""
        rows = (await self._connection.execute(select(profiles).where(profiles.c.user_id.in_(user_ids)))).mappings()
        return {row["user_id"]: Profile(**row) for row in rows}

    async def find(self, handle: str, *, to_change: bool = False) -> Profile | None:
        """
        The profile that has, or had, this handle.

        Args:
            to_change: nobody else changes it until this transaction is over.
        """
        there = handles.join(profiles, profiles.c.user_id == handles.c.user_id)
        query: Any = select(*profiles.columns).select_from(there).where(handles.c.handle == handle)
        if to_change:
            query = query.with_for_update(of=profiles)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return Profile(**row) if row else None

    async def owners_of(self, wanted: Collection[str]) -> dict[str, tuple[str, str]]:
        """By handle: the owner's id, and the handle that they have now."""
        there = handles.join(profiles, profiles.c.user_id == handles.c.user_id)
        query = select(handles.c.handle.label("asked"), profiles.c.user_id, profiles.c.handle).select_from(there)
        rows = await self._connection.execute(query.where(handles.c.handle.in_(wanted)))
        return {row.asked: (row.user_id, row.handle) for row in rows}

    async def named(self, user_ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """Handle and display name by id of those who have a profile."""
        if not user_ids:
            return {}
        query = select(profiles.c.user_id, profiles.c.handle, profiles.c.display_name)
        rows = await self._connection.execute(query.where(profiles.c.user_id.in_(user_ids)))
        return {row.user_id: (row.handle, row.display_name) for row in rows}

    async def free_handle(self, wanted: str) -> str:
        """The first of `handle`, `handle-2`, `handle-3`… that nobody has or had."""
        number = 1
        while True:
            nearest = [numbered(wanted, number + step, MAX_HANDLE) for step in range(number)]
            query = select(handles.c.handle).where(handles.c.handle.in_(nearest))
            taken = set((await self._connection.execute(query)).scalars())
            if free := [handle for handle in nearest if handle not in taken]:
                return free[0]
            number += len(nearest)

    async def add(self, new: Iterable[Profile]) -> None:
        """
        Raises:
            HandleTaken: a handle was taken, or the profile made, at the same moment.
        """
        new = list(new)
        rows = [{"handle": profile.handle, "user_id": profile.user_id} for profile in new]
        try:
            await self._connection.execute(insert(profiles), [_row(profile) for profile in new])
            await self._connection.execute(insert(handles), rows)
        except IntegrityError:
            raise HandleTaken(new[0].handle) from None

    async def save(self, profile: Profile) -> None:
        """
        Raises:
            HandleTaken: somebody else has, or had, the handle.
        """
        query = select(handles.c.user_id).where(handles.c.handle == profile.handle)
        holder = (await self._connection.execute(query)).scalar_one_or_none()
        if holder not in (None, profile.user_id):
            raise HandleTaken(profile.handle)
        try:
            if holder is None:
                values = {"handle": profile.handle, "user_id": profile.user_id}
                await self._connection.execute(insert(handles).values(values))
        except IntegrityError:
            raise HandleTaken(profile.handle) from None
        await self._connection.execute(
            update(profiles).where(profiles.c.user_id == profile.user_id).values(_row(profile))
        )


def _row(profile: Profile) -> dict[str, Any]:
    # Not `asdict`, which copies every moment deeply.
    return {column.name: getattr(profile, column.name) for column in profiles.columns}
