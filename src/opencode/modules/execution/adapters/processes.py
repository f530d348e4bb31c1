"""Starting a program with exactly the descriptors it shall have, and learning when a process is gone."""

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import Mapping, Sequence

FIRST_OWN_DESCRIPTOR = 10
"""Descriptors below are for the program that is started; a shell can only name one digit."""

# Python ignores the first two, and an ignored signal stays ignored in programs it starts: `yes | head -1` would
# complain.
_SIGNALS_TO_RESET = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


def out_of_the_way(descriptor: int) -> int:
    """Give a descriptor a number that no started program claims for itself."""
    if descriptor >= FIRST_OWN_DESCRIPTOR:
        return descriptor
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FIRST_OWN_DESCRIPTOR)
    os.close(descriptor)
    return moved


def pipe() -> tuple[int, int]:
    """A pipe: what is read without waiting, and what is written."""
    reading, writing = map(out_of_the_way, os.pipe())
    os.set_blocking(reading, False)
    return reading, writing


def memory_file(content: bytes) -> int:
    """A file without a name or a folder, sealed, to be read from its beginning."""
    descriptor = out_of_the_way(os.memfd_create("data", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    return descriptor


def content_of(descriptor: int, most: int) -> bytes:
    """All that is in a file without a name; nothing when that is more than `most` bytes."""
    size = os.fstat(descriptor).st_size
    return b"" if size > most else os.pread(descriptor, size, 0)


def spawn(argv: Sequence[str], environment: Mapping[str, str], descriptors: Mapping[int, int]) -> int:
    """
    Start a program that has these descriptors and no others.

    posix_spawn does not copy the page tables of a large server, and can renumber descriptors, which `subprocess`
    cannot.

    Args:
        argv: the program by its full path, then its arguments.
        descriptors: number there -> number here; a number from 10 on must be the same on both sides.

    Returns:
        The process id. The caller must wait for it.
    """
    actions = [(os.POSIX_SPAWN_DUP2, here, there) for there, here in descriptors.items()]
    closing = [(os.POSIX_SPAWN_CLOSE, stray) for stray in _inheritable() if stray not in descriptors]
    return os.posix_spawn(
        argv[0],
        list(argv),
        environment,
        file_actions=[*actions, *closing],
        setpgroup=0,
        setsigmask=(),
        setsigdef=_SIGNALS_TO_RESET,
    )


def _inheritable() -> list[int]:
    # Python's own descriptors close on exec; those of C libraries may not.
    found: list[int] = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 (on the way of every run: paths cost)
        with contextlib.suppress(OSError):
            if os.get_inheritable(int(name)):
                found.append(int(name))
    return found


async def gone(pidfd: int) -> None:
    """Wait until the process of a pidfd has ended."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_reader(pidfd, lambda: ended.done() or ended.set_result(None))
    try:
        await ended
    finally:
        loop.remove_reader(pidfd)


def number_of(pidfd: int) -> int:
    """The process id, as this process sees it, of a pidfd that another one opened."""
    with open(f"/proc/self/fdinfo/{pidfd}") as file:  # noqa: PTH123 (on the way of every run: paths cost)
        return next(int(line[4:]) for line in file if line.startswith("Pid:"))


def reap(pidfd: int) -> int | None:
    """
    Collect an ended child, or orphan.

    Returns:
        Its status as a shell tells it (128 + n for signal n), or None when it is not ours to collect.
    """
    with contextlib.suppress(ChildProcessError):
        if found := os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG):
            return found.si_status if found.si_code == os.CLD_EXITED else 128 + found.si_status
    return None


def kill(pidfd: int) -> None:
    """End a process for sure; nothing happens when it is gone already."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
