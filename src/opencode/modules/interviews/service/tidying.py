"""What happens by itself while the server runs."""

from datetime import timedelta

from opencode.infra.observability import metrics
from opencode.modules.interviews.service.base import UseCases

REMEMBER_KEYS = timedelta(hours=24)
DISMISS_AT_ONCE = 100


class Tidying(UseCases):
    async def tidy(self) -> None:
        """Free codes that have expired, forget keys of yesterday, and end the credentials of people who are gone."""
        now = self.clock.now()
        async with self.reading() as stores:
            leaving = await stores.people.to_dismiss(now, limit=DISMISS_AT_ONCE)
            stale = await stores.requests.any_before(now - REMEMBER_KEYS)
            expired = await stores.interviews.any_expired_code(now)
            metrics.ACTIVE_INTERVIEWS.set(await stores.interviews.count_live())
        for candidate in leaving:
            await self.identity.dismiss_guest(candidate.id)
        # An embedded database has one writer at a time: whoever has nothing to write does not ask to.
        if not (leaving or stale or expired):
            return
        async with self.unit_of_work() as work:
            for candidate in leaving:
                await work.stores.people.dismissed(candidate)
            await work.stores.requests.forget_before(now - REMEMBER_KEYS)
            await work.stores.interviews.free_expired_codes(now)
