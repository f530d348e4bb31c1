"""
Telling a cache in front of the server what is outdated: at least once, and many keys at a time.

An event leaves its keys in a table, so that a webhook that is slow or away holds up no other event, and a thousand
changes of one project are one key.
"""

from collections.abc import Collection

import structlog

from opencode.infra.fetching import CallFailed
from opencode.modules.marketplace.adapters.purging import MOST_KEYS, Purger
from opencode.modules.marketplace.domain.purges import wait_after
from opencode.modules.marketplace.service.base import Shared, UseCases

log = structlog.get_logger(__name__)


class Purging(UseCases):
    def __init__(self, shared: Shared, purger: Purger | None) -> None:
        super().__init__(shared)
        self._purger = purger
        self._trouble = ""

    @property
    def is_set_up(self) -> bool:
        return self._purger is not None

    @property
    def trouble(self) -> str:
        """Why the webhook was not reached the last time; empty when it was."""
        return self._trouble

    async def note(self, keys: Collection[str]) -> None:
        """These are outdated: keep them until the webhook has heard of them."""
        async with self.unit_of_work() as work:
            await work.stores.purges.note(keys, self.clock.now())

    async def tell(self) -> None:
        """Send what is due. What was not heard is sent again later."""
        while self._purger and await self._tell_some(self._purger):
            pass

    async def _tell_some(self, purger: Purger) -> bool:
        """Whether the next ones are to be sent as well."""
        async with self.reading() as stores:
            if not await stores.purges.any_due(self.clock.now()):
                return False
        async with self.unit_of_work() as work:
            due = await work.stores.purges.claim(self.clock.now(), MOST_KEYS)
        if not due:
            return False
        try:
            await purger.purge([each.key for each in due])
        except CallFailed as failure:
            attempts = max(each.attempts for each in due) + 1
            wait = wait_after(attempts)
            self._trouble = str(failure)
            log.warning("purge webhook failed", reason=str(failure), keys=len(due), next_try_s=wait.total_seconds())
            async with self.unit_of_work() as work:
                await work.stores.purges.put_back(due, self.clock.now() + wait)
            return False
        self._trouble = ""
        async with self.unit_of_work() as work:
            await work.stores.purges.told(due)
        return True
