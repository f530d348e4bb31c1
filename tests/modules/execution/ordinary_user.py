"""
Run by `test_ordinary_user.py` in a process that has become an ordinary user: no root, no control groups. Each line of
its input is the name of a program, and is answered with a line of JSON: what became of it. At the end of the input the
last line tells what was left behind.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from opencode.contracts.execution import Output
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings
from tests.modules.execution.attacks import ATTACKS
from tests.modules.execution.attacks.kit import OK, Attack, one_of
from tests.modules.execution.meters import METERS

PROJECT = Path(__file__).parents[3]
PROGRAMS = {
    "hello": Attack("hello", "python", "import os; print('Hello', os.getuid())", OK, prints="Hello 1000\n"),
    "compiled": Attack("compiled", "c", '#include <stdio.h>\nint main(void) { puts("Hello"); }', OK, prints="Hello\n"),
    "javascript": Attack("javascript", "javascript", "console.log('Hello')", OK, prints="Hello\n", memory_mib=512),
    "java": Attack(
        "java",
        "java",
        'class Main { public static void main(String[] a) { System.out.println("Hello"); } }',
        OK,
        prints="Hello\n",
        memory_mib=512,
    ),
    "forever": Attack(
        "forever", "python", "import time\nprint('so far')\ntime.sleep(60)", one_of("wall_time"), prints="so far\n"
    ),
    "devices": Attack(
        "devices", "bash", "echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin", OK, prints="out\n"
    ),
    "places": Attack(
        "places",
        "bash",
        f"grep -c -e {PROJECT} /proc/self/mountinfo",
        one_of("error"),
        prints="0\n",
    ),
    "disk": Attack(
        "disk",
        "bash",
        "head -c 1G /dev/zero >/tmp/x; [ $(du -m /tmp/x | cut -f1) -le 65 ] && echo full",
        OK,
        as_user=OK,
        prints="full\n",
    ),
}
"""What must work there, too."""

EVERYTHING = {**PROGRAMS, **ATTACKS}


async def outcome(runs: Runs, attack: Attack) -> dict[str, object]:
    known = next(one for one in await runs.languages() if one.id == attack.language)
    if not known.available:
        return {"missing": known.reason}
    request = attack.request("run_1", known.file_name)
    events = [event async for event in runs.run(request)]
    printed = {
        stream: b"".join(event.data for event in events if isinstance(event, Output) and event.stream == stream)
        for stream in ("stdout", "stderr")
    }
    finished = events[-1]
    return {
        **{stream: data[:20_000].decode("utf-8", "replace") for stream, data in printed.items()},
        **{key: getattr(finished, key) for key in ("verdict", "limits_held", "cpu_time_ms", "memory_bytes")},
    }


def processes_of(uid: int) -> int:
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found += process.stat().st_uid == uid
        except OSError:
            continue
    return found


def say(words: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def main() -> None:
    settings = ExecutionSettings(
        toolchain_folders=(sys.argv[1],),
        compile_wall_time_ms=6_000,
        compile_cpu_time_ms=5_000,
    )
    runs = Runs(settings)
    report = await runs.probe()
    say({"available": report.available, "reason": report.reason})
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while name := (await reader.readline()).decode().strip():
        say(await outcome(runs, EVERYTHING.get(name) or METERS[name].program))
    await runs.close()
    say({"processes": processes_of(os.getuid())})


if __name__ == "__main__":
    asyncio.run(main())
