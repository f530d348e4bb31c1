"""Who is online: says so to whoever owns the document when a person's first socket opens or their last is lost."""

import asyncio
from collections import Counter
from collections.abc import Callable

import structlog

from opencode.contracts.collaboration import PeerOnline
from opencode.kernel.clock import Clock
from opencode.modules.collaboration.domain.room import PRESENCE_GRACE_S, Room
from opencode.modules.collaboration.store import Work

log = structlog.get_logger(__name__)

GATHER_S = 0.1
"""Comings and goings within this time are told in one transaction."""


class Online:
    """Counts sockets by room and person. A person who comes back within the grace was never away."""

    def __init__(self, unit_of_work: Callable[[], Work], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._sockets: Counter[tuple[str, str]] = Counter()
        self._shown: set[tuple[str, str]] = set()
        self._news: list[PeerOnline] = []
        self._telling: asyncio.Task[None] | None = None

    def came(self, room: Room, peer_id: str) -> None:
        key = (room.document_id, peer_id)
        self._sockets[key] += 1
        if key not in self._shown:
            self._shown.add(key)
            self._say(room, peer_id, online=True)

    def went(self, room: Room, peer_id: str) -> None:
        key = (room.document_id, peer_id)
        self._sockets[key] -= 1
        if self._sockets[key] <= 0:
            del self._sockets[key]
            asyncio.get_running_loop().call_later(PRESENCE_GRACE_S, self._left, room, peer_id)

    async def flush(self) -> None:
        """Tell what there is to tell now; called before the server stops."""
        while self._telling and not self._telling.done():
            await asyncio.wait({self._telling})

    def _left(self, room: Room, peer_id: str) -> None:
        key = (room.document_id, peer_id)
        if key in self._shown and key not in self._sockets:
            self._shown.discard(key)
            self._say(room, peer_id, online=False)

    def _say(self, room: Room, peer_id: str, *, online: bool) -> None:
        self._news.append(
            PeerOnline(
                document_id=room.document_id,
                audience=room.audience,
                peer_id=peer_id,
                online=online,
                at=self._clock.now(),
            )
        )
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        while self._news:
            await asyncio.sleep(GATHER_S)
            news, self._news = self._news, []
            try:
                async with self._unit_of_work() as work:
                    for event in news:
                        work.publish(event)
            except Exception:
                log.exception("comings and goings could not be told", count=len(news))
