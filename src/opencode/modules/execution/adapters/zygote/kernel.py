"""What Linux offers and Python does not: namespaces, mounts, capabilities, filters. Every call raises OSError."""

import _socket
import ctypes
import mmap
import os
import signal
import struct

# include/uapi/linux/sched.h
_CLONE_VM = 0x00000100
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

# include/uapi/linux/mount.h
MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
_MNT_DETACH = 0x2
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000

# include/uapi/linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SECCOMP_MODE_FILTER = 2

_CAPABILITY_VERSION_3 = 0x20080522  # include/uapi/linux/capability.h
_LAST_CAPABILITY = 63  # room for those to come; dropping one that does not exist fails, which is fine

_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "loongarch64": 41}
_SYS_MOUNT_SETATTR = 442  # the same number everywhere, as all calls since Linux 5.1
_SYS_OPENAT2 = 437
_SYS_LANDLOCK_CREATE_RULESET = 444
_SYS_LANDLOCK_ADD_RULE = 445
_SYS_LANDLOCK_RESTRICT_SELF = 446
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08

# include/uapi/linux/sockios.h and if.h
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1

_MSG_CMSG_CLOEXEC = 0x40000000  # include/linux/socket.h

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _syscall(number: int, *arguments: "int | bytes | ctypes.Array[ctypes.c_char]") -> int:
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    return _check(_libc.syscall(ctypes.c_long(number), *words))


def receive(connection: _socket.socket, most_bytes: int, most_descriptors: int) -> "tuple[bytes, list[int]]":
    """A message and the descriptors that came with it, which no program shall inherit."""
    room = _socket.CMSG_SPACE(most_descriptors * 4)
    words, ancillary, _, _ = connection.recvmsg(most_bytes, room, _MSG_CMSG_CLOEXEC)
    descriptors: list[int] = []
    for _, _, data in ancillary:
        descriptors += struct.unpack(f"{len(data) // 4}i", data)
    return words, descriptors


def send(connection: _socket.socket, words: bytes, descriptors: "list[int]") -> None:
    """A message with descriptors; ours stay open."""
    rights = struct.pack(f"{len(descriptors)}i", *descriptors)
    connection.sendmsg([words], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags))


def setns(descriptor: int, flags: int) -> None:
    _check(_libc.setns(descriptor, flags))


def clone_sleeper(stack: mmap.mmap) -> int:
    """
    A process that shares our memory and sleeps until it is ended.

    Args:
        stack: where it may put what it has to.

    Returns:
        Its process id.
    """
    bottom = ctypes.addressof(ctypes.c_char.from_buffer(stack))
    top = ctypes.c_void_p(bottom + len(stack))
    return _check(_libc.clone(_libc.pause, top, _CLONE_VM | signal.SIGCHLD, None))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """mount(2). Empty strings stand for none."""
    _check(
        _libc.mount(
            os.fsencode(source) or None,
            os.fsencode(target),
            kind.encode() or None,
            ctypes.c_ulong(flags),
            options.encode() or None,
        )
    )


def set_mount_attributes(target: str, attributes: int) -> None:
    """Add attributes to a mount and all below it, and keep those that are there. Linux 5.12."""
    # struct mount_attr: attr_set, attr_clr, propagation, userns_fd
    wanted = struct.pack("=QQQQ", attributes, 0, 0, 0)
    _syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(target), _AT_RECURSIVE, wanted, len(wanted))


def change_root(new: str, old: str) -> None:
    """Make `new` the root; what was the root comes to stand at `old`, a folder below `new`."""
    _syscall(_SYS_PIVOT_ROOT[os.uname().machine], os.fsencode(new), os.fsencode(old))


def detach(target: str) -> None:
    _check(_libc.umount2(os.fsencode(target), _MNT_DETACH))


def open_beneath(folder: int, path: str, flags: int) -> int:
    """Open a file in a folder; no part of the path may be a link or lead out. Linux 5.6."""
    how = struct.pack("=QQQ", flags | os.O_CLOEXEC, 0, _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS)
    return _syscall(_SYS_OPENAT2, folder, os.fsencode(path), how, len(how))


def set_dumpable(wanted: bool) -> None:
    """Whether processes of the same user may look into this one, and its files in /proc belong to that user."""
    _check(_libc.prctl(_PR_SET_DUMPABLE, int(wanted), 0, 0, 0))


def die_with_parent(number: int) -> None:
    _check(_libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0))


def set_name(name: str) -> None:
    """What `ps` calls this process: 15 bytes."""
    _check(_libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0))


def drop_capabilities() -> None:
    """Give up every privilege for good, of this process and of all that it starts."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    for capability in range(_LAST_CAPABILITY + 1):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break  # past the last that this kernel has
    _check(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, bytes(24)))


def load_filter(program: bytes) -> None:
    """Put a filter on all system calls from here on. `program`: instructions of classic BPF, 8 bytes each."""
    instructions = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: unsigned short len, then a pointer at its natural place
    description = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    _check(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(description), 0, 0))


def landlock_create_ruleset(attributes: bytes, flags: int) -> int:
    return _syscall(_SYS_LANDLOCK_CREATE_RULESET, attributes or 0, len(attributes), flags)


def landlock_add_rule(rules: int, kind: int, attributes: bytes) -> None:
    _syscall(_SYS_LANDLOCK_ADD_RULE, rules, kind, attributes, 0)


def landlock_restrict_self(rules: int, flags: int) -> None:
    """Needs `no_new_privs`, or a privilege."""
    _syscall(_SYS_LANDLOCK_RESTRICT_SELF, rules, flags)


def write_over_arguments(words: "list[str]") -> None:
    """
    Change what /proc/PID/cmdline says of this process. It is readable by everybody in a cell, and says where the server
    keeps its files. What does not fit is cut off.
    """
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    begin, end = int(fields[45]), int(fields[46])  # proc(5): arg_start and arg_end
    text = b"".join(os.fsencode(word) + b"\0" for word in words)
    ctypes.memmove(begin, text[: end - begin - 1].ljust(end - begin, b"\0"), end - begin)


def set_host_name(name: str) -> None:
    _check(_libc.sethostname(name.encode(), len(name)))


def start_loopback() -> None:
    """Let programs of a cell talk to each other over 127.0.0.1."""
    import fcntl

    helper = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        request = struct.pack("16sH22x", b"lo", 0)  # struct ifreq: name, flags
        flags = struct.unpack_from("H", fcntl.ioctl(helper.fileno(), _SIOCGIFFLAGS, request), 16)[0]
        fcntl.ioctl(helper.fileno(), _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))
    finally:
        helper.close()
