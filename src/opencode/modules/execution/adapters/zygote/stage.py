"""The process of one program: it exists before its work does, takes the work, and becomes the program."""

import _socket
import fcntl
import marshal
import os
import resource
import select
import signal
import struct
import termios

from opencode.modules.execution.adapters.zygote import kernel, python, store, walls, words

MOST_WORDS = 256 * 1024  # bytes of one message; what is larger comes as a file
_MOST_DESCRIPTORS = 4
_LARGEST_WORD = 16
JOINED = b"joined"
READY = b"R"
FAULT = b"X"
FOLDERS = 3
"""Descriptors that come with `READY`: of the folders that a program may fill. They are good for statvfs(3) only."""
COMPILED_TAG = b"C"
COMPILED = struct.Struct("=cqqqq")
"""`C`, status as wait(2) has it, user and system time in µs, largest resident set in bytes."""
COLLECTED = b"K"
"""What a program that was up already left is in the server's file."""
_CANNOT_START = 127  # what shells say when there is no such program
_WORDS_TO_WARM = 3  # the descriptor on which a program that is up already hears what to do
_WORD_OF_WARM = 4  # and the one on which it says that it is up
_ABOVE = 10

# Python ignores the first two, and an ignored signal stays ignored in programs it starts: `yes | head -1` would
# complain.
_SIGNALS_TO_RESET = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


def live(
    work: _socket.socket,
    plain: "list[int]",
    plan: words.Plan,
    user: int,
    interpreter: "python.Interpreter | None",
) -> None:
    """
    The whole life of a cell's process, up to the program. Never returns. What goes wrong before is told to the server.

    Args:
        work: the server's words to us.
        plain: stdin, stdout and stderr.

    Raises:
        python.Program: the program is to take over this interpreter.
    """
    try:
        # We belong to the cell's control group before we take anything.
        if work.recv(_LARGEST_WORD) != JOINED:
            os._exit(_CANNOT_START)
        for number in _SIGNALS_TO_RESET:
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        _take_places(plain)
        walls.raise_walls(plan, user)
        # Nobody else runs as this user here, but one compiler may, and it is not to look into us.
        kernel.set_dumpable(False)
        if plan["warm"]:
            _start_warm(plan, work)
        if interpreter:
            interpreter.rehearse()
        _say_ready(work)
        _follow(*receive(work), work)
    except OSError as error:
        work.send(FAULT + (error.strerror or "").encode())
    os._exit(_CANNOT_START)


def _say_ready(work: _socket.socket) -> None:
    folders = [os.open(place, os.O_PATH | os.O_CLOEXEC) for place in walls.WRITABLE]
    kernel.send(work, READY, folders)
    for folder in folders:
        os.close(folder)


def receive(work: _socket.socket) -> "tuple[words.Task, list[int]]":
    """The work, and the files that came along. An empty message means that the server is gone."""
    raw, descriptors = kernel.receive(work, MOST_WORDS, _MOST_DESCRIPTORS)
    if not raw:
        os._exit(_CANNOT_START)
    return marshal.loads(raw), descriptors  # noqa: S302 (from the server, over a socket that only we hold)


def _follow(task: words.Task, descriptors: "list[int]", work: _socket.socket) -> None:
    _prepare(task, descriptors)
    if task["collect"]:
        _see_compiler_through(task["collect"], descriptors[-1], work)
    work.close()
    _limit(0, task["limits"])
    argv, environment = task["argv"], task["environment"]
    if task["in_python"]:
        # The interpreter is this one. Its files in /proc belong to the program from now on.
        kernel.set_dumpable(True)
        raise python.Program(argv, environment, [name for name, _ in task["files"]])
    try:
        os.execve(argv[0], argv, environment)
    except OSError as error:
        os.write(2, f"{argv[0]} could not be started: {error.strerror}.\n".encode())


def _see_compiler_through(paths: "list[str]", target: int, work: _socket.socket) -> None:
    """
    Wait for a compiler, our child, and put what it made into the server's file. Returns in the compiler only.
    """
    compiler = os.fork()
    if compiler == 0:
        os.close(target)
        return
    _, status, usage = os.wait4(compiler, 0)
    # What it left running must not change the files under our hands.
    _end_all_others()
    store.collect(paths, target)
    user_us, system_us = int(usage.ru_utime * 1e6), int(usage.ru_stime * 1e6)
    told = COMPILED.pack(COMPILED_TAG, status, user_us, system_us, usage.ru_maxrss * 1024)
    work.send(told)
    os._exit(0)


def _end_all_others() -> None:
    """Until none is left: a process that is told to go may still finish what it asked the kernel for."""
    try:
        while True:
            os.kill(-1, signal.SIGKILL)
            os.sched_yield()
    except ProcessLookupError:
        return


def _prepare(task: words.Task, descriptors: "list[int]") -> None:
    """Put the files where they belong, and take the terminal if there is one."""
    rest = iter(descriptors)
    if task["terminal"]:
        _take_terminal(next(rest))
    content = task["content"]
    if content is None:
        store.write_from(next(rest), task["files"])
    else:
        store.write(content, task["files"])
    if task["made"]:
        store.unpack(next(rest))


def _limit(process: int, limits: "list[tuple[int, int]]") -> None:
    """Limits of one process, 0 for this one. What it may not have anyway stays as it is."""
    for number, limit in limits:
        if process and number == resource.RLIMIT_CPU:
            # What it used while it waited is not the run's.
            limit += _used_s(process)
        most = resource.prlimit(process, number)[1]
        lowered = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.prlimit(process, number, (lowered, lowered))


def _take_places(plain: "list[int]") -> None:
    for place, descriptor in enumerate(plain):
        os.dup2(descriptor, place)
        os.close(descriptor)


def _take_terminal(terminal: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for place in range(3):
        os.dup2(terminal, place)
    os.close(terminal)


def _start_warm(plan: words.Plan, work: _socket.socket) -> None:
    """
    Become a program that comes as far as it can and waits for what it is to do. That comes over a pipe, as one line,
    from a helper that outlives this function. Never returns.
    """
    hearing, telling = os.pipe()
    up, is_up = os.pipe()
    program = os.getpid()
    if os.fork() == 0:
        # The helper's parent is not to learn of its end: a program could take it for a child of its own.
        if os.fork() == 0:
            _help_warm(work, (hearing, is_up), up, telling, program)
        os._exit(0)
    os.wait()
    # First out of the way, so that none is overwritten before it is in its place.
    hearing, is_up = (fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _ABOVE) for descriptor in (hearing, is_up))
    os.dup2(hearing, _WORDS_TO_WARM)
    os.dup2(is_up, _WORD_OF_WARM)
    argv = plan["warm"]
    os.execve(argv[0], argv, plan["environment"])


def _help_warm(work: _socket.socket, its: "tuple[int, int]", up: int, telling: int, program: int) -> None:
    """Never returns. Should the program end before it is up, the server learns it by the end of our words."""
    try:
        for descriptor in its:
            os.close(descriptor)
        # The output ends with the program, not with us.
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for place in range(3):
            os.dup2(null, place)
        if not os.read(up, 1):
            os._exit(0)
        os.close(up)
        ended = os.pidfd_open(program)
        _say_ready(work)
        task, descriptors = receive(work)
        _prepare(task, descriptors)
        _limit(program, task["limits"])
        os.write(telling, task["line"])
        os.close(telling)
        if task["collect"]:
            _wait_for(ended)
            _end_all_others()
            store.collect(task["collect"], descriptors[-1])
            work.send(COLLECTED)
    except OSError as error:
        work.send(FAULT + (error.strerror or "").encode())
    finally:
        os._exit(0)


def _used_s(process: int) -> int:
    """Seconds of processor time that a process has used, rounded up."""
    with open(f"/proc/{process}/stat", "rb") as file:
        user, system = file.read().rpartition(b")")[2].split()[11:13]  # proc(5): utime and stime
    return (int(user) + int(system)) // os.sysconf("SC_CLK_TCK") + 1


def _wait_for(ended: int) -> None:
    waiting = select.poll()
    waiting.register(ended, select.POLLIN)
    waiting.poll()
