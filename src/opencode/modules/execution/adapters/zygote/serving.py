"""The zygote's loop: asked for a cell, it forks one; when a cell's program ends, it says how."""

import _socket
import marshal
import os
import select
import struct

from opencode.modules.execution.adapters.zygote import kernel, midwife, python, stage, words

_LARGEST_REQUEST = 4096
_DESCRIPTORS = 4  # work, stdin, stdout, stderr

HELLO = b"H"
FAULT = b"X"
"""Followed by the number of an error and its words."""
MADE = struct.Struct("=cq")
"""`M` and the number of the cell; with descriptors of its process 1 and of its program's process."""
ENDED = struct.Struct("=cqqqqq")
"""`E`, the number of the cell, status as wait(2) has it, user and system time in µs, largest resident set in bytes."""


class Zygote:
    """
    Args:
        server: where requests come from, and answers go to.
        plan: what cells are like.
        interpreter: this one, when programs are to run in it.
    """

    def __init__(self, server: _socket.socket, plan: words.Plan, interpreter: "python.Interpreter | None") -> None:
        self._server = server
        self._interpreter = interpreter
        self._plan = plan
        self._midwife = midwife.start()
        self._own_processes = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._waiting = select.poll()
        self._programs: dict[int, tuple[int, int]] = {}  # descriptor -> number of the cell, process

    def serve(self) -> None:
        """
        Until the server hangs up. Each request is the number of a cell and a user id of ours, with four descriptors.
        """
        self._waiting.register(self._server.fileno(), select.POLLIN)
        self._server.send(HELLO)
        while True:
            for descriptor, _ in self._waiting.poll():
                if descriptor in self._programs:
                    self._tell_end(descriptor)
                else:
                    self._obey()

    def _obey(self) -> None:
        raw, descriptors = kernel.receive(self._server, _LARGEST_REQUEST, _DESCRIPTORS)
        if not raw:
            os._exit(0)
        number, user = marshal.loads(raw)  # noqa: S302 (from the server)
        work, *plain = descriptors
        first, processes = midwife.ask(self._midwife)
        kernel.setns(processes, kernel.CLONE_NEWPID)
        process = os.fork()
        if process == 0:
            for descriptor in (self._own_processes, first, processes, *self._programs):
                os.close(descriptor)
            self._become_cell(work, plain, user)
        kernel.setns(self._own_processes, kernel.CLONE_NEWPID)
        described = os.pidfd_open(process)
        self._programs[described] = number, process
        self._waiting.register(described, select.POLLIN)
        kernel.send(self._server, MADE.pack(b"M", number), [first, described])
        for descriptor in (first, processes, work, *plain):
            os.close(descriptor)

    def _become_cell(self, work: int, plain: "list[int]", user: int) -> None:
        """Never returns, but for a Python program that leaves by an exception."""
        self._server.close()
        self._midwife.close()
        stage.live(_socket.socket(fileno=work), plain, self._plan, user, self._interpreter)

    def _tell_end(self, descriptor: int) -> None:
        number, process = self._programs.pop(descriptor)
        self._waiting.unregister(descriptor)
        os.close(descriptor)
        _, status, usage = os.wait4(process, 0)
        user_us, system_us = int(usage.ru_utime * 1e6), int(usage.ru_stime * 1e6)
        self._server.send(ENDED.pack(b"E", number, status, user_us, system_us, usage.ru_maxrss * 1024))
