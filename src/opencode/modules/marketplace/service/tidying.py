"""Forgetting what nobody needs any more."""

from datetime import timedelta

from opencode.modules.marketplace.service.base import UseCases

KEEP_REQUESTS = timedelta(hours=24)
KEEP_DRAFTS = timedelta(days=90)
"""How long what was read for a draft is known again in the project that is made of it; the browser keeps drafts."""


class Tidying(UseCases):
    async def tidy(self) -> None:
        """Forget the keys of requests and what operators asked after a day, and what was read for drafts after 90."""
        before = self.clock.now() - KEEP_REQUESTS
        drafts_before = self.clock.now() - KEEP_DRAFTS
        async with self.reading() as stores:
            requests = await stores.requests.any_before(before)
            errands = await stores.errands.any_before(before)
            drafts = await stores.readings.any_draft_before(drafts_before)
        if requests or errands or drafts:
            async with self.unit_of_work() as work:
                await work.stores.requests.forget_before(before)
                await work.stores.errands.forget_before(before)
                await work.stores.readings.forget_drafts_before(drafts_before)
