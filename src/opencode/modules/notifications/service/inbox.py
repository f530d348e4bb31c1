"""One's inbox: reading it, marking and deleting what is in it."""

from collections.abc import Sequence

from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import is_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.notifications import policy
from opencode.modules.notifications.domain.notices import Notice
from opencode.modules.notifications.errors import NoticeNotFound, NoticesRefused
from opencode.modules.notifications.policy import Action
from opencode.modules.notifications.service.base import UseCases

MOST_IDS = 200


class Inbox(UseCases):
    async def page(self, by: Principal, page: PageRequest, *, unread: bool | None) -> Page[Notice]:
        """The latest first. Args: unread: only those that are, or only those that are not."""
        policy.require(Action.READ_NOTICES, by)
        async with self.reading() as stores:
            return await stores.notices.page(by.id, page, unread=unread)

    async def unread(self, by: Principal) -> int:
        policy.require(Action.READ_NOTICES, by)
        async with self.reading() as stores:
            return (await stores.notices.standing(by.id)).unread

    async def mark_read(self, by: Principal, notice_ids: Sequence[str]) -> int:
        """
        Mark these as read; what is read already, or not in this inbox, is passed over. Returns how many are unread now.

        Raises:
            NoticesRefused: too many at once, or what cannot be an id.
        """
        policy.require(Action.MARK_NOTICES, by)
        if problems := _problems(notice_ids):
            raise NoticesRefused(problems)
        async with self.unit_of_work() as work:
            if await work.stores.notices.mark_read(by.id, notice_ids, self.clock.now()):
                work.changes_inbox_of(by.id)
            return (await work.stores.notices.standing(by.id)).unread

    async def mark_all_read(self, by: Principal, *, up_to: str | None) -> int:
        """
        Args:
            up_to: the latest notice that its reader has seen, so that one that came meanwhile stays unread; None for
                all that there are.

        Returns:
            How many are unread now.

        Raises:
            NoticeNotFound: `up_to` is not in this inbox.
        """
        policy.require(Action.MARK_NOTICES, by)
        async with self.unit_of_work() as work:
            last = None
            if up_to is not None:
                seen = await work.stores.notices.find(by.id, up_to) if is_id(up_to, "ntc") else None
                if seen is None:
                    raise NoticeNotFound(up_to)
                last = seen.seq
            if await work.stores.notices.mark_all_read(by.id, self.clock.now(), up_to=last):
                work.changes_inbox_of(by.id)
            return (await work.stores.notices.standing(by.id)).unread

    async def delete(self, by: Principal, notice_id: str) -> None:
        """
        Raises:
            NoticeNotFound: it is not in this inbox, or not any more.
        """
        policy.require(Action.MARK_NOTICES, by)
        async with self.unit_of_work() as work:
            if not (is_id(notice_id, "ntc") and await work.stores.notices.delete(by.id, notice_id)):
                raise NoticeNotFound(notice_id)
            work.changes_inbox_of(by.id)


def _problems(notice_ids: Sequence[str]) -> tuple[FieldProblem, ...]:
    if not 1 <= len(notice_ids) <= MOST_IDS:
        return (FieldProblem("/ids", f"must hold 1 to {MOST_IDS} ids"),)
    return tuple(
        FieldProblem(f"/ids/{index}", "is not the id of a notice")
        for index, notice_id in enumerate(notice_ids)
        if not is_id(notice_id, "ntc")
    )
