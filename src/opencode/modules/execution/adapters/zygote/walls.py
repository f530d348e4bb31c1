"""The walls of a cell: what its process gives up before a program comes near it."""

import os

from opencode.modules.execution.adapters.zygote import kernel, landlock, root, words

CELL_ID = 1000  # who a program is inside, whatever it is outside
# The pid namespace is there already: a process cannot enter one by itself, its children can.
_ALL_BUT_PID = (
    kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP
)
# What of /proc tells of the machine or changes it. Most is shut to us anyway; a wall more costs next to nothing.
_SHUT_FILES = (
    *("kcore", "keys", "key-users", "sysrq-trigger", "timer_list", "kallsyms", "kmsg", "sched_debug"),
    *("cmdline", "config.gz", "modules"),  # how this kernel was started, which may hold secrets, and what it is made of
)
_SHUT_FOLDERS = ("acpi", "asound", "fs", "irq", "scsi")
_NOTHING = "/dev/null"
_FIRST_TO_GO = b"1000"  # proc(5), oom_score_adj: should the machine run out of memory, better a program than the server
EMPTY = "/.empty"
WRITABLE = ("/work", "/tmp", "/dev/shm")
_READABLE = ("/usr", "/etc", "/opt", "/proc", root.SCRIPTS, *root.folders_like_host())


def raise_walls(plan: words.Plan, user: int) -> None:
    """
    From here on this process and its children are alone: own mounts, network, names and users, and no privileges.

    Args:
        plan: `disk_bytes` and `inodes` of each writable folder, `filter` for system calls, `hostname`.
        user: the id that the cell gets from those of the zygote's namespace.
    """
    kernel.unshare(_ALL_BUT_PID)
    kernel.start_loopback()
    kernel.set_host_name(plan["hostname"])
    _mount_own(f"size={plan['disk_bytes']},nr_inodes={plan['inodes']},mode=700,uid={user},gid={user}")
    _shut_proc()
    root.write("/proc/self/oom_score_adj", _FIRST_TO_GO)
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    kernel.set_dumpable(True)
    # The last namespace owns none of the others: whoever got all its privileges back could still not touch a mount.
    kernel.unshare(kernel.CLONE_NEWUSER)
    root.map_ids("self", CELL_ID, user, user)
    os.chdir("/work")
    kernel.drop_capabilities()
    # Some toolchains keep a part of themselves below /var/lib.
    elsewhere = [place for _, place in plan["binds"] if not place.startswith(_READABLE)]
    landlock.restrict((*_READABLE, *elsewhere), WRITABLE)
    kernel.load_filter(plan["filter"])


def _mount_own(options: str) -> None:
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    for place in WRITABLE:
        kernel.mount("tmpfs", place, "tmpfs", flags, options)
    # Process 1, and the one that waits for a compiler, are ours: who may not look into a process does not see it.
    kernel.mount("proc", "/proc", "proc", flags | kernel.MS_NOEXEC, "hidepid=2")


def _shut_proc() -> None:
    for name in _SHUT_FILES:
        if os.path.exists(f"/proc/{name}"):
            kernel.mount(_NOTHING, f"/proc/{name}", "", kernel.MS_BIND)
    for name in _SHUT_FOLDERS:
        if os.path.isdir(f"/proc/{name}"):
            kernel.mount(EMPTY, f"/proc/{name}", "", kernel.MS_BIND)
    kernel.mount("/proc/sys", "/proc/sys", "", kernel.MS_BIND)
    kernel.set_mount_attributes("/proc/sys", kernel.MOUNT_ATTR_RDONLY)
