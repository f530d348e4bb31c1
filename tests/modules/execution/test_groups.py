"""
Control groups. The version 1 driver runs for real in the other tests, where the machine has it; version 2 is tested
here against a tree of plain files, which shows what is written and read but not that a kernel heeds it.
"""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opencode.modules.execution.adapters import groups
from opencode.modules.execution.adapters.groups import ProcessTrees, VersionOne, VersionTwo
from opencode.modules.execution.settings import StageLimits

MIB = 1024 * 1024
LIMITS = StageLimits(memory_bytes=256 * MIB, processes=10)
V2_FILES = ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cgroup.kill", "cgroup.procs")


@pytest.fixture
def process(tmp_path: Path) -> Path:
    folder = tmp_path / "proc-self"
    folder.mkdir()
    return folder


@pytest.fixture
def control_groups(tmp_path: Path) -> Path:
    folder = tmp_path / "cgroup"
    folder.mkdir()
    return folder


@pytest.fixture
def version_two(control_groups: Path, process: Path, monkeypatch: pytest.MonkeyPatch) -> VersionTwo:
    (control_groups / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids rdma misc\n")
    base = control_groups / "system.slice" / "opencode.service"
    base.mkdir(parents=True)
    (base / "cgroup.subtree_control").write_text("")
    (process / "cgroup").write_text("0::/system.slice/opencode.service\n")
    make = Path.mkdir

    def make_group(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        make(path, mode, parents=parents, exist_ok=exist_ok)
        if path.parent == base:  # the kernel fills a new group with its files
            for name in V2_FILES:
                (path / name).write_text("")
            (path / "cpu.stat").write_text("usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\n")
            (path / "memory.events").write_text("low 0\nhigh 0\nmax 7\noom 1\noom_kill 3\noom_group_kill 1\n")
            (path / "pids.events").write_text("max 4\n")
            (path / "memory.peak").write_text("104857600\n")

    monkeypatch.setattr(Path, "mkdir", make_group)
    monkeypatch.setattr(Path, "rmdir", _remove_like_the_kernel)
    found = VersionTwo.find(control_groups, process)
    assert found
    return found


def _remove_like_the_kernel(group: Path) -> None:
    for file in group.iterdir():
        file.unlink()
    os.rmdir(group)  # noqa: PTH106 (the other one is replaced by this)


def test_version_two_limits_memory_without_swap_and_processes(version_two: VersionTwo) -> None:
    assert version_two.base.parts[-2:] == ("system.slice", "opencode.service")
    assert (version_two.base / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    group = version_two.make(LIMITS)
    (path,) = version_two.base.glob("oc-*")
    assert (path / "memory.max").read_text() == str(256 * MIB)
    assert (path / "memory.swap.max").read_text() == "0"
    assert (path / "memory.oom.group").read_text() == "1"
    assert (path / "pids.max").read_text() == "10"
    (path / "cgroup.procs").touch()
    group.join(4711)
    assert (path / "cgroup.procs").read_text() == "4711"
    assert group.remove()
    assert not path.exists()


def test_version_two_tells_what_was_used(version_two: VersionTwo) -> None:
    group = version_two.make(LIMITS)
    (path,) = version_two.base.glob("oc-*")
    (path / "memory.peak").write_text("104857600\n")
    usage = group.usage(1, 1)
    assert (usage.cpu_time_ms, usage.oom_kills, usage.refused_forks) == (1234, 3, 4)
    assert usage.memory_bytes == 104857600
    assert group.remove()


BUSY = OSError(errno.EBUSY, "busy")


class BusyTree:
    """Lets a group hand its controllers down only once it holds no processes, as the kernel does."""

    def __init__(self, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.base = base
        self.write = groups._write
        monkeypatch.setattr(groups, "_write", self)

    def __call__(self, path: Path, value: int | str) -> None:
        members = self.base / "cgroup.procs"
        if path == self.base / "cgroup.subtree_control" and members.read_text().strip():
            raise BUSY
        if path.name == "cgroup.procs":
            members.write_text("\n".join(pid for pid in members.read_text().split() if pid != str(value)))
            path.touch()
        self.write(path, value)


@pytest.mark.parametrize(("own", "alone"), [("/opencode.service", True), ("/", False)])
def test_a_server_in_a_group_of_its_own_moves_into_a_leaf(
    control_groups: Path, process: Path, monkeypatch: pytest.MonkeyPatch, own: str, *, alone: bool
) -> None:
    base = control_groups / own.lstrip("/")
    base.mkdir(exist_ok=True)
    (control_groups / "cgroup.controllers").write_text("cpu memory pids\n")
    (process / "cgroup").write_text(f"0::{own}\n")
    (base / "cgroup.subtree_control").write_text("")
    (base / "cgroup.procs").write_text(f"{os.getpid()}\n" if alone else f"1\n{os.getpid()}\n")
    BusyTree(base, monkeypatch)
    found = VersionTwo.find(control_groups, process)
    assert found == VersionTwo(base)
    assert (base / "oc-server" / "cgroup.procs").read_text() == str(os.getpid())
    assert (base / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"


def test_a_login_session_is_left_alone_and_root_goes_to_the_top_of_the_tree(
    control_groups: Path, process: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = control_groups / "session-3.scope"
    base.mkdir()
    (control_groups / "cgroup.controllers").write_text("cpu memory pids\n")
    (control_groups / "cgroup.subtree_control").write_text("")
    (process / "cgroup").write_text("0::/session-3.scope\n")
    (base / "cgroup.subtree_control").write_text("")
    (base / "cgroup.procs").write_text(f"17\n{os.getpid()}\n")
    BusyTree(base, monkeypatch)
    assert VersionTwo.find(control_groups, process) == VersionTwo(control_groups)
    assert (base / "cgroup.procs").read_text() == f"17\n{os.getpid()}\n"


def test_a_tree_without_the_controllers_is_not_version_two(control_groups: Path, process: Path) -> None:
    (control_groups / "cgroup.controllers").write_text("cpuset io\n")
    (process / "cgroup").write_text("0::/\n")
    assert VersionTwo.find(control_groups, process) is None


def test_version_one_finds_its_trees_also_inside_a_container(control_groups: Path, process: Path) -> None:
    (process / "cgroup").write_text("4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n2:pids:/docker/abc/inner\n0::/\n")
    lines = [
        f"30 20 0:2{number} /docker/abc {control_groups}/{name} rw,relatime - cgroup cgroup rw,{name}"
        for number, name in enumerate(("memory", "cpu,cpuacct", "pids"))
    ]
    (process / "mountinfo").write_text("\n".join([*lines, "1 0 8:1 / / rw - ext4 /dev/x rw"]) + "\n")
    found = VersionOne.find(control_groups, process)
    assert found
    assert found.bases == {
        "memory": control_groups / "memory",
        "cpuacct": control_groups / "cpu,cpuacct",
        "pids": control_groups / "pids" / "inner",
    }


def test_without_control_groups_rlimits_hold_and_say_so(control_groups: Path, process: Path) -> None:
    (process / "cgroup").write_text("0::/\n")
    (process / "mountinfo").write_text("")
    found = groups.detect(control_groups, process)
    assert isinstance(found, ProcessTrees)
    assert (found.name, found.rlimits_only) == ("rlimits", True)


def test_the_process_tree_counts_memory_processes_and_time_of_all_below() -> None:
    code = "import os, time\nx = bytearray(50 << 20)\nos.fork()\nend = time.process_time() + 0.1\n"
    code += "while time.process_time() < end: pass\nos.write(1, b'ready\\n')\ntime.sleep(60)"
    tree = ProcessTrees().make(StageLimits(memory_bytes=30 * MIB, processes=64))
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as child:
        try:
            assert child.stdout
            assert child.stdout.readline() + child.stdout.readline() == b"ready\nready\n"
            usage = tree.usage(child.pid, child.pid)
        finally:
            os.killpg(child.pid, signal.SIGKILL)
    assert usage.cpu_time_ms >= 150
    assert usage.memory_bytes is not None
    assert usage.memory_bytes > 50 * MIB
    assert usage.oom_kills == 1


def test_what_a_dead_server_left_is_swept_away(control_groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    left = control_groups / f"oc-{gone.pid}-7"
    ours = control_groups / f"oc-{os.getpid()}-1"
    left.mkdir()
    ours.mkdir()
    groups._sweep(control_groups)
    assert not left.exists()
    assert ours.exists()


@pytest.mark.skipif(not isinstance(groups.detect(), VersionOne), reason="this machine has no version 1 for us")
def test_a_group_that_is_still_busy_is_emptied() -> None:
    group = groups.detect().make(LIMITS)
    with subprocess.Popen(["/bin/sleep", "60"]) as child:
        group.join(child.pid)
        deadline = time.monotonic() + 5
        while not group.remove():
            assert time.monotonic() < deadline
    assert child.returncode == -9
