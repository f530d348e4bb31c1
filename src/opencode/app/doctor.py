"""What `ocp doctor` looks at, and what it advises."""

import os
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from opencode.app.migrate import pending
from opencode.app.settings import Settings
from opencode.app.web import web_folder
from opencode.app.wiring import open_database
from opencode.kernel.errors import OpenCodeError
from opencode.modules.execution.engine import build_engine
from opencode.modules.execution.service.routing import RoutedRunner
from opencode.modules.execution.service.runner import Runs

MIN_FREE_BYTES = 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: what was looked at, what is so, and what to do when it is not good."""

    what: str
    good: bool
    detail: str
    action: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything that a server needs, changing nothing but making the data folder if it is missing."""
    return [
        _python(),
        _data_folder(settings.process.data),
        await _database(settings),
        await _redis(settings.process.redis_url),
        _web(),
        _port(settings.process.host, settings.process.port),
        *await _programs(settings),
    ]


def _python() -> Finding:
    return Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0])


def _data_folder(folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        return Finding(
            "data folder", False, f"{folder} cannot be made: {error.strerror}", "Choose another with --data."
        )
    if not os.access(folder, os.W_OK):
        return Finding("data folder", False, f"{folder} cannot be written", "Give it to the user who runs the server.")
    free = shutil.disk_usage(folder).free
    enough = free >= MIN_FREE_BYTES
    return Finding(
        "data folder",
        enough,
        f"{folder.resolve()}, {free / 1024**3:.1f} GiB free",
        "" if enough else "Make room: at less than 1 GiB a busy server soon cannot write.",
    )


async def _database(settings: Settings) -> Finding:
    database = open_database(settings)
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    try:
        await database.ping()
        todo = await pending(database)
    except OpenCodeError as error:
        return Finding("database", False, f"{kind}: {error.detail}", error.action)
    except Exception as error:
        return Finding("database", False, f"{kind} does not answer: {error}", "Check OCP_DATABASE_URL and the server.")
    finally:
        await database.close()
    state = f"{len(todo)} migrations to apply, which ocp serve does" if todo else "up to date"
    return Finding("database", True, f"{kind}, {state}")


async def _redis(url: str) -> Finding:
    if not url:
        return Finding("Redis", True, "not used; one process needs none")
    from redis.asyncio import Redis

    client = Redis.from_url(url)
    try:
        await client.ping()
    except Exception as error:
        return Finding("Redis", False, f"does not answer: {error}", "Check OCP_REDIS_URL and the server.")
    finally:
        await client.aclose()
    return Finding("Redis", True, "answers")


def _web() -> Finding:
    page = web_folder() / "200.html"
    return Finding(
        "web interface",
        page.exists(),
        "built" if page.exists() else "not built",
        "" if page.exists() else "Run make run once, or install the wheel.",
    )


def _port(host: str, port: int) -> Finding:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return Finding("port", False, f"{host}:{port}: {error.strerror}", "Stop what uses it, or choose --port.")
    return Finding("port", True, f"{host}:{port} is free")


async def _programs(settings: Settings) -> list[Finding]:
    engine = build_engine(settings.execution, settings.piston)
    try:
        return [await _sandbox(engine.cells), *await _servers(engine.routed)]
    finally:
        await engine.close()


async def _sandbox(cells: Runs) -> Finding:
    report = await cells.probe()
    if not report.available:
        return Finding("sandbox", False, report.reason or "cannot be made", "Programs are not run until it can.")
    names = [language.name for language in await cells.languages() if language.available]
    return Finding("sandbox", True, f"limits held by {report.limits_held}; {len(names)} languages: {', '.join(names)}")


async def _servers(routed: RoutedRunner | None) -> list[Finding]:
    """The servers that run programs for this one."""
    if routed is None:
        return []
    await routed.look()
    return [
        Finding(f"runs on {server.name}", True, f"{len(server.seen())} languages")
        if server.trouble is None
        else Finding(f"runs on {server.name}", False, server.trouble, "Check OCP_PISTON_SERVERS and the server.")
        for server in routed.servers
    ]
