"""What someone may tune about runs. The names carry their units; the limits here are also the ceilings of a request."""

import os
from dataclasses import dataclass, replace

from opencode.infra.settings import setting

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
    """How much runs may use. What a request asks for is held to the same numbers."""

    concurrency: int = setting(
        _cores(),
        "programs run at once; more than there are cores makes all slower and none earlier",
        minimum=1,
        default_words="one for each core",
    )
    queue_length: int = setting(100, "runs that may wait for their turn; the next one is refused", minimum=0)
    run_wall_time_ms: int = setting(10_000, "milliseconds that a program may take", minimum=100, maximum=3_600_000)
    run_cpu_time_ms: int = setting(
        10_000, "milliseconds of processor time that a program may use", minimum=100, maximum=3_600_000
    )
    terminals: int = setting(
        16,
        "programs in terminals at once; they wait for keys most of the time, and have places of their own",
        minimum=1,
    )
    terminal_wall_time_ms: int = setting(
        300_000,
        "milliseconds that a program in a terminal may take, the waiting for keys included",
        minimum=100,
        maximum=3_600_000,
    )
    run_memory_bytes: int = setting(512 * MIB, "bytes of memory that a program may use, files included", minimum=MIB)
    run_output_bytes: int = setting(MIB, "bytes that a program may print", minimum=1024)
    run_processes: int = setting(64, "processes and threads that a program may have", minimum=1, maximum=4096)
    # Three times its processor time: on a busy machine a compiler that is slow by nature still comes to its end.
    compile_wall_time_ms: int = setting(60_000, "milliseconds that a compiler may take", minimum=100, maximum=3_600_000)
    compile_cpu_time_ms: int = setting(
        20_000, "milliseconds of processor time that a compiler may use", minimum=100, maximum=3_600_000
    )
    compile_memory_bytes: int = setting(1024 * MIB, "bytes of memory that a compiler may use", minimum=MIB)
    compile_output_bytes: int = setting(256 * 1024, "bytes that a compiler may print", minimum=1024)
    compile_processes: int = setting(64, "processes and threads that a compiler may have", minimum=1, maximum=4096)
    disk_bytes: int = setting(
        64 * MIB, "bytes that each writable folder of a program holds: /work, /tmp and /dev/shm", minimum=MIB
    )
    open_files: int = setting(1024, "descriptors that one process of a program may hold", minimum=16, maximum=65_536)
    # Deep recursion is an everyday thing in interviews, hence more than the usual 8 MiB.
    stack_bytes: int = setting(64 * MIB, "bytes of stack of a program's main thread", minimum=MIB)
    source_bytes: int = setting(MIB, "bytes of source of one run, all files together", minimum=1024)
    source_files: int = setting(100, "source files of one run", minimum=1)
    stdin_bytes: int = setting(MIB, "bytes of input of one run", minimum=0)
    arguments: int = setting(1000, "arguments of one run", minimum=0)
    argument_bytes: int = setting(64 * 1024, "bytes of all arguments of one run together", minimum=0)
    # Debian policy 9.2.2: 60000-64999 are handed out to packages on demand, and rarely.
    first_uid: int = setting(
        60_000,
        "a server that runs as root runs program number n as this user id plus n; none may belong to an account",
        minimum=1000,
        maximum=4_000_000_000,
    )
    toolchain_folders: tuple[str, ...] = setting(
        ("/var/lib/opencode/toolchains", "/var/tmp/opencode-{uid}/toolchains"),  # noqa: S108, made private on use
        "folders for copies of toolchains that live outside /usr; the first that can be made is taken, "
        "{uid} stands for the server's user",
    )
    disk_files: int = setting(4096, "files and folders that each writable folder of a program holds", minimum=64)
    warm_cells: int = setting(
        4,
        "sandboxes of a kind that are kept ready at the most; how many are is decided by demand",
        minimum=0,
        maximum=32,
    )
    header_bytes: int = setting(
        768 * MIB,
        "bytes on disk, in the folder for toolchains, of headers that are compiled ahead; 0 makes none",
        minimum=0,
    )
    compile_cache_bytes: int = setting(
        256 * MIB,
        "bytes of compiled programs that are kept, so that the same sources need no compiler; 0 keeps none",
        minimum=0,
    )
    runtime_folder: str = setting(
        "", "a folder with languages of your own, one TOML file each; docs/languages.md tells what is in one"
    )
    execution_worker: bool = setting(
        True, "this server runs queued programs itself; switch it off where `ocp worker` does that on other machines"
    )
    queued_runs: int = setting(1000, "runs that may be queued or running at once; the next one is refused", minimum=1)
    queued_runs_of_one: int = setting(200, "runs of one account that may be queued or running at once", minimum=1)
    run_lease_s: float = setting(
        20.0, "seconds without a word from a worker after which its runs begin anew elsewhere", minimum=0.2, maximum=600
    )
    run_cases: int = setting(200, "cases of one judged run", minimum=1, maximum=10_000)
    run_output_kept_bytes: int = setting(
        64 * 1024, "bytes of each stream of one judged case that are kept to be shown", minimum=0
    )
    keep_runs_days: int = setting(30, "days after which finished runs are deleted", minimum=1, maximum=36_500)
    webhooks_to_private_networks: bool = setting(
        False, "webhooks may call addresses of this machine and of private networks"
    )

    @property
    def run(self) -> StageLimits:
        """Limits of a run stage."""
        return StageLimits(
            wall_time_ms=self.run_wall_time_ms,
            cpu_time_ms=self.run_cpu_time_ms,
            memory_bytes=self.run_memory_bytes,
            output_bytes=self.run_output_bytes,
            processes=self.run_processes,
        )

    @property
    def terminal(self) -> StageLimits:
        """Limits of a run stage in a terminal: people think longer than programs."""
        return replace(self.run, wall_time_ms=self.terminal_wall_time_ms)

    @property
    def compile(self) -> StageLimits:
        """Limits of a compile stage; compilers need more memory than most programs."""
        return StageLimits(
            wall_time_ms=self.compile_wall_time_ms,
            cpu_time_ms=self.compile_cpu_time_ms,
            memory_bytes=self.compile_memory_bytes,
            output_bytes=self.compile_output_bytes,
            processes=self.compile_processes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PistonSettings:
    """The Piston API: whom it serves, and what a stage gets when a request does not say. The defaults are Piston's."""

    piston_open: bool = setting(False, "let anybody who reaches this server run programs over the Piston API")
    piston_open_runs_per_minute: int = setting(
        300,
        "runs per minute that one address gets while the Piston API is open (an IPv6 /64 counts as one); 0 for any "
        "number",
        minimum=0,
    )
    piston_run_timeout_ms: int = setting(3000, "milliseconds that a program may take unless it asks", minimum=100)
    piston_run_cpu_time_ms: int = setting(
        3000, "milliseconds of processor time that a program may use unless it asks", minimum=100
    )
    piston_compile_timeout_ms: int = setting(10_000, "milliseconds that a compiler may take unless asked", minimum=100)
    piston_compile_cpu_time_ms: int = setting(
        10_000, "milliseconds of processor time that a compiler may use unless asked", minimum=100
    )
    piston_output_bytes: int = setting(
        0, "bytes that a program or a compiler may print over the Piston API; 0 for the limits of all runs", minimum=0
    )
    piston_servers: tuple[str, ...] = setting(
        (),
        "other servers that speak the Piston API and run programs for this one, separated by commas: "
        "http://runner:2000/api/v2",
        prefixes=("https://", "http://"),
    )
    piston_server_token: str = setting("", "token that those servers ask for", secret=True)
    piston_languages: tuple[str, ...] = setting(
        (), "languages that those servers run, separated by commas; empty for what this machine does not have"
    )
