"""What the reputation of people is made of, and the last one that was computed."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, union
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.modules.marketplace.domain.project import ProjectStatus
from opencode.modules.marketplace.domain.reputation import Gift, Reputation
from opencode.modules.marketplace.store.tables import profiles, projects, proofs, reputations, stars

_STARRED = stars.join(projects, projects.c.id == stars.c.project_id)
_COUNTS = (stars.c.is_set, projects.c.status == ProjectStatus.PUBLISHED, stars.c.user_id != projects.c.owner_id)


class ReputationStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"

    async def of(self, user_id: str) -> tuple[Reputation, datetime | None]:
        """The last that was computed, and when."""
        query = select(reputations).where(reputations.c.user_id == user_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return (_reputation(row), row["computed_at"]) if row else (Reputation(), None)

    async def of_all(self, user_ids: Collection[str]) -> dict[str, Reputation]:
        query = select(reputations).where(reputations.c.user_id.in_(user_ids))
        return {row["user_id"]: _reputation(row) for row in (await self._connection.execute(query)).mappings()}

    async def trusted(self) -> dict[str, float]:
        """Everybody whom trust has reached."""
        query = select(reputations.c.user_id, reputations.c.trust).where(reputations.c.trust > 0)
        return {row.user_id: row.trust for row in await self._connection.execute(query)}

    async def save(self, computed: Mapping[str, Reputation], at: datetime) -> None:
        rows = [
            {
                "user_id": user_id,
                "score": found.score,
                "trust": found.trust,
                "admirers": found.admirers,
                "has_proof": found.has_proof,
                "computed_at": at,
            }
            for user_id, found in sorted(computed.items())
        ]
        statement: Any = (sqlite if self._is_sqlite else postgresql).insert(reputations)
        names = [column.name for column in reputations.columns if not column.primary_key]
        statement = statement.on_conflict_do_update(
            index_elements=[reputations.c.user_id], set_={name: statement.excluded[name] for name in names}
        )
        await self._connection.execute(statement, rows)

    async def gifts_of(self, givers: Collection[str], before: datetime) -> list[Gift]:
        """Args: before: accounts that were made later give nothing."""
        query = (
            select(stars.c.user_id, projects.c.owner_id, func.min(stars.c.at).label("at"))
            .select_from(_STARRED.join(profiles, profiles.c.user_id == stars.c.user_id))
            .where(stars.c.user_id.in_(givers), profiles.c.created_at <= before, *_COUNTS)
            .group_by(stars.c.user_id, projects.c.owner_id)
        )
        return [Gift(row.user_id, row.owner_id, row.at) for row in await self._connection.execute(query)]

    async def admirers_of(self, owners: Collection[str], before: datetime) -> dict[str, int]:
        """
        How many people starred any published project of theirs.

        Args:
            before: accounts that were made later do not count.
        """
        query = (
            select(projects.c.owner_id, func.count(stars.c.user_id.distinct()).label("many"))
            .select_from(_STARRED.join(profiles, profiles.c.user_id == stars.c.user_id))
            .where(projects.c.owner_id.in_(owners), profiles.c.created_at <= before, *_COUNTS)
            .group_by(projects.c.owner_id)
        )
        return {row.owner_id: row.many for row in await self._connection.execute(query)}

    async def with_proof(self, owners: Collection[str]) -> set[str]:
        """Those who have proved the repository of a published project."""
        query = (
            select(projects.c.owner_id)
            .where(projects.c.owner_id.in_(owners), projects.c.status == ProjectStatus.PUBLISHED)
            .where(projects.c.verified_at.is_not(None))
            .distinct()
        )
        return set((await self._connection.execute(query)).scalars())

    async def last_computed(self) -> datetime | None:
        return (await self._connection.execute(select(func.max(reputations.c.computed_at)))).scalar_one()

    async def moved_since(self, moment: datetime | None) -> set[str]:
        """Owners of whose projects a star was given or taken back since, or a proof checked; all of them for None."""
        starred = select(projects.c.owner_id).select_from(_STARRED)
        proved = select(proofs.c.owner_id)
        if moment is not None:
            starred, proved = starred.where(stars.c.at >= moment), proved.where(proofs.c.checked_at >= moment)
        return set((await self._connection.execute(union(starred, proved))).scalars())

    async def stalest(self, before: datetime, limit: int) -> set[str]:
        """Those who were computed last before a moment."""
        query = select(reputations.c.user_id).where(reputations.c.computed_at < before)
        query = query.order_by(reputations.c.computed_at).limit(limit)
        return set((await self._connection.execute(query)).scalars())


def _reputation(row: Mapping[Any, Any]) -> Reputation:
    return Reputation(row["trust"], row["admirers"], row["has_proof"])
