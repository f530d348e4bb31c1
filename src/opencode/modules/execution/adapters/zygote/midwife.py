"""
Makes process 1 of each cell.

A pid namespace lives as long as its first process, which takes all others along when it is ended. Ours does nothing
else: it sleeps in `pause`. It shares our memory, so it costs no page of its own. Children that lose their parent come
to it and are collected by the kernel, because it ignores SIGCHLD; the zygote must not ignore it, so this is a process
of its own.
"""

import _socket
import mmap
import os
import signal

from opencode.modules.execution.adapters.zygote import kernel


def start() -> _socket.socket:
    """Fork the midwife; the other end of what it listens to."""
    ours, its = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        _serve(its)
    its.close()
    return ours


def ask(midwife: _socket.socket) -> "tuple[int, int]":
    """Descriptors of process 1 of a new pid namespace, and of the namespace."""
    midwife.send(b"?")
    _, (sleeper, processes) = kernel.receive(midwife, 1, 2)
    return sleeper, processes


def _serve(asked: _socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # Whoever looks into process 1 of a cell looks into this memory.
    kernel.set_dumpable(False)
    own_processes = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    # One for all: none of them ever returns to what is on it.
    stack = mmap.mmap(-1, 64 * 1024)
    while asked.recv(1):
        # The namespace of the next child; ours stays. It can be asked for once, and must then be given back.
        kernel.unshare(kernel.CLONE_NEWPID)
        sleeper = os.pidfd_open(kernel.clone_sleeper(stack))
        processes = os.open("/proc/self/ns/pid_for_children", os.O_RDONLY | os.O_CLOEXEC)
        kernel.setns(own_processes, kernel.CLONE_NEWPID)
        kernel.send(asked, b"!", [sleeper, processes])
        os.close(sleeper)
        os.close(processes)
    os._exit(0)
