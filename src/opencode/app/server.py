"""The server process: start, listen, serve, and stop without losing anything."""

import asyncio
import gc
import socket
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from opencode.app.http import create_app, front_door
from opencode.app.migrate import migrate_apart
from opencode.app.orderly_server import OrderlyServer
from opencode.app.wiring import House
from opencode.infra.db import Database
from opencode.infra.http.protocol import http_protocol
from opencode.infra.jobs import run_job
from opencode.infra.websocket import socket_protocol
from opencode.infra.websocket.uvicorn import sweep_sockets
from opencode.kernel.errors import Unavailable

GARBAGE_THRESHOLD = 10_000
"""New containers between two collections of the youngest generation."""
STOP_S = 9.5
"""What happens on SIGTERM is over in 10 s, as the contract promises, with the default of `drain_s` at least."""
LEAST_STOP_S = 1.5


class Server(OrderlyServer):
    """uvicorn, with the house's own start and stop around it."""

    def __init__(self, house: House) -> None:
        self._house = house
        process = house.settings.process
        direct = [plug.direct for plug in house.plugs]
        super().__init__(
            uvicorn.Config(
                front_door(create_app(house), body_timeout_s=process.body_s, direct=direct),
                loop="uvloop",
                http=http_protocol(direct, proxy_addresses=process.proxy_addresses, body_timeout_s=process.body_s),
                ws=socket_protocol(house.sockets),
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=True,
                forwarded_allow_ips=process.proxy_addresses,
                server_header=False,
                timeout_graceful_shutdown=process.drain_s,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def startup(self, sockets: Any = None) -> None:
        house = self._house
        await house.parts.cache.start()
        for plug in house.plugs:
            if plug.start:
                await plug.start()
        await super().startup(sockets)
        self._run(house.relay.run())
        self._run(sweep_sockets(self.server_state.connections))
        for plug in house.plugs:
            for job in plug.jobs:
                self._run(run_job(job))
        self._say_where()
        for plug in house.plugs:
            if plug.ready:
                await plug.ready()
        collect_garbage_less_often()

    async def shutdown(self, sockets: Any = None) -> None:
        began = time.monotonic()
        for server in self.servers:
            server.close()
        for plug in self._house.plugs:
            if plug.drain:
                await plug.drain()
        await super().shutdown(sockets)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(TimeoutError):
            left = STOP_S - (time.monotonic() - began)
            await asyncio.wait_for(self._stop_house(), max(left, LEAST_STOP_S))

    async def _stop_house(self) -> None:
        for plug in reversed(self._house.plugs):
            if plug.stop:
                await plug.stop()
        await self._house.parts.cache.close()
        await self._house.parts.pubsub.close()
        await self._house.parts.database.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    def _say_where(self) -> None:
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        reachable = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104, compared, not bound
        url = f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
        self._house.address.url = self._house.address.url or url
        print(f"OpenCode is ready at {self._house.address.url}", flush=True)  # noqa: T201, for the person who started it


def serve(house: House) -> None:
    """
    Serve until SIGTERM or SIGINT.

    Raises:
        Unavailable: the address cannot be listened on, or the database not be used.
    """
    process = house.settings.process
    with listening(process.host, process.port) as listener:
        _bring_up_to_date(house.parts.database)
        Server(house).run(sockets=[listener])


def _bring_up_to_date(database: Database) -> None:
    try:
        migrate_apart(database.url)
    except (OSError, SQLAlchemyError) as error:
        # SQLAlchemy adds the statement and a link; the driver's own words are the ones that tell.
        cause = getattr(error, "orig", None) or error
        raise Unavailable(
            f"The database cannot be used: {cause}.", action="ocp doctor looks at it more closely."
        ) from error


def collect_garbage_less_often() -> None:
    """
    What is there when the server is ready stays, so no collection of garbage need look at it again; and what comes
    later hardly has cycles. Python's own rhythm, a collection each 700 new containers, costs a keystroke 4 % of its
    time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, *gc.get_threshold()[1:])


def listening(host: str, port: int) -> socket.socket:
    """
    A socket bound to an address, so that a start which cannot succeed fails at once and changes nothing.

    Raises:
        Unavailable: the address is not one of this machine, or the port is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise Unavailable(
            f"The server cannot listen on port {port} of {host}: {error.strerror}.",
            action="Stop what uses the port, or choose another address with --host and --port.",
        ) from None
    return listener
