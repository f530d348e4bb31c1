"""What all use cases share: their transactions, and who people are."""

from contextlib import AbstractAsyncContextManager

from opencode.contracts.identity import Identity
from opencode.infra.plugs import Parts
from opencode.modules.notifications.settings import NotificationsSettings
from opencode.modules.notifications.store import NotificationsWork, Stores, reading


class UseCases:
    """Base of the module's use cases."""

    def __init__(self, parts: Parts, settings: NotificationsSettings, identity: Identity) -> None:
        self.parts = parts
        self.settings = settings
        self.clock = parts.clock
        self.identity = identity

    def unit_of_work(self) -> NotificationsWork:
        return NotificationsWork(self.parts)

    def reading(self) -> AbstractAsyncContextManager[Stores]:
        return reading(self.parts.database)
