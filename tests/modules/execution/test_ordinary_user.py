"""The same promises for somebody who starts OpenCode without being root, and without control groups."""

import asyncio
import json
import os
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from .attacks import PARAMETERS
from .meters import METERS, MIB
from .ordinary_user import EVERYTHING, PROGRAMS

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROJECT = Path(__file__).parents[3]
PACKAGES = next(path for path in sys.path if path.endswith("site-packages"))
PROGRAM = Path(__file__).parent / "ordinary_user.py"
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class OrdinaryUser:
    """Somebody who runs what we ask for, one after the other."""

    process: Process

    async def run(self, name: str) -> dict[str, Any]:
        assert self.process.stdin
        self.process.stdin.write(f"{name}\n".encode())
        return await self.hear()

    async def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        async with asyncio.timeout(PATIENCE_S):
            line = await self.process.stdout.readline()
        assert line, "the ordinary user's server ended"
        return json.loads(line)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ordinary_user(shelf: Path) -> AsyncIterator[OrdinaryUser]:
    own = shelf / "ordinary"
    own.mkdir()
    command = [_python(), str(PROGRAM), str(own)]
    if os.geteuid() == 0:
        uid = 64_000 + os.getpid() % 900
        os.chown(own, uid, uid)
        command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *command]
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'src'}:{PACKAGES}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENCODE_SECRET_KEY": "SECRET",
    }
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdin=PIPE, stdout=PIPE, limit=1 << 20)
    user = OrdinaryUser(process)
    report = await user.hear()
    if not report["available"]:
        assert "Install" in report["reason"] or "Allow" in report["reason"]
        pytest.skip(report["reason"])
    yield user
    left = await user.run("")
    await process.wait()
    if os.geteuid() == 0:
        assert left["processes"] == 1  # the one that counts


def _python() -> str:
    """A Python of our version that any user may start; the one of the tests may live in a private folder."""
    wanted = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = shutil.which(wanted, path="/usr/bin:/usr/local/bin")
    return found if os.geteuid() == 0 and found else sys.executable


@pytest.mark.parametrize("name", PROGRAMS)
async def test_an_ordinary_user_gets_cells_too_held_by_rlimits(ordinary_user: OrdinaryUser, name: str) -> None:
    assert (await _hold_to_account(ordinary_user, name))["limits_held"] == "rlimits" or os.geteuid() != 0


@pytest.mark.parametrize("name", PARAMETERS)
async def test_an_attack_on_an_ordinary_users_server_gets_what_it_deserves(
    ordinary_user: OrdinaryUser, name: str
) -> None:
    await _hold_to_account(ordinary_user, name)


@pytest.mark.parametrize("name", [name for name in METERS if "file" not in name])
async def test_without_control_groups_the_meters_are_rough(ordinary_user: OrdinaryUser, name: str) -> None:
    meter = METERS[name]
    result = await ordinary_user.run(name)
    assert result["verdict"] == "ok", result
    if meter.memory_mib:
        # Pages of the library come on top, and children are seen one after the other.
        assert result["memory_bytes"] / MIB == pytest.approx(meter.memory_mib, rel=0.1)
    else:
        # Until the program begins, its process is seen in ticks of 10 ms.
        assert result["cpu_time_ms"] == pytest.approx(float(result["stdout"]), rel=0.05, abs=20)


async def _hold_to_account(user: OrdinaryUser, name: str) -> dict[str, Any]:
    attack = EVERYTHING[name]
    if attack.only_on and attack.only_on != os.uname().machine:
        pytest.skip("the numbers are those of another processor")
    result = await user.run(name)
    if "missing" in result:
        pytest.skip(result["missing"])
    assert attack.complaints(result["verdict"], result["stdout"], result["stderr"], as_user=True) == []
    return result
