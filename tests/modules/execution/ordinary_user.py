"""
Run by `test_ordinary_user.py` in a process that has become an ordinary user: no root, no control groups. Prints one line
of JSON: what became of each program, and what was left behind.
"""

# ruff: noqa: E501 (programs in other languages are as wide as they are)

import asyncio
import json
import os
import sys
from pathlib import Path

from opencode.contracts.execution import Limits, Output, RunRequest, SourceFile
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import MIB, ExecutionSettings

PROGRAMS = {
    "hello": ("python", "import os; print('Hello', os.getuid())"),
    "compiled": ("c", '#include <stdio.h>\nint main(void) { puts("Hello"); }'),
    "javascript": ("javascript", "console.log('Hello')"),
    "java": ("java", 'class Main { public static void main(String[] a) { System.out.println("Hello"); } }'),
    "forever": ("python", "import time\nprint('so far')\ntime.sleep(60)"),
    "spinning": ("python", "print('so far')\nwhile True: pass"),
    "memory": ("python", "print('so far')\nx = []\nwhile True: x.append(bytearray(1 << 20))"),
    "memory together": (
        "python",
        "import os, time\nfor _ in range(8):\n    if not os.fork():\n        x = b'x' * (100 << 20); time.sleep(9)\ntime.sleep(9)",
    ),
    "forks": ("bash", ":(){ :|:& };:; wait; sleep 9"),
    "output": ("bash", "yes"),
    "orphan": ("bash", "setsid sleep 60 & echo Hello"),
    "disk": ("bash", "head -c 1G /dev/zero >/tmp/x; du -m /tmp/x | cut -f1"),
    "secrets": (
        "bash",
        "cat /etc/shadow /proc/1/environ 2>&1 | tr '\\0' '\\n' | grep -c SECRET; "
        f"grep -c -e {Path(__file__).parents[3]} /proc/self/mountinfo /proc/1/cmdline; (unshare -U true && echo out) 2>/dev/null",
    ),
    "flooding the status": ("bash", "yes >/proc/2/fd/2"),
    "devices": ("bash", "echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin"),
}


async def outcome(runs: Runs, name: str) -> dict[str, object]:
    language, code = PROGRAMS[name]
    known = next(one for one in await runs.languages() if one.id == language)
    if not known.available:
        return {"verdict": "missing", "reason": known.reason}
    limits = Limits(wall_time_ms=5000, cpu_time_ms=500, processes=32)
    files = (SourceFile(known.file_name, code.encode()),)
    events = [event async for event in runs.run(RunRequest(f"run_{name}", language, files, limits=limits))]
    printed = b"".join(event.data for event in events if isinstance(event, Output))
    finished = events[-1]
    return {
        "printed": printed[:200].decode(),
        **{key: getattr(finished, key) for key in ("verdict", "message", "limits_held")},
    }


def processes_of(uid: int) -> int:
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found += process.stat().st_uid == uid
        except OSError:
            continue
    return found


async def main() -> None:
    runs = Runs(ExecutionSettings(toolchain_folders=(sys.argv[1],), run_memory_bytes=256 * MIB))
    report = await runs.probe()
    results = {name: await outcome(runs, name) for name in PROGRAMS} if report.available else {}
    await runs.close()
    left = processes_of(os.getuid())
    sys.stdout.write(json.dumps({"reason": report.reason, "results": results, "processes": left}) + "\n")


asyncio.run(main())
