"""Proofs of ownership."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.modules.marketplace.domain.project import ProjectStatus
from opencode.modules.marketplace.domain.proofs import VALID, Proof, ProofState
from opencode.modules.marketplace.store.tables import profiles, projects, proofs

MOST_OTHERS = 10


class ProofStore:
    """Whoever changes a proof holds its project (`ProjectStore.find` with `to_change`)."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_project(self, project_id: str) -> list[Proof]:
        """In the order in which they were begun."""
        query = select(proofs).where(proofs.c.project_id == project_id).order_by(proofs.c.id)
        return [Proof(**row) for row in (await self._connection.execute(query)).mappings()]

    async def add(self, proof: Proof) -> None:
        await self._connection.execute(insert(proofs).values(_row(proof)))

    async def save(self, proof: Proof) -> None:
        await self._connection.execute(update(proofs).where(proofs.c.id == proof.id).values(_row(proof)))

    async def remove(self, proof_id: str) -> None:
        await self._connection.execute(delete(proofs).where(proofs.c.id == proof_id))

    async def void_all(self, project_id: str, message: str) -> None:
        """What was begun or proved for another repository counts no more."""
        values = {"state": ProofState.VOID, "message": message, "verified_at": None, "next_check_at": None}
        await self._connection.execute(update(proofs).where(proofs.c.project_id == project_id).values(values))

    async def due(self, now: datetime, limit: int) -> list[Proof]:
        """Those to be looked at again, the longest overdue first."""
        query = select(proofs).where(proofs.c.next_check_at <= now).order_by(proofs.c.next_check_at).limit(limit)
        return [Proof(**row) for row in (await self._connection.execute(query)).mappings()]

    async def claim(self, proof: Proof, until: datetime) -> bool:
        """Put the next check off, so that no other server does it too; False when one was faster."""
        mine = (proofs.c.id == proof.id, proofs.c.next_check_at == proof.next_check_at)
        done = await self._connection.execute(update(proofs).where(*mine).values(next_check_at=until))
        return done.rowcount == 1

    async def proved_by_others(self, repository: str, owner_id: str) -> list[str]:
        """Slugs of published projects of other people whose proofs of this repository are good."""
        there = proofs.join(projects, projects.c.id == proofs.c.project_id).join(
            profiles, profiles.c.user_id == projects.c.owner_id
        )
        query = (
            select(profiles.c.handle, projects.c.name)
            .select_from(there)
            .where(proofs.c.repository == repository, proofs.c.state.in_(sorted(VALID)))
            .where(proofs.c.owner_id != owner_id, projects.c.status == ProjectStatus.PUBLISHED)
            .distinct()
            .order_by(profiles.c.handle, projects.c.name)
            .limit(MOST_OTHERS)
        )
        return [f"{row.handle}.{row.name}" for row in await self._connection.execute(query)]


def _row(proof: Proof) -> dict[str, Any]:
    return {column.name: getattr(proof, column.name) for column in proofs.columns}
