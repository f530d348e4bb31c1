"""Taking in what others say: a notice for each person, in one transaction."""

from datetime import datetime

from opencode.contracts.notifications import NoticeGiven, NoticeKind
from opencode.kernel.ids import DeliveryId, MailId, NoticeId, UserId, new_id
from opencode.modules.notifications.domain.mails import Mail, next_digest
from opencode.modules.notifications.domain.notices import Notice, NoticeState, Said, recipients_of
from opencode.modules.notifications.domain.preferences import Choice, MailWhen
from opencode.modules.notifications.domain.webhooks import Delivery, message_of
from opencode.modules.notifications.service.base import UseCases
from opencode.modules.notifications.store import NotificationsWork


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
        now = self.clock.now()
        numbers = await work.stores.notices.next_numbers(user_ids)
        choices = await work.stores.preferences.for_kind(user_ids, said.kind)
        mails = await self._mails(work, choices, now)
        given: list[Notice] = []
        for user_id in user_ids:
            # Also what is not wanted in the inbox is kept: it may go elsewhere, and must not be told twice.
            state = NoticeState.KEPT if choices[user_id].inbox else NoticeState.ASIDE
            if state is NoticeState.KEPT:
                work.changes_inbox_of(user_id)
            given.append(
                Notice(
                    id=NoticeId(new_id("ntc")),
                    user_id=user_id,
                    seq=numbers[user_id],
                    kind=said.kind,
                    title=said.title,
                    body=said.body,
                    path=said.path,
                    at=said.at,
                    read_at=None,
                    state=state,
                    mail_id=mails.get(user_id),
                )
            )
        await work.stores.notices.add(said.key, given, now)
        await self._call_webhooks(work, {notice.user_id: notice for notice in given}, said.kind, now)

    async def _mails(
        self, work: NotificationsWork, choices: dict[UserId, Choice], now: datetime
    ) -> dict[UserId, MailId]:
        """The mail that a notice goes out with, for those who want one: a new one, or the day's."""
        if not self.settings.mails:
            return {}
        digest_at = next_digest(now, self.settings.mail_digest_hour)
        daily = [user_id for user_id, choice in choices.items() if choice.mail is MailWhen.DAILY]
        open_ones = await work.stores.mails.digests(daily, digest_at) if daily else {}
        new = [
            Mail(MailId(new_id("mal")), user_id, now, None if at_once else digest_at, now if at_once else digest_at)
            for user_id, choice in choices.items()
            if (at_once := choice.mail is MailWhen.AT_ONCE)
            or (choice.mail is MailWhen.DAILY and user_id not in open_ones)
        ]
        if new:
            await work.stores.mails.add(new)
        return open_ones | {mail.user_id: mail.id for mail in new}

    async def _call_webhooks(
        self, work: NotificationsWork, given: dict[UserId, Notice], kind: NoticeKind, now: datetime
    ) -> None:
        subscribed = await work.stores.webhooks.subscribed(list(given), kind)
        deliveries = [
            Delivery(
                id=DeliveryId(new_id("dlv")),
                webhook_id=webhook_id,
                # One person gets one notice for what happened, so its id names the message as well.
                event_id=given[owner_id].id,
                kind=kind,
                payload=message_of(given[owner_id], self.parts.public_url()),
                created_at=now,
                due_at=now,
            )
            for webhook_id, owner_id in subscribed
        ]
        if deliveries:
            await work.stores.deliveries.add(deliveries)
