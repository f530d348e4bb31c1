"""The same promises for somebody who starts OpenCode without being root, and without control groups."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
PACKAGES = next(path for path in sys.path if path.endswith("site-packages"))
PROGRAM = Path(__file__).parent / "ordinary_user.py"

EXPECTED = {
    "hello": ({"ok"}, "Hello 1000\n"),
    "compiled": ({"ok"}, "Hello\n"),
    "javascript": ({"ok"}, "Hello\n"),
    "java": ({"ok"}, "Hello\n"),
    "forever": ({"wall_time"}, "so far\n"),
    "spinning": ({"cpu_time"}, "so far\n"),
    "memory": ({"memory", "error"}, "so far\n"),
    "memory together": ({"memory"}, ""),
    "forks": ({"processes", "error", "wall_time", "cpu_time"}, ""),
    "output": ({"output"}, "y\n"),
    "orphan": ({"ok"}, "Hello\n"),
    "disk": ({"ok", "error"}, ""),
    "secrets": ({"ok", "error"}, "0\n/proc/self/mountinfo:0\n/proc/1/cmdline:0\n"),
    "flooding the status": ({"output"}, ""),
    "devices": ({"ok"}, "out\nerr\n"),
}


def _python() -> str:
    """A Python of our version that any user may start; the one of the tests may live in a private folder."""
    wanted = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = shutil.which(wanted, path="/usr/bin:/usr/local/bin")
    return found if os.geteuid() == 0 and found else sys.executable


async def test_an_ordinary_user_gets_cells_too_held_by_rlimits(shelf: Path) -> None:
    own = shelf / "ordinary"
    own.mkdir()
    command = [_python(), str(PROGRAM), str(own)]
    if os.geteuid() == 0:
        uid = 64_000 + os.getpid() % 900
        os.chown(own, uid, uid)
        command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *command]
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{PROJECT / 'src'}:{PACKAGES}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENCODE_SECRET_KEY": "SECRET",
    }
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()
    report = json.loads(said.splitlines()[-1])
    if not report["results"]:
        assert "Install" in report["reason"] or "Allow" in report["reason"]
        pytest.skip(report["reason"])
    for name, (verdicts, printed) in EXPECTED.items():
        result = report["results"][name]
        if result["verdict"] == "missing":
            continue
        assert result["verdict"] in verdicts, (name, result)
        assert result["printed"].startswith(printed), (name, result)
    assert int(report["results"]["disk"]["printed"].split()[-1]) <= 65
    if os.geteuid() == 0:
        assert report["processes"] == 1  # the one that counts
        assert {result.get("limits_held", "rlimits") for result in report["results"].values()} == {"rlimits"}
