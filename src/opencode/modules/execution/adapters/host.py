"""
Programs of this machine that we run outside a cell, because nothing that they read comes from people who use us.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

_LONGEST_ANSWER_S = 20  # a first `java -version` on a busy machine takes seconds
_LONGEST_MAKING_S = 120
_NICE = ("nice", "-n", "19")
# A home, since rustup and its like keep their choices there.
_KEPT = ("HOME", "PATH")


async def ask(command: Sequence[str]) -> str:
    """What a program says to a question; nothing when it fails."""
    status, said = await _run(command, None, _LONGEST_ANSWER_S)
    return said if status == 0 else ""


async def make(command: Sequence[str], folder: Path) -> tuple[bool, str]:
    """Have a program make something in a folder, while everybody else goes first: whether it did, and what it said."""
    status, said = await _run((*_NICE, *command), folder, _LONGEST_MAKING_S)
    return status == 0, said


async def _run(command: Sequence[str], folder: Path | None, longest_s: float) -> tuple[int | None, str]:
    with contextlib.suppress(OSError, TimeoutError):
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=_environment(),
            cwd=folder,
            start_new_session=True,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), longest_s)
        finally:
            # With all that it started: scripts and compilers are several programs, which would outlive the first.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        return process.returncode, said.decode("utf-8", "replace")
    return None, ""


def _environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if name in _KEPT} | {"LANG": "C.UTF-8"}
