"""
One server process: started on a core of its own, watched through /proc, ended by its id.

CPU is the sum of `/proc/PID/task/*/schedstat` (nanoseconds in user and kernel mode) over all threads of the server and
of the processes that it started. `/proc/PID/stat` counts in ticks of 10 ms and is the fallback where a kernel keeps no
schedstat. Memory is the resident set, summed in the same way.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
START_LIMIT_S = 60.0
STOP_LIMIT_S = 15.0
POLL_S = 0.005
QUIET_LIMIT_S = 30.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
CORES: tuple[int, ...] = tuple(sorted(os.sched_getaffinity(0)))  # read before anything is pinned
SERVER_CORE = min(CORES) if len(CORES) > 1 else None
LOAD_CORE = max(CORES)


class ServerFailed(Exception):
    """A server did not start, or ended by itself; the message ends with its last words."""


@dataclass
class ServerProcess:
    """A running server. `log` holds what it printed."""

    process: "subprocess.Popen[bytes]"
    log: Path
    started_at: float = field(default_factory=time.perf_counter)

    @property
    def pid(self) -> int:
        return self.process.pid

    def cpu_ns(self) -> int:
        """CPU time used so far by the server and all that it started."""
        return sum(_cpu_ns(pid) for pid in self.family())

    def resident_bytes(self) -> int:
        return sum(_status_bytes(pid, "VmRSS:") for pid in self.family())

    def family(self) -> list[int]:
        """The server's id and those of its descendants, each once."""
        parents = dict(_parents())
        return [self.pid, *(pid for pid in parents if self._descends(pid, parents))]

    def _descends(self, pid: int, parents: Mapping[int, int]) -> bool:
        while pid in parents:
            pid = parents[pid]
            if pid == self.pid:
                return True
        return False

    async def ready(self, port: int, path: str | None) -> float:
        """
        Wait until the server answers `GET path` with 200 (or, without a path, accepts a connection).

        Returns:
            Seconds since the process was started.
        """
        while time.perf_counter() - self.started_at < START_LIMIT_S:
            if self.process.poll() is not None:
                raise ServerFailed(f"ended with status {self.process.returncode}: {self.last_words()}")
            if await _answers(port, path):
                return time.perf_counter() - self.started_at
            await asyncio.sleep(POLL_S)
        raise ServerFailed(f"not ready after {START_LIMIT_S:.0f} s: {self.last_words()}")

    def last_words(self) -> str:
        return " | ".join(self.log.read_text(errors="replace").splitlines()[-8:])[-1500:]

    def stop(self) -> None:
        """Ask it to end, and insist after a while. Harmless when it has ended."""
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_LIMIT_S)


def start_process(command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> ServerProcess:
    """
    Start a server in a session of its own, so that Ctrl-C reaches only us and we end it in order.

    `setpriv --pdeathsig` (util-linux) makes the kernel end it should we be killed; it becomes the server, same id.
    """
    guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*guard, *map(str, command)],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return ServerProcess(process, log)


def free_port() -> int:
    """A port that was free a moment ago; some peers cannot say which one they took."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def on_core(core: int | None) -> Generator[None]:
    """Processes started within stay on that core; without one, where the kernel puts them."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CORES if core is None else {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class PeakOfMemory:
    """
    The highest resident set within a span: sampled each 20 ms, and the kernel's own high-water mark (VmHWM).

    The mark is reset through `clear_refs`; what the machine does not allow to reset is left out of the answer.
    The sampler is a thread, so that a busy event loop does not make it miss the peak.
    """

    INTERVAL_S = 0.02

    def __init__(self, server: ServerProcess) -> None:
        self._family = server.family()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.sampled_bytes = 0
        self.mark_bytes: int | None = None

    def __enter__(self) -> "PeakOfMemory":
        self._can_reset = all(_reset_high_water_mark(pid) for pid in self._family)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._can_reset:
            self.mark_bytes = sum(_status_bytes(pid, "VmHWM:") for pid in self._family)

    @property
    def bytes(self) -> int:
        return max(self.sampled_bytes, self.mark_bytes or 0)

    def _sample(self) -> None:
        while not self._stop.wait(self.INTERVAL_S):
            now = sum(_status_bytes(pid, "VmRSS:") for pid in self._family)
            self.sampled_bytes = max(self.sampled_bytes, now)


async def until_quiet(server: ServerProcess) -> None:
    """Wait until the server has used less than 3 % of a core for a second, or for `QUIET_LIMIT_S`."""
    began = time.perf_counter()
    before = server.cpu_ns()
    while time.perf_counter() - began < QUIET_LIMIT_S:
        await asyncio.sleep(1)
        now = server.cpu_ns()
        if now - before < 30_000_000:
            return
        before = now


async def settled_memory(server: ServerProcess, *, at_least_s: float, at_most_s: float) -> int:
    """The resident set once it has moved by less than 1 % for 3 s, or when the time is up."""
    began = time.perf_counter()
    steady_since, level = began, server.resident_bytes()
    while (elapsed := time.perf_counter() - began) < at_most_s:
        await asyncio.sleep(0.25)
        now = server.resident_bytes()
        if abs(now - level) > level * 0.01:
            steady_since, level = time.perf_counter(), now
        if elapsed >= at_least_s and time.perf_counter() - steady_since >= 3:
            break
    return server.resident_bytes()


async def _answers(port: int, path: str | None) -> bool:
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    try:
        if path is None:
            return True
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
        status = await asyncio.wait_for(reader.readline(), 5)
        return b" 200 " in status
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()


def _cpu_ns(pid: int) -> int:
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except (OSError, IndexError):
        pass  # a thread or process that ended between the listing and the reading
    return total or _cpu_ns_in_ticks(pid)


def _cpu_ns_in_ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // TICKS_PER_S


def _status_bytes(pid: int, name: str) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def _reset_high_water_mark(pid: int) -> bool:
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _parents() -> Iterator[tuple[int, int]]:
    """(id, parent's id) of each process of the machine."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            yield int(entry.name), int(fields[1])
