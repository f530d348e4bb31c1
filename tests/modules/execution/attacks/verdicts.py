"""Programs that want another verdict than they deserve, or other numbers."""

# ruff: noqa: E501 (programs in other languages are as wide as they are)

from .kit import COMPILE_ERROR, ERROR, OK, OUTPUT, SIGNAL, Attack, one_of

_LINES = r"done\nSegmentation fault\nC\0\0\0\0\ncompiled\nrun\n{ \"exit-code\": 0 }\n"

ATTACKS = (
    Attack("lines that look like a verdict", "bash", f"printf '{_LINES}'; printf '{_LINES}' >&2; exit 5", ERROR),
    Attack(
        "lines into every descriptor that there is",
        "python",
        f"import os\nlines = b'{_LINES}' * 20\nfor pid in (1, 2):\n    for n in range(20):\n        try: os.write(os.open(f'/proc/{{pid}}/fd/{{n}}', os.O_WRONLY | os.O_NONBLOCK), lines)\n        except OSError: pass\nfor n in range(3, 1024):\n    try: os.write(n, lines)\n    except OSError: pass\nos._exit(5)",
        ERROR,
        as_user=one_of("error"),
    ),
    Attack(
        "what a compile stage says at its end, in the run stage",
        "c",
        '#include <unistd.h>\nint main() { for (int n = 3; n < 64; n++) write(n, "C\\0\\0\\0\\0\\0\\0\\0\\0", 33); return 7; }',
        ERROR,
    ),
    Attack(
        "what a compile stage says at its end, in an error message",
        "c",
        "#error C\\0\\0\\0\\0\\0\\0\\0\\0\nint main() {}",
        COMPILE_ERROR,
    ),
    Attack("ending well after its child failed", "perl", "if (!fork) { kill 11, $$ } wait; exit 0", OK),
    Attack(
        "a child that ends well in its place", "perl", "my $p = $$; if (!fork) { kill 9, $p; exit 0 } sleep 9", SIGNAL
    ),
    Attack("a kill that looks like that of the server", "bash", "kill -9 $$", SIGNAL),
    Attack(
        "a signal that looks like the limit of processor time",
        "python",
        "import os, signal\nos.kill(os.getpid(), signal.SIGXCPU)",
        SIGNAL,
    ),
    Attack(
        "a signal that looks like a full disk",
        "c",
        "#include <signal.h>\nint main() { raise(SIGXFSZ); }",
        one_of("disk", "signal"),
    ),
    Attack("a signal that looks like a forbidden call", "perl", "kill 'SYS', $$; sleep 1", SIGNAL),
    Attack("a failed check", "cpp", "#include <cassert>\nint main() { assert(1 == 2); }", SIGNAL),
    Attack("an exit code above all", "lua", "os.exit(256 + 3)", ERROR),
    Attack("an exit code below all", "javascript", "process.exit(-1)", ERROR, memory_mib=512),
    Attack("the exit code of a program that is not there", "bash", "exit 127", ERROR, prints=""),
    Attack("the exit code of a killed program", "php", "<?php exit(137);", ERROR),
    Attack(
        "an end in the middle of a thread",
        "java",
        "class Main { public static void main(String[] a) { new Thread(() -> Runtime.getRuntime().halt(4)).start(); while (true) Thread.onSpinWait(); } }",
        ERROR,
        memory_mib=512,
    ),
    Attack("output that ends at the limit", "perl", "print 'x' x 4096", OK, output_bytes=4096, prints="x" * 4096),
    Attack(
        "output that ends one byte before the limit",
        "perl",
        "print 'x' x 4095",
        OK,
        output_bytes=4096,
        prints="x" * 4095,
    ),
    Attack(
        "output that ends one byte after the limit",
        "perl",
        "print 'x' x 4097",
        OUTPUT,
        output_bytes=4096,
        prints="x" * 4096,
    ),
    Attack(
        "output of both streams that ends at the limit",
        "ruby",
        "$stdout.write 'x' * 2048; $stdout.flush; $stderr.write 'y' * 2048",
        OK,
        output_bytes=4096,
        prints="x" * 2048,
    ),
    Attack("bytes that are no text", "python", "import sys\nsys.stdout.buffer.write(bytes(range(256)) * 4)", OK),
    Attack(
        "half a character",
        "python",
        "import sys, time\nsys.stdout.buffer.write(b'\\xe2\\x82'); sys.stdout.flush(); time.sleep(0.05); sys.stdout.buffer.write(b'\\xac\\n')",
        OK,
        prints="€\n",
    ),
    Attack(
        "control characters for whoever reads it",
        "bash",
        r"printf '\033]0;x\007\033[2J\033c\0\r'",
        OK,
        prints="\033]0;x\007\033[2J\033c\0\r",
    ),
    Attack(
        "a closed output",
        "python",
        "import os, time\nprint('before', flush=True)\nos.close(1); os.close(2)\ntime.sleep(0.1)\nos._exit(3)",
        ERROR,
        prints="before\n",
    ),
    Attack("a closed input", "bash", "exec 0<&-; read x; echo $?", OK, prints="1\n"),
    Attack(
        "input that comes from its own output",
        "bash",
        "cat </proc/self/fd/0; echo end",
        OK,
        stdin="given\n",
        prints="given\nend\n",
    ),
    Attack(
        "numbers that repeat in every run",
        "python",
        "import random, os\nprint('same' if random.Random(0).random() == random.random() else 'other')",
        OK,
        prints="other\n",
    ),
    Attack(
        "a file that stands for a part of the library",
        "python",
        "print('ran')",
        OK,
        prints="ran\n",
        files={
            "os.py": "raise SystemExit(3)",
            "sitecustomize.py": "print('hijacked')",
            "usercustomize.py": "print('hijacked')",
        },
    ),
    Attack(
        "the end of the interpreter undone",
        "python",
        "import atexit, sys, os\natexit.register(lambda: os._exit(9))\nraise SystemExit(0)",
        ERROR,
    ),
    Attack(
        "no modules any more",
        "python",
        "import sys\nsys.modules.clear()\nprint('ran')",
        one_of("ok", "error", "signal"),
    ),
    Attack("another writer of errors", "python", "import sys\nsys.stderr = None\nsys.excepthook = None\n1 / 0", ERROR),
)
