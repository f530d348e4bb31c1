"""The event stream of an inbox: what came while nobody listened, then what comes."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from opencode.contracts.identity import Identity
from opencode.infra.plugs import Parts
from opencode.infra.pubsub import Listener, Listeners
from opencode.kernel.principal import Principal
from opencode.modules.notifications import policy
from opencode.modules.notifications.domain.notices import Notice
from opencode.modules.notifications.errors import TooManyNoticeStreams
from opencode.modules.notifications.policy import Action
from opencode.modules.notifications.service.base import UseCases
from opencode.modules.notifications.settings import NotificationsSettings
from opencode.modules.notifications.store import Heard, tell, topic_of

PAGE = 100
STREAMS_OF_ONE_PERSON = 20
LOOK_AGAIN_S = 15.0
"""Pub/sub delivers at most once. What it lost without noticing, the table tells within this time."""


@dataclass(frozen=True, slots=True)
class News:
    """Something new in an inbox: a notice, or None where only the number of unread ones has changed."""

    seq: int
    unread: int
    notice: Notice | None = None


class Streaming(UseCases):
    def __init__(self, parts: Parts, settings: NotificationsSettings, identity: Identity) -> None:
        super().__init__(parts, settings, identity)
        self._listeners = Listeners(Heard)

    async def open(self, by: Principal, *, after: int | None) -> AsyncGenerator[News]:
        """
        Follow one's inbox from the notice after number `after`, without a gap and without repeating.

        Args:
            after: None follows what comes from now on. The first that is told is how many are unread.

        Raises:
            Unauthenticated, Forbidden, TooManyNoticeStreams
        """
        policy.require(Action.READ_NOTICES, by)
        if self._listeners.count(by.id) >= STREAMS_OF_ONE_PERSON:
            raise TooManyNoticeStreams(STREAMS_OF_ONE_PERSON)
        return self._follow(by.id, after)

    async def end_of(self, principal_id: str) -> None:
        """End the streams that this person holds open anywhere; who may comes back by itself."""
        await tell(self.parts.pubsub, principal_id, Heard.ENDED)

    def close(self) -> None:
        """End all streams: the server goes down, and pages go on elsewhere, after the notice they have."""
        self._listeners.close()

    async def _follow(self, user_id: str, after: int | None) -> AsyncGenerator[News]:
        # Subscribed before the table is read: nothing falls between the two.
        async with self.parts.pubsub.subscribe(topic_of(user_id)) as subscription:
            with self._listeners.listening(user_id, subscription) as listener:
                async for news in self._all(user_id, after, listener):
                    yield news

    async def _all(self, user_id: str, after: int | None, listener: Listener[Heard]) -> AsyncGenerator[News]:
        told: int | None = None
        while not listener.ended:
            async with self.reading() as stores:
                standing = await stores.notices.standing(user_id)
                # Nobody has seen more than there is; an older copy of the database may be back.
                after = standing.last_seq if after is None else min(after, standing.last_seq)
                page = await stores.notices.after(user_id, after, limit=PAGE)
            for notice in page:
                after, told = notice.seq, standing.unread
                yield News(notice.seq, standing.unread, notice)
            if told != standing.unread:
                told = standing.unread
                yield News(after, standing.unread)
            if len(page) < PAGE and await listener.hear(LOOK_AGAIN_S) is Heard.ENDED:
                return
