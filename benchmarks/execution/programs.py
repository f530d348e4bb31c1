"""What is run, and what the same costs without us."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.collaboration.processes import CORES

HELLO = "print('Hello, world!')\n"


@dataclass(frozen=True)
class Program:
    """
    A program whose source is never the same twice, so that no compile cache knows it.

    Attributes:
        source: with `{n}` for a number.
        bare: shell commands that compile and run `file` in an empty folder, as a person would.
    """

    language: str
    file: str
    source: str
    bare: str

    def numbered(self, number: int) -> str:
        return self.source.replace("{n}", str(number))


LANGUAGES = (
    Program("javascript", "main.js", "console.log('Hello', {n});\n", "node main.js"),
    Program(
        "c", "main.c", '#include <stdio.h>\nint main(void) { printf("Hello %d\\n", {n}); }\n', "gcc main.c && ./a.out"
    ),
    Program(
        "cpp",
        "main.cpp",
        '#include <iostream>\nint main() { std::cout << "Hello " << {n} << "\\n"; }\n',
        "g++ -std=gnu++20 -O1 main.cpp && ./a.out",
    ),
    Program(
        "java",
        "Main.java",
        'public class Main { public static void main(String[] a) { System.out.println("Hello " + {n}); } }\n',
        "javac Main.java && java Main",
    ),
)


async def timed_bare(command: Sequence[str], folder: str) -> float:
    """Seconds that a command takes by itself, on any core."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, preexec_fn=lambda: os.sched_setaffinity(0, CORES)
    )
    await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - began


class Folder:
    """A folder with one file in it."""

    def __init__(self, name: str, source: str) -> None:
        self.path = tempfile.mkdtemp(prefix="bench-")
        Path(self.path, name).write_text(source)

    def close(self) -> None:
        shutil.rmtree(self.path)


def system_python() -> str:
    """The Python that cells run, not ours."""
    return shutil.which("python3", path="/usr/bin:/bin") or "python3"
