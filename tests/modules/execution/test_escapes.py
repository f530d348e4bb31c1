"""
What people have tried on other sandboxes. Every attack must end with the verdict that fits, and leave the machine as it
was: `conftest.nothing_stays_behind` looks for processes, control groups, mounts and descriptors after each one.
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

from .runner import Outcome, Runner

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROJECT = Path(__file__).parents[3]
MIB = 1024 * 1024

# ------------------------------------------------------------------------------------------------------- exhaustion

BOMBS = {
    "fork": ("python", "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", {"processes"}),
    "shell fork": ("bash", ":(){ :|:& };:; wait; sleep 9", {"processes"}),
    "fork and leave": (
        "python",
        "import os\nwhile True:\n    if os.fork(): os._exit(0)\n    os.setsid()",
        {"ok", "processes"},
    ),
    "threads": (
        "python",
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()",
        {"processes"},
    ),
    "vfork": ("c", "#include <unistd.h>\nint main() { for (;;) if (fork() == 0) pause(); }", {"processes"}),
    "memory": ("python", "x = []\nwhile True: x.append(bytearray(1 << 20))", {"memory"}),
    "memory in children": (
        "python",
        "import os, time\nfor _ in range(8):\n    if not os.fork():\n        x = bytearray(100 << 20); time.sleep(9)\nos.wait()\ntime.sleep(9)",
        {"memory"},
    ),
    "shared memory": (
        "python",
        "import mmap\nx = []\nwhile True:\n    m = mmap.mmap(-1, 8 << 20); m.write(b'x' * (8 << 20)); x.append(m)",
        {"memory"},
    ),
    "memory files": (
        "python",
        "import os\nx = []\nwhile True:\n    f = os.memfd_create('x'); x.append(f); os.write(f, b'x' * (1 << 20))",
        {"memory", "error"},
    ),
    "pipe buffers": (
        "python",
        "import os, fcntl\nx = []\nwhile True:\n    r, w = os.pipe(); x.append(w); fcntl.fcntl(w, 1031, 1 << 20); os.write(w, b'x' * (1 << 19))",
        {"memory", "error"},
    ),
    "page tables": (
        "c",
        "#include <sys/mman.h>\nint main() { for (char *p = (char *)(1L << 32);; p += 1L << 21)"
        " *(volatile char *)mmap(p, 4096, 3, 50, -1, 0) = 1; }",
        {"memory", "signal"},
    ),
    "stack": (
        "c",
        "int f(int n) { volatile char a[4096]; a[0] = n; return f(n + 1) + a[0]; } int main() { return f(0); }",
        {"signal"},
    ),
    "many files": (
        "python",
        "for n in range(10 ** 9): open(f'/tmp/{n}', 'w').close()",
        {"memory", "error", "cpu_time", "wall_time"},
    ),
    "deep folders": ("python", "import os\nwhile True: os.mkdir('d'); os.chdir('d')", {"memory", "error", "wall_time"}),
    "a full disk": ("python", "f = open('/tmp/x', 'wb')\nwhile True: f.write(b'x' * 65536)", {"error", "signal"}),
    "disks together": (
        "bash",
        "for d in /tmp /work /dev/shm; do head -c 1G /dev/zero >$d/x; done; echo full; du -sm /tmp /work /dev/shm | cut -f1",
        {"ok", "error", "memory"},
    ),
    "output": ("bash", "yes", {"output"}),
    "output on stderr": ("bash", "yes >&2", {"output"}),
    "zeros": ("bash", "cat /dev/zero", {"output"}),
    "error output of a compiler": (
        "c",
        "#define A B B B B B B B B\n" + "x y z;\n" * 100_000,
        {"compile_error", "output"},
    ),
    "a macro": (
        "c",
        "\n".join(
            f"#define A{n} A{n - 1} A{n - 1} A{n - 1} A{n - 1} A{n - 1} A{n - 1} A{n - 1} A{n - 1}"
            for n in range(1, 12)
        )
        + "\n#define A0 x\nint a[] = { A11 };",
        {"memory", "cpu_time", "wall_time", "compile_error"},
    ),
    "a template": (
        "cpp",
        "template<int N> struct A { static const int v = A<N+1>::v + A<N+2>::v; };\nint main() { return A<0>::v; }",
        {"compile_error", "memory", "output", "cpu_time"},
    ),
    "descriptors": ("python", "import os\nwhile True: os.dup(0)", {"error"}),
    "no end to reading": (
        "c",
        '#include "/dev/random"\nint main() {}',
        {"compile_error", "memory", "cpu_time", "wall_time"},
    ),
    "reading zeros": (
        "c",
        '#include "/dev/zero"\nint main() {}',
        {"compile_error", "memory", "cpu_time", "wall_time", "output"},
    ),
    "a program that will not go": (
        "python",
        "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\nwhile True: pass",
        {"wall_time", "cpu_time"},
    ),
    "stopping itself": ("bash", "kill -STOP $$", {"wall_time"}),
    "stopping the shell above": ("bash", "kill -STOP $PPID; sleep 60", {"wall_time"}),
    "a file too large": ("python", "import os\nos.truncate(open('x', 'w').fileno(), 1 << 40)", {"error", "signal"}),
    "SysV memory": (
        "c",
        "#include <sys/shm.h>\n#include <string.h>\nint main() { for (;;) memset(shmat(shmget(0, 1 << 24, 0600), 0, 0), 1, 1 << 24); }",
        {"memory", "signal"},
    ),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_exhausting_the_machine(run: Runner, name: str) -> None:
    language, code, expected = BOMBS[name]
    outcome = await run(language, code, wall_time_ms=3000, cpu_time_ms=1500, memory_bytes=128 * MIB)
    assert outcome.verdict in expected, outcome.finished
    if name == "disks together" and outcome.verdict == "ok":
        assert all(int(size) <= 65 for size in outcome.stdout.split()[1:])


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
        print(name, open(name, 'rb').read())
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


FORBIDDEN_FILES = """
/etc/shadow /etc/ssh /root /home /var /run /boot /sys /mnt /srv /proc/1/root/etc/shadow /proc/sysrq-trigger
/proc/kcore /dev/mem /dev/sda /dev/vda /dev/kmsg /dev/tty /dev/ptmx /dev/fuse /dev/kvm /run/docker.sock /usr/local/bin
"""


async def test_files_of_the_host_are_not_there(run: Runner) -> None:
    code = f"""
import os
for name in {FORBIDDEN_FILES!r}.split():
    for how in (os.O_RDONLY, os.O_WRONLY):
        try:
            descriptor = os.open(name, how)
            print('opened', name, os.listdir(name) if os.path.isdir(name) else os.read(descriptor, 9))
        except OSError:
            pass
"""
    assert (await run("python", code)).stdout == ""


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


# ------------------------------------------------------------------------------------------------------ ways out

SYSTEM_CALLS = {
    # name: (number on x86-64, arguments); all must fail
    "unshare user": (272, "0x10000000"),
    "unshare mount": (272, "0x20000"),
    "setns": (308, "0, 0"),
    "clone user": (56, "0x10000011, 0, 0, 0, 0"),
    "clone3": (435, "0, 0"),
    "mount": (165, "b'x', b'/tmp', b'tmpfs', 0, 0"),
    "umount": (166, "b'/tmp', 2"),
    "pivot_root": (155, "b'/tmp', b'/tmp'"),
    "chroot": (161, "b'/tmp'"),
    "fsopen": (430, "b'tmpfs', 0"),
    "open_tree": (428, "-100, b'/usr', 1"),
    "ptrace": (101, "16, 1, 0, 0"),
    "process_vm_readv": (310, "1, 0, 0, 0, 0, 0"),
    "pidfd_getfd": (438, "0, 0, 0"),
    "keyctl": (250, "0, -3, 1"),
    "add_key": (248, "b'user', b'x', b'x', 1, -3"),
    "bpf": (321, "0, 0, 0"),
    "perf_event_open": (298, "0, 0, -1, -1, 0"),
    "userfaultfd": (323, "1"),
    "io_uring_setup": (425, "8, 0"),
    "kexec_load": (246, "0, 0, 0, 0"),
    "init_module": (175, "0, 0, b''"),
    "open_by_handle_at": (304, "-100, 0, 0"),
    "name_to_handle_at": (303, "-100, b'/usr', 0, 0, 0"),
    "personality": (135, "0x0040000"),
    "TIOCSTI": (16, "0, 0x5412, b'x'"),
    "TIOCSTI, long": (16, "0, 0x100005412, b'x'"),
    "syslog": (103, "3, 0, 0"),
    "sethostname": (170, "b'x', 1"),
    "settimeofday": (164, "0, 0"),
    "reboot": (169, "0, 0, 0, 0"),
    "mknod": (133, "b'/tmp/d', 0o60666, 0xfe00"),
    "setuid": (105, "0"),
    "vsock": (41, "40, 1, 0"),
    "netlink": (41, "16, 3, 0"),
    "packet": (41, "17, 3, 0"),
    "family, long": (41, "0x100000010, 3, 0"),
    "raw": (41, "2, 3, 1"),
    "x32": (0x40000000 + 39, ""),
}


async def test_system_calls_that_lead_out_are_refused(run: Runner) -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers are those of x86-64")
    code = f"""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for name, (number, arguments) in {SYSTEM_CALLS!r}.items():
    child = os.fork()
    if not child:
        values = eval('(' + arguments + ',)') if arguments else ()
        result = libc.syscall(ctypes.c_long(number), *[v if isinstance(v, bytes) else ctypes.c_long(v) for v in values])
        os._exit(0 if result == -1 else 1)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        print('possible:', name)
print('tried')
"""
    outcome = await run("python", code)
    assert outcome.stdout == "tried\n", outcome.events


async def test_the_32_bit_door_is_shut(run: Runner) -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("there is none on this processor")
    code = 'int main() { int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(20)); return r > 0 ? 0 : 1; }'
    assert (await run("c", code)).finished.signal == "SIGSYS"


async def test_no_capability_is_left_and_no_setuid_program_helps(run: Runner) -> None:
    outcome = await run(
        "bash", "grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status; su -c id; mount -t tmpfs x /tmp && echo mounted"
    )
    values = dict(line.split(":\t") for line in outcome.stdout.splitlines())
    assert {value for name, value in values.items() if name.startswith("Cap")} == {"0" * 16}
    assert (values["NoNewPrivs"], values["Seccomp"]) == ("1", "2")
    assert "mounted" not in outcome.stdout


async def test_what_is_shown_cannot_be_written(run: Runner) -> None:
    code = """
import os
for folder in ('/', '/usr', '/usr/bin', '/usr/local', '/etc', '/dev', '/proc', '/lib', '/opt', '/opt/toolchains'):
    try:
        open(folder + '/planted', 'w').close()
        print('written', folder)
    except OSError:
        pass
for name in ('/etc/passwd', '/usr/bin/env', '/etc/ld.so.cache', '/proc/sys/kernel/core_pattern', '/proc/sys/kernel/modprobe'):
    try:
        open(name, 'r+').close()
        print('opened', name)
    except OSError:
        pass
"""
    assert (await run("python", code)).stdout == ""
    assert "planted" not in os.listdir("/usr/bin")  # noqa: PTH208


async def test_killing_everyone_reaches_nobody_outside(run: Runner) -> None:
    outcome = await run(
        "python", "import os, signal\nprint('now', flush=True)\nos.kill(-1, signal.SIGKILL)\nprint('alone')"
    )
    assert outcome.stdout.startswith("now\n")
    assert outcome.verdict in {"ok", "signal"}
    for target in ("1", "0", "2"):
        assert (await run("bash", f"kill -9 {target}; sleep 0.1; echo still")).verdict in {"ok", "signal"}


async def test_a_program_cannot_write_its_own_verdict(run: Runner) -> None:
    code = """
import os
lines = b'done\\nSegmentation fault\\ncompile\\ncompiled\\nrun\\n{ "exit-code": 0 }\\n' * 10000
for pid in (1, 2):
    for descriptor in range(12):
        try:
            os.write(os.open(f'/proc/{pid}/fd/{descriptor}', os.O_WRONLY | os.O_NONBLOCK), lines)
        except OSError:
            pass
for descriptor in range(3, 300):
    try: os.write(descriptor, lines)
    except OSError: pass
os._exit(5)
"""
    outcome = await run("python", code)
    assert outcome.finished.exit_code == 5
    assert outcome.verdict == "error"
    assert outcome.finished.stage == "run"


async def test_a_compiler_cannot_leave_anything_running_in_the_run(run: Runner) -> None:
    outcome = await run("c", '#include <stdlib.h>\nint main(void) { return system("ls /proc | grep -c ^[0-9]"); }')
    # process 1, the cell's shell, the program, sh, ls and grep
    assert int(outcome.stdout) <= 6


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


async def test_symlinks_in_place_of_the_source_lead_nowhere(run: Runner) -> None:
    code = """
import os
for target in ('/etc/shadow', '/proc/1/root', '/../../etc/shadow', '/proc/self/fd/0'):
    os.unlink('main.py') if os.path.lexists('main.py') else None
    os.symlink(target, 'main.py')
    try: print('read', open('main.py').read())
    except OSError: pass
os.rename('/work', '/tmp/work') if os.access('/', os.W_OK) else None
"""
    outcome = await run("python", code)
    assert "root:" not in outcome.printed("stdout", "stderr")


async def test_including_secrets_in_a_compilation_fails(run: Runner) -> None:
    for code in ('#include "/etc/shadow"\nint main() {}', '__asm__(".incbin \\"/etc/shadow\\""); int main() {}'):
        outcome = await run("c", code)
        assert outcome.verdict == "compile_error"
        assert "root:" not in outcome.stderr


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
    assert seen == {settings.first_uid, settings.first_uid + 1}
    assert {outcome.verdict for outcome in outcomes} == {"wall_time"}
