"""The plug of collaboration."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from litestar import Router
from litestar.di import Provide

from opencode.contracts.collaboration import DocumentGate, Documents
from opencode.contracts.identity import CredentialsRevoked
from opencode.infra.events import Reactions
from opencode.infra.jobs import Job
from opencode.infra.plugs import Parts, Plug
from opencode.infra.websocket import SocketRoute
from opencode.modules.collaboration.domain.log import UpdateLog
from opencode.modules.collaboration.reactions import cut_revoked_person
from opencode.modules.collaboration.routes import create_ticket
from opencode.modules.collaboration.service.commit import GroupCommit
from opencode.modules.collaboration.service.documents import SharedDocuments
from opencode.modules.collaboration.service.entrance import Entrance
from opencode.modules.collaboration.service.online import Online
from opencode.modules.collaboration.service.rooms import Rooms
from opencode.modules.collaboration.service.tickets import Tickets
from opencode.modules.collaboration.settings import CollaborationSettings
from opencode.modules.collaboration.sockets import DocumentSockets
from opencode.modules.collaboration.store import SqliteUpdateLog, SqlUpdateLog, Work

SYNC_EVERY_S = 1.0
SETTLE_EVERY_S = 5.0
TEND_EVERY_S = 5.0
KEEP_ALIVE_EVERY_S = 4.0
DRAIN_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class CollaborationModule:
    """What wiring gets: the plug, the contract that others use, and `open_gate` to name the owner of documents."""

    plug: Plug
    documents: Documents
    sockets: tuple[SocketRoute, ...]
    open_gate: Callable[[DocumentGate], None]


def build(parts: Parts, settings: CollaborationSettings) -> CollaborationModule:
    """Put the module together."""
    update_log = _update_log(parts, settings)
    commit = GroupCommit(update_log, window_s=settings.commit_window_ms / 1000)
    rooms = Rooms(parts.database, update_log, commit, settings)
    tickets = Tickets(parts.signer, parts.clock, lifetime_s=settings.ticket_s)

    def unit_of_work() -> Work:
        return Work(parts.database, parts.clock, wake=parts.wake_relay)

    online = Online(unit_of_work, parts.clock)
    documents = SharedDocuments(rooms, update_log, commit, parts.clock, unit_of_work)
    entrance = Entrance(rooms, commit, tickets)
    sockets = DocumentSockets(entrance, rooms, online)

    def react(reactions: Reactions) -> None:
        reactions.add(CredentialsRevoked, lambda event: cut_revoked_person(event, documents))

    async def keep_alive() -> None:
        rooms.keep_alive()

    async def check() -> None:
        commit.check()

    async def drain() -> None:
        # A log that cannot be written would hold up the stop for ever.
        with suppress(TimeoutError):
            await asyncio.wait_for(commit.flushed(), DRAIN_TIMEOUT_S)
        await online.flush()

    async def stop() -> None:
        await rooms.close()
        await commit.settle()
        if isinstance(update_log, SqliteUpdateLog):
            await update_log.close()

    plug = Plug(
        name="collaboration",
        routes=[
            Router(
                "/",
                route_handlers=[create_ticket],
                dependencies={"entrance": Provide(lambda: entrance, sync_to_thread=False)},
            )
        ],
        react=react,
        jobs=[
            Job("make edits safe from a loss of power", SYNC_EVERY_S, commit.sync),
            Job("settle the update log", SETTLE_EVERY_S, commit.settle),
            Job("tend rooms", TEND_EVERY_S, rooms.tend),
            Job("keep sockets alive", KEEP_ALIVE_EVERY_S, keep_alive),
        ],
        checks={"update_log": check},
        start=update_log.settle,
        drain=drain,
        stop=stop,
    )
    return CollaborationModule(plug, documents, (sockets.route,), entrance.open_gate)


def _update_log(parts: Parts, settings: CollaborationSettings) -> UpdateLog:
    path = parts.database.sqlite_path
    if path is None:
        return SqlUpdateLog(parts.database)
    return SqliteUpdateLog(parts.database, path, durability=settings.durability)
