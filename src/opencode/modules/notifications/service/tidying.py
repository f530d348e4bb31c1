"""What happens by itself while the server runs."""

from datetime import timedelta

from opencode.modules.notifications.service.base import UseCases

AT_ONCE = 1_000


class Tidying(UseCases):
    async def forget(self) -> None:
        """Delete what is old enough, piece by piece, so that nobody waits long for the one writer of SQLite."""
        now = self.clock.now()
        before = now - timedelta(days=self.settings.keep_notices_days)
        history = now - timedelta(days=self.settings.keep_webhook_deliveries_days)
        kept = self.settings.webhook_deliveries_kept
        more = True
        while more:
            async with self.unit_of_work() as work:
                more = await work.stores.notices.forget_before(before, limit=AT_ONCE)
                more = await work.stores.mails.forget_before(before, limit=AT_ONCE) or more
                more = await work.stores.deliveries.trim(history, kept, limit=AT_ONCE) or more
