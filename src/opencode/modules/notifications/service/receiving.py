"""Taking in what others say: a notice for each person, in one transaction."""

from opencode.contracts.notifications import NoticeGiven
from opencode.kernel.ids import NoticeId, UserId, new_id
from opencode.modules.notifications.domain.notices import Notice, NoticeState, Said, recipients_of
from opencode.modules.notifications.service.base import UseCases
from opencode.modules.notifications.store import NotificationsWork
from opencode.modules.notifications.store.notices import new_notice


class Receiving(UseCases):
    async def take(self, event: NoticeGiven) -> None:
        """Give everybody who is to be told a notice, unless they have one with this key. Whoever left gets nothing."""
        names = await self.identity.display_names(recipients_of(event))
        if not names:
            return
        said = Said.of(event)
        async with self.unit_of_work() as work:
            user_ids = [UserId(user_id) for user_id in names]
            await work.stores.notices.lock(user_ids)
            if new := await work.stores.notices.without(said.key, user_ids):
                await self._give(work, said, new)

    async def _give(self, work: NotificationsWork, said: Said, user_ids: list[UserId]) -> None:
        numbers = await work.stores.notices.next_numbers(user_ids)
        choices = await work.stores.preferences.for_kind(user_ids, said.kind)
        given: list[Notice] = []
        for user_id in user_ids:
            # Also what is not wanted in the inbox is kept: it may go elsewhere, and must not be told twice.
            state = NoticeState.KEPT if choices[user_id].inbox else NoticeState.ASIDE
            given.append(new_notice(NoticeId(new_id("ntc")), user_id, numbers[user_id], said, state))
            if state is NoticeState.KEPT:
                work.changes_inbox_of(user_id)
        await work.stores.notices.add(said.key, given, self.clock.now())
