"""Programs that use what has led out of sandboxes before."""

# ruff: noqa: E501 (programs in other languages are as wide as they are)

from .kit import COMPILE_ERROR, OK, REFUSED, SIGNAL, Attack, one_of

_TRY = r"""
$| = 1;
my $b = "\0" x 128;
sub try {
    my ($name, $arguments) = @_;
    my $child = fork;
    if (!$child) {
        my @words = $arguments->();
        my ($number, @rest) = @words;
        exit 1 if syscall($number, @rest) != -1;
        # A call that fails for its arguments only is one that could be made.
        exit($!{EPERM} || $!{EACCES} || $!{ENOSYS} || $!{EAFNOSUPPORT} || $!{EPROTONOSUPPORT} ? 0 : 2);
    }
    waitpid $child, 0;
    my $code = $? >> 8;
    print "$name ", ($code == 1 ? 'done' : $code == 2 ? 'reached' : "broken $code"), "\n" if $code;
}
"""


def _calls(**calls: str) -> str:
    """
    A Perl program that makes system calls, each in a process of its own, and names those that are not refused.

    Args:
        calls: by what they try, the number on x86-64 and the arguments as Perl writes them.
    """
    lines = [f"try('{name}', sub {{ ({words}) }});" for name, words in calls.items()]
    return _TRY + "\n".join(lines) + '\nprint "tried\\n";'


def _system_calls(what: str, **calls: str) -> Attack:
    return Attack(what, "perl", _calls(**calls), OK, prints=REFUSED, only_on="x86_64")


_SYSTEM_CALLS = (
    _system_calls(
        "namespaces of its own",
        user="272, 0x10000000",
        mount="272, 0x20000",
        pid="272, 0x20000000",
        net="272, 0x40000000",
        time="272, 0x80",
        cgroup="272, 0x02000000",
        clone_user="56, 0x10000011, 0, 0, 0, 0",
        clone_mount="56, 0x20011, 0, 0, 0, 0",
        clone_pid="56, 0x20000011, 0, 0, 0, 0",
    ),
    _system_calls(
        "namespaces of process 1",
        **{
            name: f"308, (open(my $f, '<', '/proc/1/ns/{name}') ? fileno($f) : -1), 0"
            for name in ("mnt", "user", "pid", "net", "ipc", "uts", "cgroup")
        },
    ),
    _system_calls(
        "its own namespaces again",
        user="308, (open(my $f, '<', '/proc/self/ns/user') ? fileno($f) : -1), 0",
        mnt="308, (open(my $f, '<', '/proc/self/ns/mnt') ? fileno($f) : -1), 0",
        pidfd="308, syscall(434, 1, 0), 0x20000",
    ),
    _system_calls(
        "the third way to clone",
        clone3="435, pack('Q11', 0x10000000, (0) x 3, 17, (0) x 6), 88",
        short="435, pack('Q8', 0, (0) x 3, 17, (0) x 3), 64",
    ),
    _system_calls(
        "mounts",
        tmpfs="165, 'x', '/tmp', 'tmpfs', 0, 0",
        bind="165, '/usr', '/tmp', 0, 4096, 0",
        proc="165, 'x', '/tmp', 'proc', 0, 0",
        remount="165, 0, '/', 0, 36, 0",
        umount="166, '/proc/sys', 2",
        shadow="166, '/tmp', 2",
        pivot="155, '/tmp', '/tmp'",
        chroot="161, '/tmp'",
    ),
    _system_calls(
        "mounts in the new way",
        fsopen="430, 'tmpfs', 0",
        fspick="433, -100, '/', 0",
        open_tree="428, -100, '/usr', 1",
        move_mount="429, -100, '/usr', -100, '/tmp', 0",
        setattr="442, -100, '/', 0x8000, pack('Q4', 0, 1, 0, 0), 32",
        statmount="457, $b, $b, 128, 0",
        listmount="458, $b, $b, 8, 0",
    ),
    _system_calls(
        "looking into others",
        attach="101, 16, 1, 0, 0",
        seize="101, 0x4206, 2, 0, 0",
        traceme="101, 0, 0, 0, 0",
        read="310, 1, $b, 1, $b, 1, 0",
        write="311, 1, $b, 1, $b, 1, 0",
        getfd="438, syscall(434, 1, 0), 0, 0",
        kcmp="312, 1, $$, 0, 0, 0",
        madvise="440, syscall(434, 1, 0), $b, 1, 21, 0",
    ),
    _system_calls(
        "looking into its own child",
        attach="101, 16, (fork || sleep 1), 0, 0",
        read="310, (fork || sleep 1), $b, 1, $b, 1, 0",
    ),
    _system_calls(
        "keys",
        add="248, 'user', 'x', 'x', 1, -3",
        session="250, 1, 'x'",
        get="250, 0, -3, 1",
        request="249, 'user', 'x', 0, -3",
    ),
    _system_calls(
        "programs in the kernel",
        bpf_map="321, 0, pack('I4', 2, 4, 4, 1) . $b, 72",
        bpf_load="321, 5, $b, 72",
        perf="298, pack('I2', 1, 128) . $b, 0, -1, -1, 0",
        module="175, $b, 99, ''",
        finit="313, 0, '', 0",
        kexec="246, 0, 0, 0, 0",
        fault="323, 1",
        fault_user="323, 0x80001",
    ),
    _system_calls("rings", setup="425, 8, $b", enter="426, 0, 1, 1, 0, 0", register="427, 0, 0, 0, 0"),
    _system_calls(
        "files by their number",
        name="303, -100, '/usr', pack('Ii', 128, 0) . $b, $b, 0",
        open="304, -100, pack('Ii', 8, 1) . $b, 0",
    ),
    _system_calls(
        "the machine itself",
        reboot="169, 0xfee1dead, 672274793, 0, 0",
        swap="167, '/tmp/x', 0",
        host="170, 'x', 1",
        domain="171, 'x', 1",
        time="164, pack('q2', 1, 0), 0",
        clock="227, 0, pack('q2', 1, 0)",
        adjust="159, pack('I', 1) . $b x 2",
        ports="172, 3",
        port="173, 0, 100, 1",
        log="103, 6, 0, 0",
        quota="179, 0x800001, 0, 0, $b",
        acct="163, '/tmp/x'",
    ),
    _system_calls(
        "privileges",
        capabilities="126, pack('Ii', 0x20080522, 0), pack('I6', 1, 1, 0, 0, 0, 0)",
        securebits="157, 28, 1",
        nice="141, 0, 0, -20",
        real_time="144, 0, 1, pack('i', 50)",
        io="251, 1, 0, 8192",
    ),
    _system_calls(
        "devices",
        disk="133, '/tmp/a', 060666, 0xfe00",
        memory="133, '/tmp/b', 020666, 0x101",
        null="133, '/tmp/c', 020666, 0x103",
        at="259, -100, '/dev/shm/d', 060666, 0x800",
    ),
    _system_calls(
        "another personality",
        low="135, 0x0040000",
        execute="135, 0x0400000",
        old="135, 0x0200000",
        bsd="135, 0x06",
        high="135, 0x8000000",
    ),
    _system_calls(
        "queues, and what watches",
        queue="240, 'x', 66, 0600, 0",
        fanotify="300, 0, 0",
        inotify="294, 0",
        inotify_old="253",
        secret="447, 0",
    ),
    _system_calls(
        "arguments whose upper half is set",
        inject="16, 0, 0x100005412, $b",
        driver="16, 0, 0x700005423, $b",
        family="41, 0x100000010, 3, 0",
        protocol="41, 2, 1, 0x100000084",
        notify="72, 0, 0x100000402, 1",
    ),
    _system_calls(
        "numbers above all that there are",
        x32="0x40000000 + 39",
        future="470, 0",
        later="500, 0",
        none="9999",
        negative="-1",
        high="0x100000000 | 272, 0x10000000",
    ),
)

_OTHER_DOORS = (
    Attack(
        "being somebody else",
        "perl",
        "my $none = pack 'i', 0; syscall(105, $_), syscall(106, $_), syscall(117, $_, $_, $_), syscall(119, $_, $_, $_), syscall(116, 1, $none) for 0, 1, 1001, 65534; print \"$< $> $(\n\"",
        OK,
        prints="1000 1000 1000\n",
    ),
    Attack(
        "calls of 32 bits",
        "c",
        'int main() { int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(20)); return r > 0 ? 0 : 1; }',
        SIGNAL,
    ),
    Attack(
        "calls of x32",
        "c",
        "#include <unistd.h>\n#include <sys/syscall.h>\nint main() { return syscall(0x40000000 + 39) > 0 ? 0 : 1; }",
        one_of("signal", "error"),
    ),
    Attack(
        "segments of 32 bits",
        "c",
        '#include <unistd.h>\n#include <sys/syscall.h>\n#include <stdio.h>\nint main() { puts(syscall(154, 1, (char[16]){ 0 }, 16) < 0 ? "tried" : "possible"); }',
        OK,
        prints=REFUSED,
    ),
    Attack(
        "a program of 32 bits",
        "c",
        '#include <stdio.h>\n__asm__(".code32"); int main() { }',
        one_of("compile_error", "signal", "ok"),
    ),
    Attack(
        "words typed into its own input",
        "python",
        "import fcntl\nfor request in (0x5412, 0x100005412, 0x541C, 0x5423):\n    try: fcntl.ioctl(0, request & 0xffffffff, b'x\\0\\0\\0'); print('possible', hex(request))\n    except OSError: pass\nprint('tried')",
        OK,
        prints="tried\r\n",
        terminal=True,
    ),
    Attack(
        "drivers of its terminal",
        "c",
        '#include <sys/ioctl.h>\n#include <stdio.h>\nint main() { for (int n = 1; n < 31; n++) if (!ioctl(0, TIOCSETD, &n)) printf("possible %d\\n", n); puts("tried"); }',
        OK,
        prints="tried\r\n",
        terminal=True,
    ),
    Attack(
        "other terminals",
        "python",
        "import os, fcntl\nfor name in ['/dev/ptmx', '/dev/tty', '/dev/pts/ptmx', '/dev/console', '/proc/self/fd/0/../ptmx'] + [f'/dev/pts/{n}' for n in range(20)]:\n    try: os.open(name, os.O_RDWR | os.O_NOCTTY); print('opened', name)\n    except OSError: pass\nfor request, value in ((0x5441, 0), (0x540E, 1), (0x541D, 0), (0x5437, 0), (0x5480, 0)):\n    try: fcntl.ioctl(0, request, value); print('possible', hex(request)) if request != 0x540E else None\n    except OSError: pass\nprint('tried')",
        OK,
        prints="tried\r\n",
        terminal=True,
    ),
    Attack(
        "a terminal of somebody else's session",
        "perl",
        'require POSIX; my $p = fork; if (!$p) { POSIX::setsid(); print ioctl(STDIN, 0x540E, 1) ? "stolen\\n" : "tried\\n"; exit } waitpid $p, 0',
        OK,
        prints="tried\r\n",
        terminal=True,
    ),
    Attack(
        "going out through an old root",
        "c",
        '#include <unistd.h>\n#include <fcntl.h>\n#include <stdio.h>\n#include <sys/stat.h>\nint main() { int d = open(".", 0); mkdir("x", 0755); if (!chroot("x")) puts("possible"); fchdir(d); for (int i = 0; i < 99; i++) chdir(".."); puts(access("etc/shadow", 0) ? "tried" : "seen"); }',
        OK,
        prints=REFUSED,
    ),
    Attack(
        "programs that run as root",
        "bash",
        "find / -xdev -perm /6000 -type f 2>/dev/null | while read p; do timeout 1 $p -c id </dev/null 2>/dev/null | grep uid=0; done; su -c id 2>/dev/null; sudo -n id 2>/dev/null; echo tried",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "a library in front of a program that runs as root",
        "bash",
        "echo 'x' >/tmp/x.so; for p in su mount passwd newgrp; do LD_PRELOAD=/tmp/x.so $p --version 2>/dev/null | grep -c uid=0; done | grep -v 0; echo tried",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "making a program that runs as root",
        "bash",
        "cp /bin/id /tmp/id; chmod 6755 /tmp/id; chown 0:0 /tmp/id 2>/dev/null; setcap cap_sys_admin+ep /tmp/id 2>/dev/null; /tmp/id -u",
        OK,
        prints="1000\n",
    ),
    Attack(
        "privileges that are left",
        "bash",
        "grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status | tr -d '\\t'; capsh --print 2>/dev/null | grep -c 'Current: =ep'",
        one_of("ok", "error"),
        never="[1-9a-f]{4}",
        prints=None,
    ),
)

_FILES = (
    Attack(
        "writing where it may only read",
        "python",
        "import os\nfor folder in ('/', '/usr', '/usr/bin', '/usr/local', '/etc', '/dev', '/proc', '/lib', '/opt', '/opt/toolchains', '/proc/self', '/.empty'):\n    try: open(folder + '/planted', 'w').close(); print('written', folder)\n    except OSError: pass\n    for change in (lambda: os.chmod(folder, 0o777), lambda: os.rename(folder, '/tmp/x'), lambda: os.rmdir(folder), lambda: os.utime(folder), lambda: os.chown(folder, 1000, 1000)):\n        try: change(); print('changed', folder)\n        except OSError: pass\nprint('tried')",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "writing to files of the host",
        "perl",
        "for my $n ('/etc/passwd', '/usr/bin/env', '/usr/bin/perl', '/etc/ld.so.cache', '/etc/hosts', '/bin/sh') { print \"opened $n\\n\" if open my $f, '+<', $n; print \"gone $n\\n\" if unlink $n; print \"linked $n\\n\" if link $n, '/tmp/l' . rand } print \"tried\\n\"",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "settings of the kernel",
        "bash",
        "for f in kernel/core_pattern kernel/modprobe kernel/hostname kernel/domainname vm/overcommit_memory net/ipv4/ip_forward net/ipv4/ping_group_range fs/binfmt_misc/register kernel/randomize_va_space user/max_user_namespaces kernel/ns_last_pid; do (echo x >/proc/sys/$f) 2>/dev/null && echo written $f; done; (echo b >/proc/sysrq-trigger) 2>/dev/null && echo pressed; echo tried",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "settings of the kernel for this process",
        "python",
        "import os\nfor name in ('oom_score_adj', 'oom_adj', 'setgroups', 'uid_map', 'gid_map', 'projid_map', 'loginuid', 'attr/exec', 'timens_offsets', 'autogroup', 'make-it-fail'):\n    try: os.write(os.open('/proc/self/' + name, os.O_WRONLY), b'-1000'); print('wrote', name)\n    except OSError: pass\nprint('tried')",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "being the last to go when memory is short",
        "bash",
        "(echo 0 >/proc/self/oom_score_adj) 2>/dev/null; cat /proc/self/oom_score_adj",
        OK,
        prints="1000\n",
    ),
    Attack(
        "writing over the program that runs it",
        "c",
        '#define _GNU_SOURCE\n#include <fcntl.h>\n#include <stdio.h>\n#include <unistd.h>\nint main() { const char *n[] = { "/proc/1/exe", "/proc/2/exe", "/proc/self/exe", "/usr/bin/env" }; for (int i = 0; i < 4; i++) { int d = open(n[i], O_PATH); char p[64]; sprintf(p, "/proc/self/fd/%d", d); if (open(n[i], O_RDWR) >= 0 || (d >= 0 && open(p, O_RDWR | O_TRUNC) >= 0)) printf("opened %s\\n", n[i]); } puts("tried"); }',
        OK,
        prints=REFUSED,
    ),
    Attack(
        "links at the places of its source",
        "python",
        "import os\nfor target in ('/etc/shadow', '/proc/1/root', '/../../etc/shadow', '/proc/1/fd/0'):\n    os.path.lexists('main.py') and os.unlink('main.py')\n    os.symlink(target, 'main.py')\n    try: print('read', open('main.py').read())\n    except OSError: pass\nprint('tried')",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "its folders put elsewhere",
        "bash",
        "mv /work /tmp/w 2>/dev/null && echo moved; rmdir /dev/shm 2>/dev/null && echo removed; ln -sfn / out; ls out/root 2>/dev/null; chmod 000 /tmp; chmod 000 /work; echo tried",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "a program of memory only",
        "python",
        "import os\nf = os.memfd_create('x')\nos.write(f, open('/usr/bin/id', 'rb').read())\nos.execve(f'/proc/self/fd/{f}', ['id', '-u'], {})",
        OK,
        as_user=one_of("error"),
        prints=None,
        never="^0$",
    ),
    Attack(
        "locks on files that all cells see",
        "python",
        "import fcntl, os\nd = os.open('/usr/bin/env', os.O_RDONLY)\ntry: fcntl.lockf(d, fcntl.LOCK_EX | fcntl.LOCK_NB); print('locked')\nexcept OSError: pass\ntry: fcntl.fcntl(d, 1024, 1); print('leased')\nexcept OSError: pass\nprint('tried')",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "attributes of files of the host",
        "ruby",
        "[['/usr/bin/env', 0777], ['/etc/passwd', 0666]].each { |n, m| begin; File.chmod(m, n); puts \"changed #{n}\"; rescue SystemCallError; end; begin; File.utime(0, 0, n); puts \"touched #{n}\"; rescue SystemCallError; end }; puts 'tried'",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "a shell through another language",
        "lua",
        "os.execute('cat /etc/shadow 2>/dev/null'); for _, m in ipairs({'rw', 'r+'}) do if io.open('/etc/passwd', 'r+') then print('opened') end end print('tried')",
        OK,
        prints=REFUSED,
    ),
)

_SIGNALS = (
    Attack(
        "killing everybody",
        "python",
        "import os, signal\nprint('now', flush=True)\nos.kill(-1, signal.SIGKILL)\nprint('alone')",
        one_of("ok", "error"),
    ),
    Attack(
        "killing process 1",
        "bash",
        "kill -9 1 2>/dev/null; kill -TERM 1 2>/dev/null; kill -STOP 1 2>/dev/null; echo still",
        OK,
        prints="still\n",
    ),
    Attack(
        "every signal to process 1", "perl", 'for my $s (1..64) { kill $s, 1 } print "still\\n"', OK, prints="still\n"
    ),
    Attack(
        "killing by descriptor",
        "perl",
        'my $f = syscall(434, 1, 0); if ($f >= 0) { syscall(424, $f, 9, 0, 0); syscall(424, $f, 19, 0, 0) } print "still\\n"',
        OK,
        prints="still\n",
    ),
    Attack(
        "killing its group and its session",
        "bash",
        "trap '' TERM HUP INT; kill -TERM 0; kill -HUP -- -$$; kill -INT 0; echo still",
        OK,
        prints="still\n",
    ),
    Attack(
        "killing processes of the host by their numbers",
        "ruby",
        "(3..40000).each { |n| next if n == Process.pid; begin; Process.kill(9, n); rescue SystemCallError; end }; puts 'still'",
        OK,
        prints="still\n",
        slow=True,
    ),
    Attack(
        "a signal for when whoever made it ends",
        "c",
        '#include <sys/prctl.h>\n#include <stdio.h>\nint main() { prctl(PR_SET_PDEATHSIG, 9); prctl(PR_SET_CHILD_SUBREAPER, 1); prctl(PR_SET_DUMPABLE, 1); prctl(PR_SET_NAME, "[kthreadd]"); puts(prctl(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0) ? "tried" : "possible"); }',
        OK,
        prints=REFUSED,
    ),
    Attack(
        "another filter in front of ours",
        "c",
        '#include <linux/filter.h>\n#include <linux/seccomp.h>\n#include <sys/prctl.h>\n#include <sched.h>\n#include <stdio.h>\n#include <sys/syscall.h>\n#include <unistd.h>\nint main() { struct sock_filter f[] = { { 6, 0, 0, SECCOMP_RET_ALLOW } }; struct sock_fprog p = { 1, f }; prctl(PR_SET_SECCOMP, 2, &p); syscall(SYS_seccomp, 1, 0, &p); puts(syscall(SYS_unshare, 0x10000000) ? "tried" : "possible"); }',
        OK,
        prints=REFUSED,
    ),
)

_LIBRARIES = (
    Attack(
        "the whole of the C library from Ruby",
        "ruby",
        "require 'fiddle'\nlibc = Fiddle.dlopen(nil)\nf = ->(n, *a) { Fiddle::Function.new(libc[n], a.map { |x| x.is_a?(String) ? Fiddle::TYPE_VOIDP : Fiddle::TYPE_INT }, Fiddle::TYPE_INT).call(*a) }\nputs 'possible' if f.('unshare', 0x10000000) == 0 || f.('chroot', '/tmp') == 0 || f.('setuid', 0) == 0\nputs 'tried'",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "the whole of the C library from Python",
        "python",
        "import ctypes\nlibc = ctypes.CDLL(None)\nfor call in (lambda: libc.unshare(0x10000000), lambda: libc.ptrace(16, 1, 0, 0), lambda: libc.chroot(b'/tmp'), lambda: libc.mount(b'x', b'/tmp', b'tmpfs', 0, None), lambda: libc.setuid(0), lambda: libc.setns(0, 0)):\n    if call() == 0: print('possible')\nprint('tried')",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "processes and files from Java",
        "java",
        'import java.io.*; class Main { public static void main(String[] a) throws Exception { for (String n : new String[] { "/etc/shadow", "/proc/1/environ", "/root/x" }) try (var f = new FileInputStream(n)) { if (f.read() >= 0) System.out.println("read " + n); } catch (IOException e) {} var p = new ProcessBuilder("sh", "-c", "unshare -U true && echo possible").start(); p.waitFor(); System.out.print(new String(p.getInputStream().readAllBytes())); System.out.println("tried"); } }',
        OK,
        prints=REFUSED,
        memory_mib=512,
    ),
    Attack(
        "processes and files from JavaScript",
        "javascript",
        "const { spawnSync } = require('child_process'); for (const [c, ...a] of [['unshare', '-U', 'true'], ['nsenter', '-t', '1', '-a', 'true'], ['mount', '-t', 'tmpfs', 'x', '/tmp'], ['chroot', '/tmp', 'true']]) if (spawnSync(c, a).status === 0) console.log('possible', c); console.log('tried')",
        OK,
        prints=REFUSED,
        memory_mib=512,
    ),
    Attack(
        "tools of the administrator",
        "bash",
        "for c in 'unshare -Ur true' 'unshare -m true' 'nsenter -t 1 -m true' 'mount --bind / /tmp' 'umount /proc' 'losetup -f' 'insmod x' 'sysctl -w kernel.hostname=x' 'hostname x' 'swapoff -a' 'ip link add x type dummy' 'iptables -L' 'chroot /tmp true' 'date -s 2000-01-01' 'renice -n -5 $$' 'setpriv --reuid=0 true'; do timeout 2 $c >/dev/null 2>&1 && echo possible $c; done; echo tried",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "eval of what looks harmless",
        "php",
        "<?php foreach (['/etc/shadow', 'php://fd/3', 'php://fd/4', 'file:///proc/1/environ', 'glob:///root/*'] as $n) { $f = @fopen($n, 'r'); if ($f && strlen((string) @fread($f, 9))) echo \"read $n\\n\"; } echo \"tried\\n\";",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "code out of nothing that compiles nothing",
        "c",
        "int main(void) { ((void (*)(void))0xffffffffff600000)(); return 0; }",
        one_of("signal", "ok"),
    ),
    Attack("a source that is no text", "cpp", "\x00\x01\x02int main() {", COMPILE_ERROR),
)

ATTACKS = (*_SYSTEM_CALLS, *_OTHER_DOORS, *_FILES, *_SIGNALS, *_LIBRARIES)
