"""
Real servers: one PostgreSQL and one Redis for a whole run, on sockets in a folder of their own, gone with the run; and
uvicorn inside a test.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from redis import Redis
from redis.exceptions import RedisError

_PATIENCE_S = 30.0
_TURNS = 3
"""Of the event loop, in which connections that were told to close are gone."""


class QuietServer(uvicorn.Server):
    """uvicorn inside a test: it leaves the signals of the test run alone, and stops when it is told, not at a tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.leaving = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.leaving.wait()

    async def shutdown(self, sockets: Any = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        try:
            await asyncio.wait_for(self._wait_tasks_to_complete(), self.config.timeout_graceful_shutdown)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()

    @property
    def port(self) -> int:
        return self.servers[0].sockets[0].getsockname()[1]


@asynccontextmanager
async def serving(app: Any, *, stop_s: int = 2, **options: Any) -> AsyncGenerator[QuietServer]:
    """
    An application on a free port of this machine.

    Args:
        stop_s: how long answers that have begun may take when it is left.
        options: of uvicorn.
    """
    settings: dict[str, Any] = {"http": "httptools", "interface": "asgi3", "lifespan": "off", "access_log": False}
    settings |= {"log_config": None, "timeout_graceful_shutdown": stop_s, **options}
    config = uvicorn.Config(app, port=0, **settings)
    server = QuietServer(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(_PATIENCE_S):
        await server.ready.wait()
    yield server
    server.leaving.set()
    async with asyncio.timeout(_PATIENCE_S):
        await task


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """`folder` holds the socket; the role `opencode` owns everything and needs no password."""

    folder: Path

    def url(self, name: str) -> str:
        return f"postgresql+asyncpg://opencode@/{name}?host={self.folder}"


@contextmanager
def running_postgres() -> Generator[PostgresServer]:
    """Start PostgreSQL with its safety of writes switched off; end it when left, or when this process dies."""
    programs = _postgres_programs()
    with socket_folder() as folder:
        data = folder / "pg"
        data.mkdir(mode=0o700)
        guard = ["setpriv", "--pdeathsig", "INT"]
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root.
            shutil.chown(data, "postgres", "postgres")
            shutil.chown(folder, "postgres", "postgres")
            guard += ["--reuid=postgres", "--regid=postgres", "--init-groups"]
        initdb = [*guard, programs / "initdb", "-D", data, "-U", "opencode", "-A", "trust", "-E", "UTF8"]
        _run([*initdb, "--locale=C.UTF-8", "--no-sync"])
        quick = [
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "listen_addresses=",
            "max_connections=200",
        ]
        options = [word for option in quick for word in ("-c", option)]
        with _running([*guard, programs / "postgres", "-D", data, "-k", folder, *options], folder / "pg.log") as server:
            _until(lambda: _succeeds([programs / "pg_isready", "-q", "-h", folder]), server, folder / "pg.log")
            yield PostgresServer(folder)


@dataclass(slots=True)
class RedisServer:
    """
    A Redis that can be taken away and brought back. Start it in the main thread only: it is told to end with whichever
    thread started it (`prctl`, PR_SET_PDEATHSIG).
    """

    folder: Path
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.folder / 'redis.sock'}"

    def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise _missing("redis-server", "redis-server")
        socket = self.folder / "redis.sock"
        words = ["setpriv", "--pdeathsig", "TERM", program, "--port", "0", "--unixsocket", str(socket)]
        words += ["--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        log = (self.folder / "redis.log").open("ab")
        self._process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        _until(lambda: socket.exists() and _redis_answers(socket), self._process, self.folder / "redis.log")

    def stop(self) -> None:
        if self._process:
            _end(self._process)
            self._process = None


@contextmanager
def running_redis() -> Generator[RedisServer]:
    """Start Redis without persistence; end it when left, or when this process dies."""
    with socket_folder() as folder:
        server = RedisServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _postgres_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise _missing("PostgreSQL", "postgresql-15")
    return found[-1].parent


@contextmanager
def socket_folder() -> Generator[Path]:
    # Short, because a socket's path may have 107 bytes; open, because PostgreSQL runs as somebody else.
    folder = Path(tempfile.mkdtemp(prefix="ocp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(words: list[str | Path], log: Path) -> Generator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(words, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    # To PostgreSQL this means: at once, and write nothing more, since nobody will read it.
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _until(condition: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    gives_up_at = time.monotonic() + _PATIENCE_S
    while not condition():
        if process.poll() is not None or time.monotonic() > gives_up_at:
            raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.01)


def _redis_answers(socket: Path) -> bool:
    try:
        with Redis(unix_socket_path=str(socket)) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False


def _run(words: list[str | Path]) -> None:
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{words[-1]} failed:\n{done.stdout.decode()}{done.stderr.decode()}")


def _succeeds(words: list[str | Path]) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _missing(program: str, package: str) -> RuntimeError:
    return RuntimeError(f"{program} was not found. Install it: tools/debian-packages {package}")
