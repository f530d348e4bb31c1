"""What Landlock refuses by itself, without any other wall in front of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from opencode.modules.execution.adapters.zygote import landlock

PROGRAM = """
import os, signal, sys
sys.path[:0] = [sys.argv[1]]
from opencode.modules.execution.adapters.zygote import kernel, landlock
os.chdir(sys.argv[2])
kernel.drop_capabilities()
landlock.restrict(("/usr", "/proc"), (sys.argv[2],))

def attempt(what, call):
    try:
        call()
    except PermissionError:
        print("refused:", what)
    else:
        print("done:", what)

attempt("read what is shown", lambda: open("/usr/bin/env", "rb").close())
attempt("read something else", lambda: open("/etc/passwd").close())
attempt("write what is shown", lambda: open("/usr/bin/env", "r+b").close())
attempt("write to the kernel", lambda: open("/proc/self/comm", "w").close())
attempt("write to a device", lambda: open("/dev/null", "w").close())
attempt("write its own", lambda: open("a", "w").close())
attempt("cut its own", lambda: os.truncate("a", 0))
attempt("make a folder", lambda: os.mkdir("b"))
attempt("move to another folder", lambda: os.rename("a", "b/a"))
attempt("make a pipe", lambda: os.mkfifo("p"))
attempt("make a device", lambda: os.mknod("d", 0o020600, os.makedev(1, 3)))
attempt("list the root", lambda: os.listdir("/"))
attempt("signal somebody outside", lambda: os.kill(os.getppid(), signal.SIGCONT))
attempt("signal itself", lambda: os.kill(os.getpid(), signal.SIGCONT))
"""
REFUSED = {"read something else", "write what is shown", "write to the kernel", "make a device"}


@pytest.mark.skipif(landlock.version() < 2, reason="this kernel has no Landlock of version 2")
def test_only_what_is_named_can_be_touched(tmp_path: Path) -> None:
    source = Path(landlock.__file__).parents[5]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(source), str(tmp_path)], capture_output=True, text=True, check=True
    )
    told = done.stdout.splitlines()
    expected = REFUSED | ({"signal somebody outside"} if landlock.version() >= 6 else set[str]())
    assert {line.removeprefix("refused: ") for line in told if line.startswith("refused: ")} == expected
    assert len(told) == 14
