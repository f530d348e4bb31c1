"""
Attacks that take more than a program: something on the host that they must not reach, or a request that is one itself.
Those that are programs alone are in `attacks/`.
"""

# ruff: noqa: E501 (programs in other languages are as wide as they are)

import asyncio
import os
import socket
import sys
import time
from pathlib import Path

import pytest

from opencode.contracts.execution import RunRefused, SourceFile
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings

from .conftest import USERS
from .runner import Outcome, Runner

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROJECT = Path(__file__).parents[3]
MIB = 1024 * 1024


async def test_a_neighbour_keeps_running_beside_a_fork_bomb_and_a_memory_bomb(run: Runner) -> None:
    # One slot each: the bomb holds one of the two, the canaries share the other.
    bomb = asyncio.create_task(run("bash", ":(){ :|:& };:; x=$(yes); wait", wall_time_ms=1500))
    durations: list[int] = []
    while not bomb.done():
        canary = await run("bash", "echo alive")
        assert canary.stdout == "alive\n"
        durations.append(canary.finished.wall_time_ms)
    assert (await bomb).verdict in {"processes", "memory", "wall_time"}
    assert max(durations) < 3000


# ---------------------------------------------------------------------------------------------------------- secrets


async def test_nothing_inside_names_a_place_of_the_host(run: Runner, shelf: Path) -> None:
    code = """
import glob, os, sys
print(sys.path, sys.argv, sys.prefix, sys.executable, dict(os.environ), os.getcwd(), os.uname(), os.listdir('/'))
for name in glob.glob('/proc/[0-9]*/*') + ['/proc/self/mountinfo', '/etc/passwd', '/etc/hosts']:
    if name.rsplit('/', 1)[1] in {'environ', 'cmdline', 'mountinfo', 'mounts', 'maps', 'cgroup', 'status'} or '/etc/' in name:
        try: print(name, open(name, 'rb').read())
        except PermissionError: pass
raise ValueError('an error message')
"""
    outcome = await run("python", code)
    seen = outcome.printed("stdout", "stderr")
    assert "an error message" in seen
    for secret in (f"{PROJECT}/", sys.prefix, sys.base_prefix, str(Path.home()), os.uname().nodename + "'", "/oldroot"):
        if secret not in {"/", "/usr"}:
            assert secret not in seen, secret
    assert "SECRET" not in seen


@pytest.mark.parametrize("language", ["python", "javascript", "java", "typescript"])
async def test_no_bind_mount_tells_where_it_comes_from(run: Runner, language: str, shelf: Path) -> None:
    code = {
        "python": "print(open('/proc/self/mountinfo').read())",
        "javascript": "console.log(require('fs').readFileSync('/proc/self/mountinfo', 'utf8'), process.execPath, process.argv)",
        "typescript": "import fs from 'node:fs'; console.log(fs.readFileSync('/proc/self/mountinfo', 'utf8'), process.argv)",
        "java": "class Main { public static void main(String[] a) throws Exception { System.out.println(java.nio.file.Files."
        'readString(java.nio.file.Path.of("/proc/self/mountinfo")) + System.getProperties()); } }',
    }[language]
    outcome = await run(language, code)
    assert outcome.verdict == "ok", outcome.stderr
    for place in (f"{PROJECT}/", sys.prefix, sys.base_prefix, str(Path.home()) + "/", "site-packages"):
        assert place not in outcome.stdout


async def test_the_server_environment_and_descriptors_stay_outside(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENCODE_SECRET_KEY", "SECRET-OF-THE-SERVER")
    leaking, other = os.pipe()  # as a careless C library would: it stays open on exec
    os.set_inheritable(leaking, True)
    try:
        outcome = await run(
            "bash", "tr '\\0' '\\n' </proc/1/environ; env; echo; for p in 1 2 $$; do ls -l /proc/$p/fd; done"
        )
    finally:
        os.close(leaking)
        os.close(other)
    assert "SECRET" not in outcome.stdout
    own = outcome.stdout.split("total 0\n")[-1]
    assert "socket:" not in outcome.stdout
    # 0, 1, 2, and 255 that bash opens for its script
    assert len([line for line in own.splitlines() if " -> " in line]) == 4, own


async def test_a_cell_finds_nothing_of_the_one_before(run: Runner) -> None:
    plant = "for d in /tmp /work /dev/shm; do echo secret >$d/left; done; umask 000; ipcmk -M 4096 >/dev/null 2>&1; echo planted"
    look = "ls -A /tmp /dev/shm /work; ipcs -m | grep -c 0x || true; umask"
    assert (await run("bash", plant)).stdout == "planted\n"
    outcome = await run("bash", look)
    assert "left" not in outcome.stdout
    assert outcome.stdout.split() == ["/dev/shm:", "/tmp:", "/work:", "main.sh", "0", "0022"]


async def test_only_own_processes_are_seen_and_the_name_is_cell(run: Runner) -> None:
    outcome = await run("bash", "echo $(ls /proc | grep -c '^[0-9]'); hostname; id -u; id -un; cat /proc/self/cgroup")
    processes, host, uid, name, *groups = outcome.stdout.split("\n")
    assert int(processes) <= 6
    assert (host, uid, name) == ("cell", "1000", "cell")
    assert all(line.endswith(":/") for line in groups if line)


def names_beside_the_project() -> list[str]:
    return [path.name for path in PROJECT.parent.iterdir()]


@pytest.mark.parametrize(
    "name",
    [
        "../escape",
        "/etc/passwd",
        "a/../../b",
        "",
        ".",
        "a//b",
        "x\0y",
        "a\nb",
        "n" * 256,
        "main.py/x",
        "\udcff",
        "a/./b",
    ],
)
async def test_a_file_name_that_climbs_out_is_refused(run: Runner, name: str) -> None:
    with pytest.raises(RunRefused):
        await run("python", "", others=(SourceFile(name, b"planted"),))
    assert "escape" not in names_beside_the_project()


@pytest.mark.parametrize("name", ["-rf", "-o", "@file", "--help", "$(id).c", "a b;c", "'\"", "*", "ünï"])
async def test_an_odd_file_name_is_only_a_file_name(run: Runner, name: str) -> None:
    assert (await run("python", "print('ran')", name=f"{name}.py")).stdout == "ran\n"
    outcome = await run("c", '#include <stdio.h>\nint main(void) { puts("ran"); }', name=f"{name}.c")
    assert outcome.stdout == "ran\n", outcome.stderr


# ------------------------------------------------------------------------------------------------------------ network


async def test_no_server_of_this_machine_can_be_reached(run: Runner, shelf: Path) -> None:
    reached: list[object] = []
    address = f"opencode-test-{os.getpid()}"
    tcp = await asyncio.start_server(
        lambda reader, writer: reached.append(writer.get_extra_info("peername")), "127.0.0.1", 0
    )
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0{address}")
    abstract.listen()
    path = shelf / "socket"
    named = socket.socket(socket.AF_UNIX)
    named.bind(str(path))
    named.listen()
    port = tcp.sockets[0].getsockname()[1]
    code = f"""
import socket
for family, address in ((2, ('127.0.0.1', {port})), (2, ('169.254.169.254', 80)), (2, ('10.0.0.1', 53)), (10, ('::1', {port})),
                        (1, '\\0{address}'), (1, {str(path)!r}), (1, '/run/docker.sock')):
    one = socket.socket(family)
    one.settimeout(0.2)
    try:
        one.connect(address)
        print('reached', address)
    except OSError as error:
        pass
one = socket.socket(2, socket.SOCK_DGRAM)
try:
    one.sendto(b'x', ('127.0.0.1', {port})); one.sendto(b'x', ('8.8.8.8', 53)); print('sent')
except OSError: pass
try: print(socket.getaddrinfo('example.org', 80))
except OSError: pass
print('tried')
"""
    try:
        outcome = await run("python", code)
    finally:
        tcp.close()
        await tcp.wait_closed()
        abstract.close()
        named.close()
        path.unlink()
    assert "reached" not in outcome.stdout
    assert "example.org" not in outcome.stdout
    assert "8.8.8.8" not in outcome.stdout
    assert "tried" in outcome.stdout, outcome.stderr
    assert reached == []


async def test_a_port_of_the_server_can_be_bound_inside_without_harm(run: Runner) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    code = f"import socket\ns = socket.socket(); s.bind(('0.0.0.0', {port})); s.listen(); print('bound')"
    outcome = await run("python", code)
    server.close()
    await server.wait_closed()
    assert outcome.stdout == "bound\n"


# ----------------------------------------------------------------------------------------------------- API level


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("/files", {"others": tuple(SourceFile(f"f{n}", b"") for n in range(200))}),
        ("/files", {"others": (SourceFile("big", b"x" * (2 * MIB)),)}),
        ("/stdin", {"stdin": b"x" * (2 * MIB)}),
        ("/args", {"args": ("x",) * 5000}),
        ("/args", {"args": ("x" * 100_000,)}),
        ("/args/0", {"args": ("a\0b",)}),
        ("/args", {"args": ("\udcff",)}),
        ("/limits/memory_bytes", {"memory_bytes": 1 << 60}),
        ("/limits/processes", {"processes": 0}),
    ],
)
async def test_a_request_that_is_too_large_is_refused_with_its_name(
    run: Runner, what: str, change: dict[str, object]
) -> None:
    with pytest.raises(RunRefused) as refusal:
        await run("python", "", **change)  # pyright: ignore[reportArgumentType]
    assert refusal.value.problems[0].pointer == what


async def test_the_smallest_limits_end_a_run_and_break_nothing(run: Runner) -> None:
    outcome = await run(
        "python", "print(1)", memory_bytes=1, processes=1, output_bytes=1, cpu_time_ms=1, wall_time_ms=1
    )
    assert outcome.verdict in {"memory", "cpu_time", "wall_time", "processes", "sandbox_fault"}


async def test_the_user_outside_is_nobody_in_particular(runs: Runs, run: Runner, settings: ExecutionSettings) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")

    def users() -> set[int]:
        found: set[int] = set()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cmdline").read_bytes() == b"sleep\x0031.4159\0":
                    found.add(process.stat().st_uid)
            except OSError:
                continue
        return found

    both = [asyncio.create_task(run("bash", "sleep 31.4159", wall_time_ms=1500)) for _ in range(2)]
    deadline = time.monotonic() + 1.4
    while len(seen := users()) < 2 and time.monotonic() < deadline:
        await asyncio.sleep(0.01)  # the table of processes tells nobody when it changes
    outcomes: list[Outcome] = await asyncio.gather(*both)
    assert len(seen) == 2
    assert all(settings.first_uid < user < settings.first_uid + USERS for user in seen)
    assert {outcome.verdict for outcome in outcomes} == {"wall_time"}
