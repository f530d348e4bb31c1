"""Programs that call home, or somebody else's home."""

# ruff: noqa: E501 (programs in other languages are as wide as they are)

from .kit import OK, REFUSED, Attack

_CONNECT = """
import socket
def reach(family, address, kind=socket.SOCK_STREAM):
    try: one = socket.socket(family, kind)
    except OSError: return
    one.settimeout(0.3)
    try:
        one.connect(address)
        if kind == socket.SOCK_DGRAM: one.send(b'x'); one.recv(9)
        print('reached', address)
    except OSError: pass
"""

ATTACKS = (
    Attack(
        "the addresses of clouds",
        "python",
        _CONNECT
        + "for a in ('169.254.169.254', '100.100.100.200', '168.63.129.16'): reach(2, (a, 80))\nreach(10, ('fd00:ec2::254', 80))\nprint('tried')",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "the network around",
        "python",
        _CONNECT
        + "for a in ('10.0.0.1', '172.17.0.1', '192.168.0.1', '192.168.1.1'):\n    for p in (22, 53, 80, 2375): reach(2, (a, p))\nprint('tried')",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "names in the world",
        "python",
        _CONNECT
        + "reach(2, ('8.8.8.8', 53)); reach(2, ('1.1.1.1', 53), socket.SOCK_DGRAM)\ntry: print(socket.getaddrinfo('example.org', 80))\nexcept OSError: print('tried')",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "a page of the world from JavaScript",
        "javascript",
        "fetch('http://93.184.216.34/').then(() => console.log('reached'), () => console.log('tried'))",
        OK,
        prints=REFUSED,
        memory_mib=512,
    ),
    Attack(
        "a page of the world from Java",
        "java",
        'class Main { public static void main(String[] a) { try (var s = new java.net.Socket()) { s.connect(new java.net.InetSocketAddress("93.184.216.34", 80), 500); System.out.println("reached"); } catch (java.io.IOException e) { System.out.println("tried"); } } }',
        OK,
        prints=REFUSED,
        memory_mib=512,
        slow=True,
    ),
    Attack(
        "a page of the world from PHP",
        "php",
        '<?php echo @file_get_contents(\'http://93.184.216.34/\') === false ? "tried\\n" : "reached\\n";',
        OK,
        prints=REFUSED,
    ),
    Attack(
        "a server of the host from Ruby",
        "ruby",
        "require 'socket'\n[22, 80, 111, 631, 2375, 3306, 5432, 6379, 8000, 8080].each { |p| begin TCPSocket.new('127.0.0.1', p); puts \"reached #{p}\"; rescue SystemCallError; end }\nputs 'tried'",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "sockets with names in the file system",
        "perl",
        "use Socket; for my $n ('/run/docker.sock', '/var/run/docker.sock', '/run/systemd/private', '/run/dbus/system_bus_socket', '/tmp/.X11-unix/X0', '/run/postgresql/.s.PGSQL.5432', '/run/containerd/containerd.sock') { socket(my $s, AF_UNIX, SOCK_STREAM, 0); print \"reached $n\\n\" if connect($s, sockaddr_un($n)) } print \"tried\\n\"",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "sockets with names of their own",
        "perl",
        'use Socket; for my $n ("\\0/tmp/.X11-unix/X0", "\\0/containerd-shim", "\\0dbus") { socket(my $s, AF_UNIX, SOCK_STREAM, 0); print "reached\\n" if connect($s, pack(\'S a*\', 1, $n)) } open my $f, \'<\', \'/proc/net/unix\'; my @l = <$f>; print \'seen \', scalar @l, "\\n" if @l > 1; print "tried\\n"',
        OK,
        prints=REFUSED,
    ),
    Attack(
        "a ping",
        "python",
        "import socket\nfor family, kind, protocol in ((2, 2, 1), (2, 3, 1), (10, 2, 58), (10, 3, 58), (2, 3, 255)):\n    try: socket.socket(family, kind, protocol); print('made', family, kind, protocol)\n    except OSError: pass\nprint('tried')",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "protocols that load modules into the kernel",
        "perl",
        'use Socket; for my $p (33, 115, 132, 136, 262) { for my $t (1, 2, 5, 6) { print "made $p $t\\n" if socket(my $s, AF_INET, $t, $p) or socket($s, 10, $t, $p) } } print "tried\\n"',
        OK,
        prints=REFUSED,
    ),
    Attack(
        "sockets of odd families",
        "c",
        '#include <sys/socket.h>\n#include <stdio.h>\nint main() { for (int f = 0; f < 64; f++) for (int t = 1; t < 7; t++) if (f != 1 && f != 2 && f != 10 && (socket(f, t, 0) >= 0 || socketpair(f, t, 0, (int[2]){ 0 }) >= 0)) printf("made %d %d\\n", f, t); puts("tried"); }',
        OK,
        prints=REFUSED,
    ),
    Attack(
        "the devices of the network",
        "bash",
        "ls /sys/class/net 2>/dev/null; grep -v -e lo: -e Inter -e face /proc/net/dev; tail -n +2 /proc/net/route; tail -n +2 /proc/net/arp; echo tried",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "a device of the network of its own",
        "python",
        "import fcntl, os, socket, struct\ns = socket.socket(2, 2)\nfor request in (0x8914, 0x8916, 0x891c, 0x8924):\n    try: fcntl.ioctl(s, request, struct.pack('16s24x', b'lo')); print('had', request)\n    except OSError: pass\nprint('tried')",
        OK,
        prints=REFUSED,
    ),
    Attack(
        "a flood over the loop",
        "python",
        "import socket, threading\na = socket.socket(2, 2); a.bind(('127.0.0.1', 0))\nb = socket.socket(2, 2)\nfor _ in range(20000): b.sendto(b'x' * 60000, a.getsockname())\nprint('tried')",
        OK,
        prints=REFUSED,
        memory_mib=256,
    ),
    Attack(
        "connections without end",
        "ruby",
        "require 'socket'\ns = TCPServer.new('127.0.0.1', 0); c = []\nbegin\n  loop { c << TCPSocket.new('127.0.0.1', s.addr[1]); c << s.accept }\nrescue SystemCallError\n  puts 'tried'\nend",
        OK,
        prints=REFUSED,
    ),
)
