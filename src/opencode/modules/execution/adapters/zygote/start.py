"""
Where a zygote starts: `start.py DESCRIPTOR` outside, and `start.py DESCRIPTOR PLAN` inside its root.

Outside, the server's own Python makes namespaces and the root. Where cells run Python, the Python that the root shows
then takes over, so that programs find themselves in the interpreter that they asked for.
"""

import sys

_bare = frozenset(sys.modules)

import _socket  # noqa: E402
import marshal  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402

_HERE = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = "opencode/modules/execution/adapters/zygote"
_INSIDE = "/.zygote"
# In place of our own folder, which a program is not to find there.
sys.path[0:1] = [_HERE[: -len(_PACKAGE)]]

# All of it now: soon our files are out of reach.
from opencode.modules.execution.adapters.zygote import kernel, python, root, serving, words  # noqa: E402

_LARGEST_PLAN = 256 * 1024
# /proc/PID/cmdline can be written over, but not made longer: room for the command of a program.
_ROOM_FOR_ARGUMENTS = "." * 400
_UMASK = 0o022


def begin_outside(server: _socket.socket) -> words.Plan:
    """Make the namespaces and the root. Returns in the zygote, whose plan it is; or another Python takes over."""
    plan = marshal.loads(server.recv(_LARGEST_PLAN))  # noqa: S302 (from the server, which started us)
    # The server's own may keep everybody else out of what it makes, and cells are somebody else.
    os.umask(_UMASK)
    try:
        root.become_nobody(plan["users"])
        kernel.unshare(
            kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
        )
        zygote = os.fork()
        if zygote:
            server.close()
            os.waitpid(zygote, 0)
            os._exit(0)
        kernel.die_with_parent(signal.SIGKILL)
        root.build(plan["binds"], {**plan["files"], **_own_files()})
        if plan["python"]:
            _take_over(server, plan)
    except OSError as error:
        server.send(serving.FAULT + f"{error.errno} {error.strerror}".encode())
        os._exit(1)
    return plan


def begin_inside(server: _socket.socket, carried: int) -> words.Plan:
    """Go on where another Python left off."""
    os.set_inheritable(server.fileno(), False)
    plan = marshal.loads(os.pread(carried, _LARGEST_PLAN, 0))  # noqa: S302 (from the process that we were)
    os.close(carried)
    return plan


def _own_files() -> "dict[str, bytes]":
    found: dict[str, bytes] = {}
    for name in os.listdir(_HERE):
        if name.endswith(".py"):
            with open(f"{_HERE}/{name}", "rb") as file:
                found[f"{_INSIDE}/{_PACKAGE}/{name}"] = file.read()
    # The packages above hold nothing that is needed here.
    parts = _PACKAGE.split("/")
    for depth in range(1, len(parts)):
        found[f"{_INSIDE}/{'/'.join(parts[:depth])}/__init__.py"] = b""
    return found


def _take_over(server: _socket.socket, plan: words.Plan) -> None:
    # As a program of a cell finds them: the interpreter looks once what kind of files its streams are.
    for place, end in ((0, 0), (1, 1), (2, 1)):
        os.dup2(os.pipe()[end], place)
    os.set_inheritable(server.fileno(), True)
    carried = os.memfd_create("plan", 0)
    # Programs can search the memory that they share with us: it must not say where on the host things are.
    os.write(carried, marshal.dumps({**plan, "users": None, "binds": [], "files": {}}, 2))
    interpreter = plan["python"]
    script = f"{_INSIDE}/{_PACKAGE}/start.py"
    argv = [interpreter, script, str(server.fileno()), str(carried), _ROOM_FOR_ARGUMENTS]
    os.execve(interpreter, argv, plan["environment"])


if __name__ == "__main__":
    _server = _socket.socket(fileno=int(sys.argv[1]))
    _plan = begin_inside(_server, int(sys.argv[2])) if len(sys.argv) > 2 else begin_outside(_server)
    root.forget(_INSIDE)
    kernel.set_name("cell")
    kernel.write_over_arguments(["cell"])
    _interpreter = python.Interpreter(_bare) if _plan["python"] else None
    _program = None
    try:
        serving.Zygote(_server, _plan, _interpreter).serve()
    except python.Program as _chosen:
        _program = _chosen
    if _interpreter and _program:
        _interpreter.become(_program)
