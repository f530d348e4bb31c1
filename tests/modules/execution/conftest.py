"""A real runner for the whole session, and a look at the machine after every test: nothing may stay behind."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import MIB, ExecutionSettings

from .runner import Runner

CONTROL_GROUPS = Path("/sys/fs/cgroup")
USERS = 1024


@pytest.fixture(scope="session")
def shelf() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="shelf-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def settings(shelf: Path) -> ExecutionSettings:
    # Users of our own, so that another OpenCode on this machine does not show up in what stays behind.
    first_uid = 100_000 + os.getpid() % 1000 * USERS
    return ExecutionSettings(
        toolchain_folders=(str(shelf),),
        concurrency=2,
        first_uid=first_uid,
        compile_wall_time_ms=6_000,
        compile_cpu_time_ms=5_000,
        compile_memory_bytes=512 * MIB,
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def runs(settings: ExecutionSettings) -> AsyncIterator[Runs]:
    runs = Runs(settings)
    report = await runs.probe()
    if not report.available:
        pytest.fail(f"no sandbox on this machine: {report.reason}")
    await runs.languages()
    yield runs
    await runs.close()


@pytest.fixture(scope="session")
def run(runs: Runs) -> Runner:
    return Runner(runs)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def nothing_stays_behind(request: pytest.FixtureRequest, settings: ExecutionSettings) -> AsyncIterator[None]:
    """What waits for the next run is removed before looking, so that nothing at all is to be found."""
    runs: Runs | None = None
    if "runs" in request.fixturenames or "run" in request.fixturenames:
        runs = cast(Runs, request.getfixturevalue("runs"))
        await runs.empty()
    before = _descriptors()
    mounts = Path("/proc/self/mountinfo").read_text()
    yield
    if runs:
        await runs.empty()
    assert _groups() == []
    assert _cell_processes(settings) == []
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert _descriptors() == before


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _groups() -> list[str]:
    # Other servers' groups may go while we look, which `walk` does not mind.
    return [path for path, _, _ in os.walk(CONTROL_GROUPS) if Path(path).name.startswith(f"oc-{os.getpid()}-")]


def _cell_processes(settings: ExecutionSettings) -> list[str]:
    users = range(settings.first_uid, settings.first_uid + USERS)
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid in users:
                found.append((process / "status").read_text())
        except OSError:
            continue
    return found
