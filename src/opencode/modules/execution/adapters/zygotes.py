"""The server's side of a zygote: it is started, asked for cells, and started anew should it end."""

import asyncio
import contextlib
import errno
import marshal
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from opencode.contracts.execution import SandboxUnavailable
from opencode.modules.execution.adapters import processes, surroundings
from opencode.modules.execution.adapters.surroundings import Surroundings
from opencode.modules.execution.adapters.zygote import serving
from opencode.modules.execution.settings import ExecutionSettings

USERS_EACH = 64
"""User ids of one zygote: the first is its own, the others are those of its cells."""
_START = str(Path(__file__).parent / "zygote" / "start.py")
_ANSWER = 64
_PATIENCE_S = 20.0  # a start takes 0.1 s; a machine that swaps takes long
_ERRNO = {
    errno.EPERM: "This machine, or the container around this server, forbids namespaces to this user. Allow them "
    "(sysctl kernel.unprivileged_userns_clone=1, or an AppArmor profile that has `userns`; in Docker --security-opt "
    "seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined), or start the server "
    "as root.",
    errno.ENOSPC: "This machine allows no more namespaces. Raise sysctl user.max_user_namespaces.",
    errno.ENOSYS: "This kernel is too old. Linux 5.12 or later is needed.",
    errno.EINVAL: "This kernel lacks a kind of namespace. Linux 5.12 or later with user namespaces is needed.",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """
    What cells of a zygote have in common.

    Attributes:
        python: the interpreter that programs run in, inside the root; they find it loaded already.
        warm: a command that is started in each cell before there is work for it (see `domain.Warm`).
        files: further files of the root, as (path, content).
        most: so many cells wait at the most, whatever the demand.
    """

    surroundings: Surroundings
    python: str = ""
    warm: tuple[str, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    most: int = sys.maxsize


@dataclass(frozen=True, slots=True)
class Ended:
    """
    How a cell's process ended.

    Attributes:
        status: as wait(2) has it; None when the zygote went down with it.
        cpu_time_ms, memory_bytes: of it and the children that it waited for; the latter is of the largest one.
    """

    status: int | None
    cpu_time_ms: int = 0
    memory_bytes: int = 0


@dataclass(slots=True, eq=False)
class Newborn:
    """
    A cell on its way.

    Attributes:
        first: describes its process 1, which takes all others along; `first_pid` is its number here.
        program: describes the process that becomes the program, and `pid` its number.
        ended: how the latter ended.
    """

    made: asyncio.Future[None]
    ended: asyncio.Future[Ended]
    first: int = -1
    first_pid: int = 0
    program: int = -1
    pid: int = 0


@dataclass(slots=True, eq=False)
class Zygote:
    """
    Args:
        first_uid: of its own users; None for an ordinary user's server, whose cells all keep that user.
        filter: for system calls of the cells.
    """

    kind: Kind
    settings: ExecutionSettings
    first_uid: int | None
    filter: bytes
    gone: Callable[["Zygote"], None] = lambda _zygote: None

    _socket: socket.socket | None = None
    _process: int = -1
    _cells: dict[int, Newborn] = field(default_factory=dict[int, Newborn])
    _numbers: int = 0

    async def start(self) -> None:
        """
        Raises:
            SandboxUnavailable: this machine does not let us; with what to do.
        """
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with its:
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            inherited = processes.out_of_the_way(its.detach())
            try:
                pid = processes.spawn(
                    (sys.executable, "-I", "-S", "-B", _START, str(inherited)),
                    {},
                    {0: null, 1: null, 2: null, inherited: inherited},
                )
            finally:
                os.close(null)
                os.close(inherited)
        self._socket, self._process = ours, os.pidfd_open(pid)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await loop.sock_sendall(ours, marshal.dumps(self._plan(), 2))
                answer = await loop.sock_recv(ours, 4096)
        except (TimeoutError, ConnectionError):
            answer = b""
        if answer != serving.HELLO:
            await self.stop()
            raise SandboxUnavailable("No sandbox can be made on this machine.", action=_advice(answer))
        loop.add_reader(ours, self._hear)

    def _plan(self) -> dict[str, object]:
        settings, kind = self.settings, self.kind
        return {
            "users": None if self.first_uid is None else (self.first_uid, USERS_EACH),
            "binds": list(kind.surroundings.binds),
            "files": {**surroundings.account_files(), **dict(kind.files)},
            "python": kind.python,
            "warm": list(kind.warm),
            "environment": dict(kind.surroundings.environment),
            "filter": self.filter,
            "hostname": "cell",
            "disk_bytes": settings.disk_bytes,
            "inodes": settings.disk_files,
        }

    def ask(self, user: int, descriptors: tuple[int, int, int, int]) -> Newborn:
        """
        Ask for a cell. Its process waits to be told that it is `JOINED` to its control group, on `work`.

        Args:
            user: which of our users it gets, from 1.
            descriptors: its ends of work, stdin, stdout and stderr.

        Raises:
            OSError: the zygote is gone.
        """
        if self._socket is None:
            raise ConnectionError(errno.EPIPE, "the zygote is gone")
        self._numbers += 1
        loop = asyncio.get_running_loop()
        newborn = Newborn(loop.create_future(), loop.create_future())
        # Who uses root's server has one user for each cell, an ordinary user's has one for all.
        number = user if self.first_uid is not None else 0
        socket.send_fds(self._socket, [marshal.dumps((self._numbers, number), 2)], list(descriptors))
        self._cells[self._numbers] = newborn
        return newborn

    def _hear(self) -> None:
        assert self._socket is not None
        while True:
            try:
                answer, descriptors, _, _ = socket.recv_fds(self._socket, _ANSWER, 2)
            except BlockingIOError:
                return
            except ConnectionError:
                answer, descriptors = b"", []
            if not answer:
                self.fall()
                return
            if answer[:1] == b"M":
                self._introduce(serving.MADE.unpack(answer)[1], descriptors)
            else:
                _, number, status, user_us, system_us, memory = serving.ENDED.unpack(answer)
                self._cells.pop(number).ended.set_result(Ended(status, (user_us + system_us) // 1000, memory))

    def _introduce(self, number: int, descriptors: list[int]) -> None:
        newborn = self._cells[number]
        newborn.first, newborn.program = map(processes.out_of_the_way, descriptors)
        newborn.first_pid = processes.number_of(newborn.first)
        newborn.pid = processes.number_of(newborn.program)
        newborn.made.set_result(None)

    def fall(self) -> None:
        """It is gone, and every cell with it: the first process of its namespace is its own."""
        if self._socket is None:
            return
        self._hang_up()
        cells, self._cells = self._cells, {}
        for newborn in cells.values():
            if not newborn.made.done():
                newborn.made.set_exception(ConnectionError(errno.EPIPE, "the zygote ended"))
            if not newborn.ended.done():
                newborn.ended.set_result(Ended(None))
        self.gone(self)

    def _hang_up(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    async def stop(self) -> None:
        """End it, and wait until it is gone."""
        self._hang_up()
        if self._process >= 0:
            process, self._process = self._process, -1
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await processes.gone(process)
            except TimeoutError:
                processes.kill(process)
                await processes.gone(process)
            processes.reap(process)
            os.close(process)


def _advice(answer: bytes) -> str:
    if answer[:1] != serving.FAULT:
        return "The process that makes sandboxes did not start. Its reason is in the server's log."
    number, _, words = answer[1:].decode("utf-8", "replace").partition(" ")
    with contextlib.suppress(ValueError):
        if advice := _ERRNO.get(int(number)):
            return advice
    return f"Making a sandbox failed: {words}."
