"""Programs that want all of the machine: its processes, memory, disk, output, descriptors, time."""

# ruff: noqa: E501 (programs in other languages are as wide as they are)

from .kit import CPU_TIME, DISK, ERROR, MEMORY, OK, OUTPUT, PROCESSES, SIGNAL, WALL_TIME, Attack, one_of

_PROCESSES = (
    Attack(
        "forks without end",
        "python",
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
        PROCESSES,
        as_user=one_of("processes", "cpu_time", "memory"),
    ),
    Attack(
        "the fork bomb of shells",
        "bash",
        ":(){ :|:& };:; wait; sleep 9",
        PROCESSES,
        as_user=one_of("processes", "error", "wall_time", "cpu_time"),
    ),
    Attack(
        "parents that leave their children at once",
        "python",
        "import os\nwhile True:\n    if os.fork(): os._exit(0)\n    os.setsid()",
        one_of("ok", "processes"),
    ),
    Attack(
        "threads in Python",
        "python",
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()",
        PROCESSES,
        as_user=one_of("processes", "error"),
    ),
    Attack(
        "threads in C++",
        "cpp",
        "#include <thread>\n#include <unistd.h>\nint main() { for (;;) std::thread([] { pause(); }).detach(); }",
        PROCESSES,
        as_user=one_of("processes", "signal"),
        slow=True,
    ),
    Attack(
        "threads in Java",
        "java",
        "class Main { public static void main(String[] a) { while (true) new Thread(() -> { try { Thread.sleep(60000); } catch (InterruptedException e) {} }).start(); } }",
        PROCESSES,
        as_user=one_of("processes", "error"),
        memory_mib=512,
        slow=True,
    ),
    Attack(
        "threads in JavaScript",
        "javascript",
        "const { Worker } = require('worker_threads'); for (let n = 0; n < 80; n++) new Worker('setInterval(() => 0, 1000)', { eval: true });",
        one_of("processes", "memory", "cpu_time", "wall_time"),
        as_user=one_of("processes", "memory", "signal", "error", "cpu_time", "wall_time"),
        memory_mib=512,
        slow=True,
    ),
    Attack("forks in C", "c", "#include <unistd.h>\nint main() { for (;;) if (fork() == 0) pause(); }", PROCESSES),
    Attack(
        "vforks in C",
        "c",
        "#define _GNU_SOURCE\n#include <unistd.h>\nint main() { for (int n = 0; n < 1000; n++) if (vfork() == 0) { if (fork() == 0) pause(); _exit(0); } pause(); }",
        PROCESSES,
        slow=True,
    ),
    Attack("forks in Perl", "perl", "while (1) { my $p = fork; sleep 60 if defined $p && !$p; }", PROCESSES),
    Attack(
        "forks in Ruby",
        "ruby",
        "loop { fork { sleep 60 } }",
        PROCESSES,
        as_user=one_of("processes", "error", "memory"),
        slow=True,
    ),
    Attack(
        "shells from PHP",
        "php",
        "<?php while (true) $x[] = popen('sleep 60', 'r');",
        PROCESSES,
        as_user=one_of("processes", "error", "wall_time"),
    ),
    Attack(
        "shells from Lua",
        "lua",
        "while true do io.popen('sleep 60') end",
        PROCESSES,
        as_user=one_of("processes", "error", "wall_time"),
        slow=True,
    ),
    Attack(
        "children that nobody waits for",
        "perl",
        "for (1..1000) { my $p = fork; exit 0 if defined $p && !$p; } sleep 60;",
        PROCESSES,
    ),
    Attack("an orphan in a session of its own", "bash", "setsid sleep 60 & echo gone", OK, prints="gone\n"),
    Attack(
        "a daemon forked twice, which holds the output open",
        "perl",
        'if (fork) { print "gone\\n"; exit } require POSIX; POSIX::setsid(); if (fork) { exit } while (1) { sleep 1; }',
        OK,
        prints="gone\n",
    ),
    Attack(
        "children that leave later than their parent",
        "python",
        "import os, time\nfor _ in range(20):\n    if not os.fork(): time.sleep(30); os._exit(0)\nprint('gone')",
        OK,
        prints="gone\n",
    ),
    Attack("an orphan that computes on", "bash", "(while :; do :; done) & disown; echo gone", OK, prints="gone\n"),
)

_MEMORY = (
    Attack(
        "memory in Python",
        "python",
        "x = []\nwhile True: x.append(bytearray(1 << 20))",
        MEMORY,
        as_user=one_of("memory", "error"),
    ),
    Attack(
        "memory in children",
        "python",
        "import os, time\nfor _ in range(8):\n    if not os.fork():\n        x = bytearray(100 << 20); time.sleep(9)\nos.wait()\ntime.sleep(9)",
        MEMORY,
    ),
    Attack(
        "memory in JavaScript",
        "javascript",
        "const x = []; while (true) x.push(Buffer.alloc(1 << 22, 1));",
        MEMORY,
        as_user=one_of("memory", "signal"),
        memory_mib=256,
    ),
    Attack(
        "memory in Java",
        "java",
        "import java.util.*; class Main { public static void main(String[] a) { List<byte[]> x = new ArrayList<>(); while (true) x.add(new byte[1 << 20]); } }",
        ERROR,
        memory_mib=512,
    ),
    Attack(
        "memory in C",
        "c",
        "#include <stdlib.h>\n#include <string.h>\nint main() { for (;;) memset(malloc(1 << 20), 1, 1 << 20); }",
        MEMORY,
        as_user=one_of("memory", "signal"),
    ),
    Attack(
        "memory in C++",
        "cpp",
        "#include <vector>\nint main() { std::vector<char> x; for (;;) x.insert(x.end(), 1 << 20, 'x'); }",
        MEMORY,
        as_user=one_of("memory", "signal"),
    ),
    Attack(
        "memory in Ruby",
        "ruby",
        "x = []; loop { x << 'x' * (1 << 20) }",
        MEMORY,
        as_user=one_of("memory", "error"),
        slow=True,
    ),
    Attack(
        "memory in Perl", "perl", "my @x; push @x, 'x' x (1 << 20) while 1;", MEMORY, as_user=one_of("memory", "error")
    ),
    Attack(
        "memory in PHP",
        "php",
        "<?php ini_set('memory_limit', '-1'); $x = []; while (true) $x[] = str_repeat('x', 1 << 20);",
        MEMORY,
        as_user=one_of("memory", "error"),
    ),
    Attack(
        "memory in Lua",
        "lua",
        "local x = {} while true do x[#x + 1] = string.rep('x', 1 << 20) .. #x end",
        MEMORY,
        as_user=one_of("memory", "error"),
        slow=True,
    ),
    Attack("memory of a shell", "bash", "x=x; while :; do x=$x$x; done", MEMORY, as_user=one_of("memory", "error")),
    Attack(
        "shared memory",
        "python",
        "import mmap\nx = []\nwhile True:\n    m = mmap.mmap(-1, 8 << 20); m.write(b'x' * (8 << 20)); x.append(m)",
        MEMORY,
        as_user=one_of("memory", "signal"),
        slow=True,
    ),
    Attack(
        "files in memory",
        "python",
        "import os\nx = []\nwhile True:\n    f = os.memfd_create('x'); x.append(f); os.write(f, b'x' * (1 << 20))",
        MEMORY,
        as_user=ERROR,
    ),
    Attack(
        "buffers of pipes",
        "python",
        "import os, fcntl\nx = []\nwhile True:\n    r, w = os.pipe(); x.append(w); fcntl.fcntl(w, 1031, 1 << 20); os.write(w, b'x' * (1 << 19))",
        one_of("memory", "error"),
    ),
    Attack(
        "buffers of sockets",
        "perl",
        "use Socket; my @x; while (1) { socketpair(my $a, my $b, AF_UNIX, SOCK_DGRAM, 0) or exit 3; push @x, $a, $b; $a->blocking(0) if $a->can('blocking'); send($a, 'x' x 60000, MSG_DONTWAIT) or last for 1..100; }",
        one_of("error", "memory"),
    ),
    Attack(
        "tables of pages",
        "c",
        "#include <sys/mman.h>\nint main() { for (char *p = (char *)(1L << 32);; p += 1L << 21) *(volatile char *)mmap(p, 4096, 3, 50, -1, 0) = 1; }",
        one_of("memory", "signal"),
    ),
    Attack(
        "memory of System V",
        "c",
        "#include <sys/shm.h>\n#include <string.h>\nint main() { for (;;) memset(shmat(shmget(0, 1 << 24, 0600), 0, 0), 1, 1 << 24); }",
        one_of("memory", "signal"),
        as_user=SIGNAL,
    ),
    Attack(
        "queues of System V",
        "perl",
        "use IPC::SysV; my $n = 0; while (defined(my $q = msgget(0, 0600))) { my $m = pack('l! a*', 1, 'x' x 8000); $n++ while msgsnd($q, $m, IPC::SysV::IPC_NOWAIT()); last if ++$n > 1000000 } print \"tried\\n\"",
        one_of("ok", "memory", "cpu_time"),
    ),
    Attack(
        "memory that is locked",
        "c",
        '#include <sys/mman.h>\n#include <stdio.h>\nint main() { void *p = mmap(0, 64 << 20, 3, 34, -1, 0); puts(mlock(p, 64 << 20) ? "tried" : "locked"); }',
        OK,
        prints="tried\n",
    ),
    Attack(
        "a stack without end",
        "c",
        "int f(int n) { volatile char a[4096]; a[0] = n; return f(n + 1) + a[0]; } int main() { return f(0); }",
        SIGNAL,
    ),
    Attack(
        "a stack without end in JavaScript", "javascript", "function f() { return f() + 1 } f()", ERROR, memory_mib=256
    ),
    Attack(
        "more memory than there is numbers for",
        "c",
        '#include <sys/mman.h>\n#include <stdio.h>\nint main() { long n = 0; while (n < 100000 && mmap(0, 1L << 40, 3, 16418, -1, 0) != MAP_FAILED) n++; puts("tried"); }',
        OK,
        prints="tried\n",
    ),
)

_DISK = (
    Attack("a file for each number", "python", "for n in range(10 ** 9): open(f'/tmp/{n}', 'w').close()", DISK),
    # Landlock climbs all of them for each call, so time may run out first.
    Attack(
        "folders in folders",
        "python",
        "import os\nwhile True: os.mkdir('d'); os.chdir('d')",
        one_of("disk", "cpu_time", "wall_time"),
    ),
    Attack(
        "links to one file",
        "perl",
        "open my $f, '>', 'a'; my $n = 0; while (link 'a', 'b' . $n++) {} exit 1",
        one_of("disk", "error"),
    ),
    Attack(
        "a full disk",
        "python",
        "f = open('/tmp/x', 'wb')\nwhile True: f.write(b'x' * 65536)",
        DISK,
        as_user=one_of("disk", "memory"),
    ),
    Attack(
        "a file of a tebibyte without content",
        "python",
        "import os\nos.truncate(open('x', 'w').fileno(), 1 << 40)",
        one_of("error", "signal", "disk"),
    ),
    Attack(
        "space that is reserved and not written",
        "c",
        '#define _GNU_SOURCE\n#include <fcntl.h>\n#include <stdio.h>\nint main() { int d = open("/tmp/x", O_CREAT | O_RDWR, 0600); for (long at = 0, step = 1 << 20; step >= 4096; fallocate(d, 0, at, step) ? (step /= 2) : (at += step)); return 1; }',
        DISK,
        memory_mib=256,
    ),
    Attack(
        "three disks together",
        "bash",
        "for d in /tmp /work /dev/shm; do head -c 1G /dev/zero >$d/x; done; exit 1",
        one_of("memory", "disk"),
        as_user=one_of("disk", "memory"),
        slow=True,
    ),
    Attack(
        "long names, many times",
        "ruby",
        "n = 0; loop { File.write('/tmp/' + 'n' * 240 + (n += 1).to_s, '') }",
        DISK,
        slow=True,
    ),
)

_OUTPUT = (
    Attack("output without end", "bash", "yes", OUTPUT),
    Attack("errors without end", "bash", "yes >&2", OUTPUT),
    Attack("both without end", "perl", "while (1) { print STDOUT 'x' x 999; print STDERR 'y' x 999 }", OUTPUT),
    Attack("zeros without end", "bash", "cat /dev/zero", OUTPUT),
    Attack("a line without end", "lua", "while true do io.write('xxxxxxxxxxxxxxxxxxxx') end", OUTPUT),
    Attack(
        "output after the end", "bash", "(trap '' TERM; while :; do echo more; done) & echo end", one_of("ok", "output")
    ),
    Attack("output in a terminal", "bash", "yes", OUTPUT, terminal=True),
    Attack("output into the program's other end", "bash", "yes >/proc/self/fd/1", OUTPUT),
)

_DESCRIPTORS = (
    Attack("descriptors", "python", "import os\nwhile True: os.dup(0)", ERROR),
    Attack(
        "a descriptor of a high number",
        "python",
        "import os\ntry: os.dup2(0, 1 << 20); print('had')\nexcept OSError: print('tried')",
        OK,
        prints="tried\n",
    ),
    Attack(
        "a higher limit of descriptors",
        "bash",
        "ulimit -Hn 100000 2>/dev/null && echo had; ulimit -Hu unlimited 2>/dev/null; ulimit -Hc unlimited 2>/dev/null && echo had; echo tried",
        OK,
        prints="tried\n",
    ),
    Attack(
        "watches and timers",
        "c",
        '#include <sys/epoll.h>\n#include <sys/timerfd.h>\n#include <sys/eventfd.h>\n#include <stdio.h>\nint main() { while (epoll_create(1) >= 0 && timerfd_create(0, 0) >= 0 && eventfd(0, 0) >= 0); puts("tried"); }',
        OK,
        prints="tried\n",
    ),
    Attack(
        "timers of POSIX",
        "c",
        '#include <signal.h>\n#include <time.h>\n#include <stdio.h>\nint main() { timer_t t; struct sigevent e = { .sigev_notify = SIGEV_NONE }; int n = 0; while (n < 100000 && !timer_create(CLOCK_MONOTONIC, &e, &t)) n++; puts(n <= 1024 ? "tried" : "had"); }',
        OK,
        prints="tried\n",
    ),
    Attack(
        "signals that wait",
        "c",
        '#include <signal.h>\n#include <unistd.h>\n#include <stdio.h>\nint main() { sigset_t s; sigfillset(&s); sigprocmask(SIG_BLOCK, &s, 0); union sigval v = { 0 }; int n = 0; while (n < 100000 && !sigqueue(getpid(), SIGRTMIN, v)) n++; puts(n <= 1024 ? "tried" : "had"); }',
        OK,
        prints="tried\n",
    ),
)

_TIME = (
    Attack("computing without end", "c", "int main() { for (;;); }", CPU_TIME, cpu_time_ms=500),
    Attack(
        "computing in many threads",
        "cpp",
        "#include <thread>\nint main() { for (int n = 0; n < 8; n++) std::thread([] { for (volatile int i = 0;; i++); }).detach(); for (;;); }",
        CPU_TIME,
        cpu_time_ms=500,
        slow=True,
    ),
    Attack(
        "computing in children that nobody counts",
        "perl",
        "$SIG{CHLD} = 'IGNORE'; while (1) { my $p = fork; if (defined $p && !$p) { for (1..2000000) {} exit } select undef, undef, undef, 0.02 }",
        one_of("cpu_time", "processes"),
        as_user=one_of("cpu_time", "processes", "wall_time"),
        cpu_time_ms=500,
    ),
    Attack("sleeping for ever", "php", "<?php sleep(60);", WALL_TIME, wall_time_ms=400),
    Attack("reading what never comes", "ruby", "r, w = IO.pipe; r.read", WALL_TIME, wall_time_ms=400),
    Attack("stopping itself", "bash", "kill -STOP $$", WALL_TIME, wall_time_ms=400),
    Attack(
        "stopping whoever is above", "bash", "kill -STOP $PPID; kill -STOP -1; sleep 60", WALL_TIME, wall_time_ms=400
    ),
    Attack(
        "a program that heeds no signal",
        "python",
        "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\nwhile True: pass",
        CPU_TIME,
        cpu_time_ms=500,
        slow=True,
    ),
    Attack(
        "a program that does not heed the limit of processor time",
        "perl",
        "$SIG{XCPU} = 'IGNORE'; 1 while 1",
        CPU_TIME,
        cpu_time_ms=500,
    ),
    Attack(
        "going before others",
        "perl",
        'my $n = 0; $n++ if syscall(141, 0, 0, -20) == 0; my $p = pack \'i\', 50; $n++ if syscall(144, 0, 1, $p) == 0; $n++ if syscall(144, 0, 2, $p) == 0; print $n ? "possible $n\\n" : "tried\\n"',
        OK,
        prints="tried\n",
    ),
    Attack(
        "a large core",
        "c",
        "#include <stdlib.h>\n#include <string.h>\n#include <sys/resource.h>\nint main() { struct rlimit r = { ~0UL, ~0UL }; setrlimit(RLIMIT_CORE, &r); memset(malloc(64 << 20), 1, 64 << 20); abort(); }",
        SIGNAL,
    ),
    Attack(
        "an expression without end",
        "python",
        "import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')",
        CPU_TIME,
        cpu_time_ms=500,
    ),
)

ATTACKS = (*_PROCESSES, *_MEMORY, *_DISK, *_OUTPUT, *_DESCRIPTORS, *_TIME)
