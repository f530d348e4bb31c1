"""What someone may tune about runs. The names carry their units; the limits here are also the ceilings of a request."""

import os
from dataclasses import dataclass, field

MIB = 1024 * 1024


def _cores() -> int:
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class StageLimits:
    """
    What one stage may use, every number decided.

    Attributes:
        wall_time_ms: from the first instruction of the stage.
        cpu_time_ms: user and system time, all its processes together.
        memory_bytes: all its processes and its files together, as the kernel charges a control group.
        output_bytes: stdout and stderr together.
        processes: processes and threads that may exist at once, the main one included.
    """

    wall_time_ms: int = 10_000
    cpu_time_ms: int = 10_000
    memory_bytes: int = 512 * MIB
    output_bytes: int = 1 * MIB
    processes: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSettings:
    """
    Attributes:
        concurrency: cells at once; more than there are cores makes every run slower and none earlier.
        queue_length: runs that may wait for a cell; the next one is refused with `ExecutionBusy`.
        run: limits of a run stage.
        compile: limits of a compile stage; compilers need more memory than most programs.
        disk_bytes: what each of a cell's three writable folders holds (`/work`, `/tmp`, `/dev/shm`).
        open_files: descriptors that one process may hold.
        stack_bytes: stack of a main thread. Deep recursion is an everyday thing in interviews, hence more than 8 MiB.
        source_bytes, source_files, stdin_bytes: largest request, all files together.
        arguments, argument_bytes: largest command line, the bytes all together.
        first_uid: when the server runs as root, cell number n runs as uid and gid `first_uid + n`. None of these may
            belong to an account.
        toolchain_folders: where copies (hard links, where the file system allows) of toolchains are kept that live
            outside `/usr`, so that no path of this server shows in a cell; the first that can be made is taken, `{uid}`
            stands for the server's user.
        bubblewrap: the sandbox program, looked up on PATH.
    """

    concurrency: int = field(default_factory=_cores)
    queue_length: int = 100
    run: StageLimits = field(default_factory=StageLimits)
    compile: StageLimits = field(
        default_factory=lambda: StageLimits(
            wall_time_ms=20_000, cpu_time_ms=20_000, memory_bytes=1024 * MIB, output_bytes=256 * 1024, processes=64
        )
    )
    disk_bytes: int = 64 * MIB
    open_files: int = 1024
    stack_bytes: int = 64 * MIB
    source_bytes: int = 1 * MIB
    source_files: int = 100
    stdin_bytes: int = 1 * MIB
    arguments: int = 1000
    argument_bytes: int = 64 * 1024
    first_uid: int = 60_000  # Debian policy 9.2.2: 60000-64999 are handed out to packages on demand, rarely used
    toolchain_folders: tuple[str, ...] = (
        "/var/lib/opencode/toolchains",
        "/var/tmp/opencode-{uid}/toolchains",  # noqa: S108 (checked to be ours alone before it is used)
    )
    bubblewrap: str = "bwrap"
