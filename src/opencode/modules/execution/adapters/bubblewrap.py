"""
What a cell looks like from inside, as options of bubblewrap, and the chain of programs that leads into it.

    sh (joins the control group) -> setpriv (root only: becomes an ordinary user) -> bwrap -> sh (runs the stages)

The drop comes before bwrap: started by root, `bwrap --uid` only renames, and outside it would still be root.
"""

import os
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opencode.contracts.execution import SourceFile
from opencode.modules.execution.domain.programs import Program
from opencode.modules.execution.settings import ExecutionSettings, StageLimits

CELL_UID = 1000  # who a program is inside, whatever it is outside
TOOLCHAINS = "/opt/toolchains"
WORK = "/work"
TEMPORARY = "/tmp"  # noqa: S108 (of the cell; nobody else is there)
SHARED_MEMORY = "/dev/shm"  # noqa: S108

# Descriptors of the shell that runs the stages. 2 also carries what bwrap itself complains about.
STDIN, RUN_STDOUT, STATUS, RUN_STDERR, COMPILE_STDOUT, COMPILE_STDERR, GO = range(7)

_PASSWD = f"cell:x:{CELL_UID}:{CELL_UID}:cell:{WORK}:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
_GROUP = f"cell:x:{CELL_UID}:\nnogroup:x:65534:\n"
_HOSTS = "127.0.0.1 localhost cell\n::1 localhost\n"
_ETC = ("ld.so.cache", "alternatives")
_ROOT_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_STDBUF = (Path("/usr/libexec/coreutils/libstdbuf.so"), Path("/usr/lib/coreutils/libstdbuf.so"))  # coreutils


@dataclass(frozen=True, slots=True)
class Tools:
    """Full paths of the programs of the chain; `setpriv` only as root."""

    bwrap: str
    setpriv: str | None

    @classmethod
    def find(cls, bubblewrap: str) -> "Tools | str":
        """The tools, or why there are none, with what to do about it."""
        bwrap = shutil.which(bubblewrap)
        if not bwrap:
            return "bubblewrap is not installed. Install the package bubblewrap."
        if os.geteuid() != 0:
            return cls(bwrap, None)
        setpriv = shutil.which("setpriv")
        if not setpriv:
            return "setpriv is not installed, and this server runs as root. Install the package util-linux."
        return cls(bwrap, setpriv)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    What of the host a runtime's cell shows, all of it read-only.

    Attributes:
        binds: (place on the host, place inside).
        environment: all that a program finds in its environment.
    """

    binds: tuple[tuple[str, str], ...]
    environment: Mapping[str, str]

    @classmethod
    def of(
        cls,
        etc: Iterable[str] = (),
        toolchain: tuple[Path, str] | None = None,
        environment: Mapping[str, str] | None = None,
        line_buffered: bool = False,
    ) -> "Surroundings":
        """
        Args:
            etc: glob patterns below `/etc`.
            toolchain: a folder outside `/usr`, and where it shall appear.
            line_buffered: print line by line, also into a pipe.
        """
        files = sorted({str(path) for pattern in (*_ETC, *etc) for path in Path("/etc").glob(pattern)})
        binds = [(file, file) for file in files]
        if toolchain:
            binds.append((str(toolchain[0]), toolchain[1]))
        variables = {
            "PATH": "/usr/bin:/bin",
            "HOME": WORK,
            "TMPDIR": TEMPORARY,
            "LANG": "C.UTF-8",
            "USER": "cell",
            **(environment or {}),
        }
        library = next((path for path in _STDBUF if path.exists()), None)
        if line_buffered and library:
            variables |= {"LD_PRELOAD": str(library), "_STDBUF_O": "L"}
        return cls(tuple(binds), variables)


def options(
    surroundings: Surroundings,
    files: Sequence[tuple[int, SourceFile]],
    settings: ExecutionSettings,
    seccomp: int,
    status: int,
    accounts: tuple[int, int, int],
) -> bytes:
    """
    The options of one cell, ended by NUL each, for `bwrap --args`. They never appear in a command line, which every
    process of the cell could read, so they may name places of the host.

    Args:
        files: descriptors of the source files.
        seccomp, status: descriptors of the filter and of bwrap's own reports.
        accounts: descriptors of passwd, group and hosts.
    """
    passwd, group, hosts = accounts
    words = [
        *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup"),
        *("--disable-userns", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--hostname", "cell", "--uid", str(CELL_UID), "--gid", str(CELL_UID)),
        *("--seccomp", str(seccomp), "--json-status-fd", str(status)),
        *_system(),
        *("--proc", "/proc"),
        *_devices(settings.disk_bytes),
    ]
    for descriptor, place in ((passwd, "/etc/passwd"), (group, "/etc/group"), (hosts, "/etc/hosts")):
        words += ["--perms", "0444", "--file", str(descriptor), place]
    for outside, inside in surroundings.binds:
        words += ["--ro-bind", outside, inside]
    for folder in (TEMPORARY, WORK):
        words += ["--size", str(settings.disk_bytes), "--tmpfs", folder]
    for descriptor, file in files:
        words += ["--file", str(descriptor), f"{WORK}/{file.name}"]
    words += ["--remount-ro", "/", "--chdir", WORK]
    return b"".join(os.fsencode(word) + b"\0" for word in words)


def _system() -> list[str]:
    words = ["--ro-bind", "/usr", "/usr"]
    # What an administrator put there is nobody's business, and may be anything.
    if Path("/usr/local").is_dir():
        words += ["--size", "4096", "--tmpfs", "/usr/local", "--remount-ro", "/usr/local"]
    for name in _ROOT_FOLDERS:
        folder = Path("/", name)
        if folder.is_symlink():
            words += ["--symlink", str(folder.readlink()), str(folder)]
        elif folder.is_dir():
            words += ["--ro-bind", str(folder), str(folder)]
    return words


def _devices(shared_memory_bytes: int) -> list[str]:
    # Not `--dev`: its tmpfs has no limit, and it brings terminals that no program here needs.
    words = ["--size", "4096", "--tmpfs", "/dev"]
    for name in ("null", "zero", "full", "random", "urandom"):
        words += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    for link, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        words += ["--symlink", f"/proc/self/{target}", f"/dev/{link}"]
    return [*words, "--size", str(shared_memory_bytes), "--tmpfs", SHARED_MEMORY, "--remount-ro", "/dev"]


def account_files() -> tuple[bytes, bytes, bytes]:
    """The cell's passwd, group and hosts."""
    return _PASSWD.encode(), _GROUP.encode(), _HOSTS.encode()


def chain(tools: Tools, joining: str, uid: int | None, args: int, script: str) -> tuple[str, ...]:
    """
    The command that starts a cell.

    Args:
        joining: shell that enters the control group.
        uid: whom to become outside the cell; None to stay who we are.
        args: descriptor of the options.
        script: what the cell's shell runs.
    """
    words = [tools.bwrap, "--args", str(args), "--", "/bin/sh", "-c", script, "cell"]
    if tools.setpriv and uid is not None:
        words = [tools.setpriv, f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs", *words]
    # A shell exports where it stands, which would show in /proc/1/environ of the cell.
    return "/bin/sh", "-c", f"unset PWD OLDPWD; {joining} && exec {shlex.join(words)}"


def stages(program: Program, compiling: StageLimits, running: StageLimits, hard: "HardLimits") -> str:
    """
    The shell script that runs the stages, and reports on descriptor 2: `compile` or `run` when one begins, `done` at
    the end. Between these a shell also says there that a signal ended a program, which an exit status alone cannot
    tell.
    """
    lines = [hard.shell()]
    if program.compile:
        lines += [
            "echo compile >&2",
            _stage(program.compile, compiling, hard, f"</dev/null >&{COMPILE_STDOUT} 2>&{COMPILE_STDERR}"),
            "code=$?",
            'test "$code" = 0 || { echo done >&2; exit "$code"; }',
            # Nothing that a compiler left running may see the run.
            "kill -9 -1 2>/dev/null",
            f"exec {COMPILE_STDOUT}>&- {COMPILE_STDERR}>&-",
            # The host takes stock of the stage before the next begins.
            f"echo compiled >&2; read -r go <&{GO}; exec {GO}<&-",
        ]
    lines += [
        "echo run >&2",
        _stage(program.run, running, hard, f"2>&{RUN_STDERR}"),
        "code=$?",
        "echo done >&2",
        'exit "$code"',
    ]
    return "\n".join(lines)


def _stage(command: Sequence[str], limits: StageLimits, hard: "HardLimits", descriptors: str) -> str:
    closing = f"{RUN_STDERR}>&- {COMPILE_STDOUT}>&- {COMPILE_STDERR}>&- {GO}<&-"
    return f"({hard.stage(limits)}exec {shlex.join(command)}) {descriptors} {closing}"


# Node and the JVM ask for far more writable memory than they touch: Node 24 does not start below some 700 MB.
_RESERVED_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class HardLimits:
    """
    Limits of single processes. With a control group they only catch what it cannot count. Without one (`stand_in`) they
    are the rough outer bound, within which the host looks at the whole tree of processes.
    """

    open_files: int
    file_bytes: int
    stack_bytes: int
    stand_in: bool

    def shell(self) -> str:
        """Limits that hold for all stages, as shell."""
        blocks = self.file_bytes // 512  # POSIX: ulimit -f counts 512-byte blocks
        return (
            f"ulimit -c 0; ulimit -n {self.open_files}; ulimit -f {blocks}; ulimit -l 64; ulimit -s {self._stack_kib()}"
        )

    def stage(self, limits: StageLimits) -> str:
        """Limits of one stage, as shell that another command may follow."""
        # One second more than the host allows: the host counts all processes together and has the better words.
        words = f"ulimit -t {limits.cpu_time_ms // 1000 + 1}; "
        if self.stand_in:
            # Process 1 and the shell count, too. The letter is -u in bash and -p in dash and busybox.
            most = limits.processes + 2
            most_private = limits.memory_bytes + _RESERVED_BYTES
            words += f"ulimit -d {most_private // 1024}; ulimit -u {most} 2>/dev/null || ulimit -p {most}; "
        return words

    def _stack_kib(self) -> int:
        return self.stack_bytes // 1024


def advice(complaint: str) -> str | None:
    """What to do about what bwrap complains of, or None when it is not known."""
    for words, sentence in _ADVICE:
        if words in complaint:
            return sentence
    return complaint.splitlines()[0] if complaint else None


_ADVICE = (
    (
        "No permissions to create",
        "This machine forbids user namespaces to ordinary users. Allow them (sysctl "
        "kernel.unprivileged_userns_clone=1, or an AppArmor profile for bwrap that has `userns`), or start the server "
        "as root.",
    ),
    (
        "setting up uid map",
        "This machine forbids user namespaces to ordinary users. Allow them with an AppArmor profile for bwrap that "
        "has `userns` (sysctl kernel.apparmor_restrict_unprivileged_userns=0), or start the server as root.",
    ),
    (
        "Creating new namespace failed",
        "This machine, or the container around this server, forbids namespaces. Raise sysctl user.max_user_namespaces, "
        "or let the container make namespaces (docker run --security-opt seccomp=unconfined --security-opt "
        "apparmor=unconfined).",
    ),
    (
        "Can't mount proc",
        "The container around this server hides parts of /proc. Start it with --security-opt systempaths=unconfined.",
    ),
    (
        "--disable-userns",
        "This bubblewrap is too old. Install version 0.8.0 or later.",
    ),
)
