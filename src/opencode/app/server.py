"""The server process: start, listen, serve, and stop without losing anything."""

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog
import uvicorn

from opencode.app.http import create_app, front_door
from opencode.app.migrate import migrate
from opencode.app.wiring import House
from opencode.infra.jobs import run_job
from opencode.infra.websocket import socket_protocol
from opencode.infra.websocket.uvicorn import sweep_sockets

log = structlog.get_logger(__name__)

STOP_TIMEOUT_S = 9.0
"""Everything that happens on SIGTERM takes less than the 10 s that the contract promises."""


class Server(uvicorn.Server):
    """uvicorn, with the house's own start and stop around it."""

    def __init__(self, house: House) -> None:
        self._house = house
        process = house.settings.process
        super().__init__(
            uvicorn.Config(
                front_door(create_app(house), body_timeout_s=process.body_s),
                host=process.host,
                port=process.port,
                loop="uvloop",
                http="httptools",
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
        await migrate(house.parts.database)
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

    async def shutdown(self, sockets: Any = None) -> None:
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
            await asyncio.wait_for(self._stop_house(), STOP_TIMEOUT_S)

    async def _stop_house(self) -> None:
        for plug in reversed(self._house.plugs):
            if plug.stop:
                await plug.stop()
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
    """Serve until SIGTERM or SIGINT. Exit status 0 after an orderly stop, 1 when it could not start."""
    server = Server(house)
    try:
        server.run()
    except KeyboardInterrupt:
        return
    if not server.started:
        sys.exit(1)
