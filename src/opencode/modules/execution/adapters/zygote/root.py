"""The read-only root that all cells of a zygote share: what of the machine a program may see."""

import os

from opencode.modules.execution.adapters.zygote import kernel

ROOT_ID = 0
_BASE = "/tmp"
_OLD = "/old"
_LOOKS_LIKE_HOST = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_LINKS = (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"))
SCRIPTS = "/.warm"
"""Where programs that wait for their work find what tells them how."""
_OWN_FOLDERS = ("work", "tmp", "proc", "dev", "dev/shm", "etc", "opt", ".empty", ".warm", "old")
_READ_ONLY = kernel.MOUNT_ATTR_RDONLY | kernel.MOUNT_ATTR_NOSUID | kernel.MOUNT_ATTR_NODEV
_SMALL = "size=1m,nr_inodes=256,mode=755"


def become_nobody(users: "tuple[int, int] | None") -> None:
    """
    Enter a user namespace where we may do everything, and which is worth nothing outside.

    Args:
        users: the first user id outside, and how many follow; they become 0, 1, … inside. None for an ordinary user,
            who has only the own id to give.
    """
    if users is None:
        user, group = os.geteuid(), os.getegid()
        kernel.unshare(kernel.CLONE_NEWUSER)
        map_ids("self", 0, user, group)
        return
    os.setgroups([])
    helper, ready = _map_from_outside(*users)
    kernel.unshare(kernel.CLONE_NEWUSER)
    os.write(ready, b"!")
    os.close(ready)
    if os.waitpid(helper, 0)[1]:
        raise OSError(1, "this machine does not let root give user ids to a namespace")
    # Until here we were root in both worlds.
    os.setresgid(ROOT_ID, ROOT_ID, ROOT_ID)
    os.setresuid(ROOT_ID, ROOT_ID, ROOT_ID)
    # A change of ids shuts /proc/self, where cells write their maps.
    kernel.set_dumpable(True)


def map_ids(process: str, inside: int, user: int, group: int) -> None:
    """Give one user id and one group id of the namespace outside another number inside."""
    write(f"/proc/{process}/setgroups", b"deny")
    write(f"/proc/{process}/uid_map", b"%d %d 1" % (inside, user))
    write(f"/proc/{process}/gid_map", b"%d %d 1" % (inside, group))


def _map_from_outside(first: int, count: int) -> "tuple[int, int]":
    """A child that writes the maps once we are in the new namespace: only from outside may a range be given."""
    waiting, ready = os.pipe()
    parent = os.getpid()
    helper = os.fork()
    if helper:
        os.close(waiting)
        return helper, ready
    status = 1
    try:
        os.close(ready)
        os.read(waiting, 1)
        for name in ("uid_map", "gid_map"):
            write(f"/proc/{parent}/{name}", b"%d %d %d" % (ROOT_ID, first, count))
        status = 0
    finally:
        os._exit(status)


def folders_like_host() -> "tuple[str, ...]":
    """Those beside `/usr`, on the host and inside alike. Most machines have links in their place, and none of these."""
    places = [f"/{name}" for name in _LOOKS_LIKE_HOST]
    return tuple(place for place in places if os.path.isdir(place) and not os.path.islink(place))


def build(binds: "list[tuple[str, str]]", files: "dict[str, bytes]") -> None:
    """
    Make the root and move into it. Needs a mount namespace of its own, and to be inside the pid namespace whose
    processes /proc shall show.

    Args:
        binds: places of the host and where they appear, read-only.
        files: more files by their full path, world-readable.
    """
    kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", _BASE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=4m,nr_inodes=2048,mode=755")
    for folder in _OWN_FOLDERS:
        os.makedirs(f"{_BASE}/{folder}", 0o755, exist_ok=True)
    kernel.mount("proc", f"{_BASE}/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    _bind("/usr", f"{_BASE}/usr")
    # What an administrator put there is nobody's business, and may be anything.
    if os.path.isdir(f"{_BASE}/usr/local"):
        kernel.mount("tmpfs", f"{_BASE}/usr/local", "tmpfs", kernel.MS_RDONLY, _SMALL)
    for name in _LOOKS_LIKE_HOST:
        if os.path.islink(f"/{name}"):
            os.symlink(os.readlink(f"/{name}"), f"{_BASE}/{name}")
        elif os.path.isdir(f"/{name}"):
            _bind(f"/{name}", f"{_BASE}/{name}")
    for outside, inside in binds:
        _bind(outside, _BASE + inside)
    for path, content in files.items():
        os.makedirs(os.path.dirname(_BASE + path), 0o755, exist_ok=True)
        with open(_BASE + path, "xb") as file:
            file.write(content)
    _make_devices()
    kernel.change_root(_BASE, _BASE + _OLD)
    os.chdir("/")
    kernel.detach(_OLD)
    os.rmdir(_OLD)


def forget(folder: str) -> None:
    """Take our own files out of the root, once they are loaded, and shut it."""
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            os.unlink(f"{place}/{name}")
        os.rmdir(place)
    kernel.mount(
        "", "/", "", kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV
    )


def _make_devices() -> None:
    # Five devices, and no terminals: no program here needs one that it was not given.
    for name in _DEVICES:
        place = f"{_BASE}/dev/{name}"
        _touch(place)
        kernel.mount(f"/dev/{name}", place, "", kernel.MS_BIND)
    for name, target in _LINKS:
        os.symlink(f"/proc/self/{target}", f"{_BASE}/dev/{name}")


def _bind(outside: str, place: str) -> None:
    if os.path.isdir(outside):
        os.makedirs(place, 0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(place), 0o755, exist_ok=True)
        _touch(place)
    kernel.mount(outside, place, "", kernel.MS_BIND | kernel.MS_REC)
    kernel.set_mount_attributes(place, _READ_ONLY)


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))


def write(path: str, content: bytes) -> None:
    """What the kernel takes in one piece."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)
