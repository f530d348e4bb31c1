"""What people chose. A row for each kind that somebody has chosen for; the others have their defaults."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.contracts.notifications import NoticeKind
from opencode.kernel.ids import UserId
from opencode.modules.notifications.domain.preferences import DEFAULTS, Choice, Choices
from opencode.modules.notifications.store.tables import preferences


class PreferenceStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, user_id: str) -> dict[NoticeKind, Choice]:
        """What this person has chosen; kinds for which they have not are left out."""
        query = select(preferences).where(preferences.c.user_id == user_id)
        return {row.kind: _choice(row) for row in await self._connection.execute(query)}

    async def for_kind(self, user_ids: Collection[UserId], kind: NoticeKind) -> dict[UserId, Choice]:
        """What holds for each of these people."""
        chosen = preferences.c.user_id.in_(user_ids), preferences.c.kind == kind
        rows = await self._connection.execute(select(preferences).where(*chosen))
        return dict.fromkeys(user_ids, DEFAULTS[kind]) | {UserId(row.user_id): _choice(row) for row in rows}

    async def replace(self, user_id: str, choices: Choices) -> None:
        """Make these the choices of a person whose inbox is locked."""
        await self._connection.execute(delete(preferences).where(preferences.c.user_id == user_id))
        rows: list[Mapping[str, Any]] = [
            {"user_id": user_id, "kind": kind, "inbox": choice.inbox, "mail": choice.mail}
            for kind, choice in choices.items()
        ]
        if rows:
            await self._connection.execute(insert(preferences), rows)


def _choice(row: Any) -> Choice:
    return Choice(row.inbox, row.mail)
