"""What an attack is: a program, and what must become of it."""

import re
from dataclasses import dataclass, field

from opencode.contracts.execution import Limits, RunRequest, SourceFile, Terminal

MIB = 1024 * 1024

REFUSED = "tried\n"
"""All of stdout of a program that names whatever it could do, and then this."""


@dataclass(frozen=True, slots=True)
class Attack:
    """
    A program that wants out, or more than its share.

    Attributes:
        name: what it tries.
        verdicts: what may become of it; one, unless two walls stand so close that either may hold it.
        as_user: the same where an ordinary user's rlimits are the only limits; left out when it makes no difference.
        prints: all that it prints on stdout; None when anything may come.
        never: a pattern that neither stream may show.
        files: further files, by name.
        terminal: it runs in one.
        only_on: the processor whose numbers it uses.
        slow: it takes seconds, and others are like it: for `make soak`.
    """

    name: str
    language: str
    code: str
    verdicts: frozenset[str]
    as_user: frozenset[str] | None = None
    prints: str | None = None
    never: str | None = None
    files: dict[str, str] = field(default_factory=dict[str, str])
    stdin: str = ""
    memory_mib: int = 128
    output_bytes: int | None = None
    wall_time_ms: int = 4000
    cpu_time_ms: int = 2000
    terminal: bool = False
    only_on: str = ""
    slow: bool = False

    def request(self, run_id: str, file_name: str) -> RunRequest:
        """
        Args:
            file_name: of the program, as its language has it.
        """
        others = (SourceFile(name, content.encode()) for name, content in self.files.items())
        limits = Limits(
            wall_time_ms=self.wall_time_ms,
            cpu_time_ms=self.cpu_time_ms,
            memory_bytes=self.memory_mib * MIB,
            output_bytes=self.output_bytes,
        )
        return RunRequest(
            run_id,
            self.language,
            (SourceFile(file_name, self.code.encode()), *others),
            self.stdin.encode(),
            limits=limits,
            terminal=Terminal() if self.terminal else None,
        )

    def complaints(self, verdict: str, stdout: str, stderr: str, *, as_user: bool = False) -> list[str]:
        """What went otherwise than it must."""
        expected = self.as_user if as_user and self.as_user else self.verdicts
        found: list[str] = []
        if verdict not in expected:
            found.append(f"ended with {verdict}, not {' or '.join(sorted(expected))}")
        if self.prints is not None and stdout != self.prints:
            found.append(f"printed {stdout[:300]!r}")
        if self.never and (seen := re.search(self.never, f"{stdout}\n{stderr}", re.MULTILINE)):
            found.append(f"showed {seen[0]!r}")
        return [f"{complaint}; on stderr: {stderr[-300:]!r}" for complaint in found]


def one_of(*verdicts: str) -> frozenset[str]:
    return frozenset(verdicts)


OK = one_of("ok")
ERROR = one_of("error")
SIGNAL = one_of("signal")
MEMORY = one_of("memory")
PROCESSES = one_of("processes")
OUTPUT = one_of("output")
DISK = one_of("disk")
WALL_TIME = one_of("wall_time")
CPU_TIME = one_of("cpu_time")
COMPILE_ERROR = one_of("compile_error")
