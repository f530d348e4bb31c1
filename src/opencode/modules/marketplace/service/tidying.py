"""Forgetting what nobody needs any more."""

from datetime import timedelta

from opencode.modules.marketplace.service.base import UseCases

KEEP_REQUESTS = timedelta(hours=24)


class Tidying(UseCases):
    async def tidy(self) -> None:
        """Forget the keys of requests, and what operators asked, that are older than a day."""
        before = self.clock.now() - KEEP_REQUESTS
        async with self.reading() as stores:
            requests = await stores.requests.any_before(before)
            errands = await stores.errands.any_before(before)
        if requests or errands:
            async with self.unit_of_work() as work:
                await work.stores.requests.forget_before(before)
                await work.stores.errands.forget_before(before)
