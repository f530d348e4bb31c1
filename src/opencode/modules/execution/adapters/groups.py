"""
Control groups: how a cell's memory, processes and processor time are counted and limited as one.

Three kinds of machine: version 2 with a group that was delegated to us, version 1 (also beside an empty version 2 tree,
called hybrid), and neither, where `rlimits` of single processes and a look at the process tree must do.
"""

import contextlib
import errno
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from opencode.modules.execution.settings import StageLimits

PREFIX = "oc"  # groups are called oc-<server's pid>-<number>, so that a later server can tell leftovers


@dataclass(frozen=True, slots=True)
class Usage:
    """
    What a cell has used so far.

    Attributes:
        memory_bytes: the peak; None where it cannot be told.
        oom_kills: processes ended by the kernel, or by us in its place, for want of memory.
        refused_forks: times that one process more was asked for than allowed.
        is_rough: seen by looking now and then; what a process says of itself at its end may be more.
    """

    cpu_time_ms: int
    memory_bytes: int | None
    oom_kills: int = 0
    refused_forks: int = 0
    is_rough: bool = False


class Group(Protocol):
    """The group of one cell."""

    def join(self, pid: int) -> None:
        """
        Put a process into the group; every process it starts is born there.

        Raises:
            OSError: it is gone, or the group is.
        """
        ...

    def limit(self, limits: StageLimits) -> None:
        """Set other limits than the group was made with."""
        ...

    def usage(self, pid: int, first: int) -> Usage:
        """What was used so far. `pid`: the cell's main process; `first`: its process 1, to which orphans come."""
        ...

    def remove(self) -> bool:
        """End whatever is left in the group, and remove it. False while it is still busy: ask again in a moment."""
        ...


class Groups(Protocol):
    """Makes groups. `name` says which kind, for `Finished.limits_held`."""

    name: str
    rlimits_only: bool

    def make(self, limits: StageLimits) -> Group:
        """
        Raises:
            OSError: the group could not be made.
        """
        ...


def detect(control_groups: Path = Path("/sys/fs/cgroup"), process: Path = Path("/proc/self")) -> Groups:
    """The best kind that this machine lets us use, found by making one group and removing it again."""
    for kind in (VersionTwo.find, VersionOne.find):
        with contextlib.suppress(OSError):
            if groups := kind(control_groups, process):
                groups.make(StageLimits()).remove()
                return groups
    return ProcessTrees()


# --------------------------------------------------------------------------------------------------------- version 1


_V1_CONTROLLERS = ("memory", "pids", "cpuacct")


@dataclass(slots=True)
class VersionOne:
    """Each controller is a tree of its own."""

    bases: dict[str, Path]
    name: str = "cgroup-v1"
    rlimits_only: bool = False
    _made: int = 0

    @classmethod
    def find(cls, control_groups: Path, process: Path) -> "VersionOne | None":
        own = {
            controller: path
            for _, controllers, path in _own_groups(process)
            for controller in controllers.split(",")
            if controller in _V1_CONTROLLERS
        }
        bases: dict[str, Path] = {}
        for mount_point, root, options in _v1_mounts(control_groups, process):
            for controller in own.keys() & options:
                bases[controller] = _below(mount_point, root, own[controller])
        if len(bases) < len(_V1_CONTROLLERS):
            return None
        for base in set(bases.values()):
            _sweep(base)
        return cls(bases)

    def make(self, limits: StageLimits) -> Group:
        self._made += 1
        name = f"{PREFIX}-{os.getpid()}-{self._made}"
        group = _V1Group({controller: base / name for controller, base in self.bases.items()})
        try:
            for path in group.places:
                path.mkdir()
            group.limit(limits)
        except OSError:
            group.remove()
            raise
        return group


@dataclass(slots=True)
class _V1Group:
    paths: dict[str, Path]

    @property
    def places(self) -> set[Path]:
        # cpu and cpuacct, and on some machines others, share one tree.
        return set(self.paths.values())

    def join(self, pid: int) -> None:
        for path in self.places:
            _write(path / "cgroup.procs", pid)

    def limit(self, limits: StageLimits) -> None:
        _write_memory_limit_v1(self.paths["memory"], limits.memory_bytes)
        _write(self.paths["pids"] / "pids.max", limits.processes)

    def usage(self, pid: int, first: int) -> Usage:
        memory = self.paths["memory"]
        return Usage(
            cpu_time_ms=_number(self.paths["cpuacct"] / "cpuacct.usage") // 1_000_000,
            memory_bytes=_number(memory / "memory.max_usage_in_bytes"),
            oom_kills=_keyed(memory / "memory.oom_control", "oom_kill"),
            refused_forks=_keyed(self.paths["pids"] / "pids.events", "max"),
        )

    def remove(self) -> bool:
        removed = [_remove(path, lambda path=path: _kill_members(path)) for path in self.places]
        return all(removed)


def _write_memory_limit_v1(memory: Path, limit_bytes: int) -> None:
    with_swap = memory / "memory.memsw.limit_in_bytes"
    # Memory alone may never be allowed more than memory with swap: raising starts at one end, lowering at the other.
    try:
        _write(memory / "memory.limit_in_bytes", limit_bytes)
        _write_if_there(with_swap, limit_bytes)
    except OSError:
        _write_if_there(with_swap, limit_bytes)
        _write(memory / "memory.limit_in_bytes", limit_bytes)


# --------------------------------------------------------------------------------------------------------- version 2


_V2_CONTROLLERS = "+memory +pids +cpu"


@dataclass(slots=True)
class VersionTwo:
    """One tree for everything; `base` must have been delegated to us (systemd: `Delegate=yes`)."""

    base: Path
    name: str = "cgroup-v2"
    rlimits_only: bool = False
    _made: int = 0

    @classmethod
    def find(cls, control_groups: Path, process: Path) -> "VersionTwo | None":
        offered = control_groups / "cgroup.controllers"
        if not offered.exists() or not {"memory", "pids", "cpu"} <= set(offered.read_text().split()):
            return None
        own = next((path for number, _, path in _own_groups(process) if number == "0"), "/")
        # An ordinary user has at most the group that was delegated; root may use the top of the tree as well.
        for base in (control_groups / own.lstrip("/"), control_groups):
            with contextlib.suppress(OSError):
                _sweep(base)
                _delegate(base, whole_tree_is_ours=own == "/")
                return cls(base)
        return None

    def make(self, limits: StageLimits) -> Group:
        self._made += 1
        group = _V2Group(self.base / f"{PREFIX}-{os.getpid()}-{self._made}")
        group.path.mkdir()
        try:
            group.limit(limits)
        except OSError:
            group.remove()
            raise
        return group


def _delegate(base: Path, *, whole_tree_is_ours: bool) -> None:
    """
    Let the groups below have the controllers.

    Raises:
        OSError: we may not, or other people's processes are in the way.
    """
    try:
        _write(base / "cgroup.subtree_control", _V2_CONTROLLERS)
    except OSError as error:
        members = (base / "cgroup.procs").read_text().split()
        # A group that hands controllers down may hold no processes. Ours move into a leaf, and so do those of the
        # container that we have to ourselves; a login session's do not, as they are not ours to move.
        if error.errno != errno.EBUSY or not (whole_tree_is_ours or members == [str(os.getpid())]):
            raise
        leaf = base / f"{PREFIX}-server"
        leaf.mkdir(exist_ok=True)
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                _write(leaf / "cgroup.procs", pid)
        _write(base / "cgroup.subtree_control", _V2_CONTROLLERS)


@dataclass(slots=True)
class _V2Group:
    path: Path

    def join(self, pid: int) -> None:
        _write(self.path / "cgroup.procs", pid)

    def limit(self, limits: StageLimits) -> None:
        _write(self.path / "memory.max", limits.memory_bytes)
        _write_if_there(self.path / "memory.swap.max", 0)
        _write_if_there(self.path / "memory.oom.group", 1)
        _write(self.path / "pids.max", limits.processes)

    def usage(self, pid: int, first: int) -> Usage:
        return Usage(
            cpu_time_ms=_keyed(self.path / "cpu.stat", "usage_usec") // 1000,
            memory_bytes=self._peak_bytes(),
            oom_kills=_keyed(self.path / "memory.events", "oom_kill"),
            refused_forks=_keyed(self.path / "pids.events", "max"),
        )

    def _peak_bytes(self) -> int | None:
        try:
            return _number(self.path / "memory.peak")
        except OSError:
            return None  # before Linux 5.19

    def remove(self) -> bool:
        return _remove(self.path, lambda: _write_if_there(self.path / "cgroup.kill", 1))


# ----------------------------------------------------------------------------------------------------------- neither


@dataclass(slots=True)
class ProcessTrees:
    """No groups: single processes are held by rlimits, and the cell as a whole by looking at its processes."""

    name: str = "rlimits"
    rlimits_only: bool = True

    def make(self, limits: StageLimits) -> Group:
        return _ProcessTree(limits)


@dataclass(slots=True)
class _ProcessTree:
    limits: StageLimits
    _cpu_time_ms: int = 0
    _peak_bytes: int | None = None

    def join(self, pid: int) -> None:
        """Nothing to join: a process is in the tree by its birth."""

    def limit(self, limits: StageLimits) -> None:
        self.limits = limits

    def usage(self, pid: int, first: int) -> Usage:
        """The processor time of ended processes counts once their parent has waited for them."""
        ticks = resident = threads = 0
        found = _stats_below(pid)
        for orphan in _children(first):
            found |= _stats_below(orphan)
        for each, fields in found.items():
            ticks += sum(int(fields[index]) for index in _CPU_FIELDS)
            threads += int(fields[_THREADS_FIELD])
            own = int(fields[_RESIDENT_FIELD]) * _PAGE
            # What a child shares with its parent counts once. That takes longer to find out.
            resident += own if len(found) == 1 else min(own, _proportional(each, own))
        self._cpu_time_ms = max(self._cpu_time_ms, ticks * 1000 // _TICKS_A_SECOND)
        if resident:
            self._peak_bytes = max(self._peak_bytes or 0, resident)
        return Usage(
            cpu_time_ms=self._cpu_time_ms,
            memory_bytes=self._peak_bytes,
            oom_kills=int((self._peak_bytes or 0) > self.limits.memory_bytes),
            refused_forks=int(threads > self.limits.processes),
            is_rough=True,
        )

    def remove(self) -> bool:
        return True  # nothing was made


# proc(5), /proc/pid/stat, counted from the field after the name: utime, stime, cutime, cstime; num_threads; rss.
_CPU_FIELDS = (11, 12, 13, 14)
_THREADS_FIELD = 17
_RESIDENT_FIELD = 21
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def _proportional(pid: int, otherwise: int) -> int:
    """The memory of a process, where each page counts as a part for each process that has it."""
    with contextlib.suppress(OSError):
        return _keyed(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") * 1024
    return otherwise


def _stats_below(pid: int) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    waiting = [pid]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError):
            found[pid] = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            waiting += _children(pid)
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


# ------------------------------------------------------------------------------------------------------------- files


def _own_groups(process: Path) -> list[tuple[str, str, str]]:
    """`(hierarchy, controllers, path)` of each line in /proc/self/cgroup."""
    lines = (process / "cgroup").read_text().splitlines()
    return [(parts[0], parts[1], parts[2]) for parts in (line.split(":", 2) for line in lines)]


def _v1_mounts(control_groups: Path, process: Path) -> list[tuple[Path, str, set[str]]]:
    """`(mount point, root inside the tree, options)` of each version 1 tree; proc(5) has the layout."""
    found: list[tuple[Path, str, set[str]]] = []
    for line in (process / "mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup":
            _, _, _, root, mount_point = left.split(" ")[:5]
            if Path(mount_point).is_relative_to(control_groups):
                found.append((Path(mount_point), root, set(options.split(","))))
    return found


def _below(mount_point: Path, root: str, own: str) -> Path:
    # In a container the tree is mounted from the container's own group on, while the path still counts from the top.
    try:
        return mount_point / Path(own).relative_to(root)
    except ValueError:
        return mount_point


def _write(path: Path, value: int | str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)


def _write_if_there(path: Path, value: int | str) -> None:
    with contextlib.suppress(FileNotFoundError):
        _write(path, value)


def _number(path: Path) -> int:
    return int(path.read_text())


def _keyed(path: Path, key: str) -> int:
    for line in path.read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == key:
            return int(value.split()[0])
    return 0


def _kill_members(group: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        for pid in (group / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(pid), signal.SIGKILL)


def _remove(group: Path, kill: Callable[[], None]) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        kill()
        return False
    return True


def _sweep(base: Path) -> None:
    """Remove what servers left that were ended without warning."""
    for group in base.glob(f"{PREFIX}-*-*"):
        server = group.name.split("-")[1]
        if server.isdigit() and not Path(f"/proc/{server}").exists():
            # What is still busy now goes with the next sweep.
            with contextlib.suppress(OSError):
                _remove(group, lambda group=group: _kill_members(group))
