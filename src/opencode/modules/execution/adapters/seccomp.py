"""
The system calls that a cell may not make, as a program of classic BPF.

A deny list, since languages differ too much for an allow list. It closes what has led out of sandboxes before and what
an interview program has no use for. The namespaces hold without it; it is the second wall.
"""

import errno
import functools
import os

import pyseccomp

# Everything that makes, joins or rearranges namespaces and mounts.
_NAMESPACES = (
    "unshare setns mount umount umount2 pivot_root chroot open_tree open_tree_attr move_mount fsopen fsconfig fsmount "
    "fspick mount_setattr listmount statmount"
)
# Looking into other processes. Yama is absent on many machines, so ptrace must be refused here.
_OTHER_PROCESSES = "ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd process_mrelease"
# Kernel doors with a long record of privilege escalations, or that outlive the cell (keyrings).
_KERNEL = (
    "keyctl add_key request_key bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register "
    "kexec_load kexec_file_load init_module finit_module delete_module create_module query_module get_kernel_syms "
    "name_to_handle_at open_by_handle_at fanotify_init fanotify_mark lookup_dcookie memfd_secret vhangup "
    "quotactl quotactl_fd acct swapon swapoff reboot syslog _sysctl sysfs uselib ustat nfsservctl "
    "iopl ioperm modify_ldt vm86 vm86old"
)
# The machine's clock and names, and where memory lives.
_MACHINE = (
    "settimeofday clock_settime clock_settime64 adjtimex clock_adjtime clock_adjtime64 stime sethostname setdomainname "
    "mbind set_mempolicy set_mempolicy_home_node migrate_pages move_pages"
)
_SETS_A_QUEUE = "mq_open mq_unlink"  # nobody needs POSIX queues here
# /usr is the host's: who watches it, or asks what of it is in memory, learns what others run.
_WATCHES_OTHERS = "inotify_init inotify_init1 cachestat"
_F_NOTIFY = 1026  # include/uapi/linux/fcntl.h; the elder of inotify

# Newer than many a libseccomp. Since Linux 5.1 a call has the same number on every processor.
_NUMBERS = {"cachestat": 451, "statmount": 457, "listmount": 458, "open_tree_attr": 467}
# Calls that came after this list was written, or will: nobody has looked at what they can do.
_NOT_LOOKED_AT = range(468, 512)

# include/uapi/linux/sched.h: NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
_NEW_NAMESPACE_FLAGS = (0x80, 0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
# asm-generic/ioctls.h: TIOCSTI and TIOCLINUX put words into a terminal (CVE-2017-5226), TIOCSETD gives it another
# driver of the kernel (CVE-2023-6546).
_TERMINAL_TRICKS = (0x5412, 0x541C, 0x5423)
_LOW_HALF = 0xFFFFFFFF  # the kernel ignores the upper half of these arguments, so the filter must, too
_ADDRESS_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6; the network namespace is empty all the same
_LAST_USUAL_PROTOCOL = 17  # IPPROTO_UDP; asking for SCTP, DCCP and the like loads a module into the kernel
_TOP_BIT = 31


# Memory that belongs to no process's own pages. Control groups count it, a look at the processes does not.
_HIDDEN_MEMORY = "memfd_create shmget"


@functools.cache
def filter_program(*, hidden_memory: bool) -> bytes:
    """
    Compile the list. Refused calls fail with EPERM, or as if the kernel did not know them; calls by another ABI
    (32-bit, x32) end the process.

    Args:
        hidden_memory: memory may be had that only a control group can count.

    Raises:
        OSError: libseccomp is missing or too old.
    """
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refuse = pyseccomp.ERRNO(errno.EPERM)
    forbidden = f"{_NAMESPACES} {_OTHER_PROCESSES} {_KERNEL} {_MACHINE} {_SETS_A_QUEUE} {_WATCHES_OTHERS}"
    for name in (forbidden if hidden_memory else f"{forbidden} {_HIDDEN_MEMORY}").split():
        _add(rules, refuse, name)
    for number in _NOT_LOOKED_AT:
        rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), number)
    for flag in _NEW_NAMESPACE_FLAGS:
        _add(rules, refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # The flags of clone3 are behind a pointer, where no filter can look. Without it the C library falls back to clone.
    _add(rules, pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for request in _TERMINAL_TRICKS:
        _add(rules, refuse, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, _LOW_HALF, request))
    for call in ("fcntl", "fcntl64"):
        _add(rules, refuse, call, pyseccomp.Arg(1, pyseccomp.MASKED_EQ, _LOW_HALF, _F_NOTIFY))
    _refuse_other_families(rules)
    too_high = pyseccomp.Arg(2, pyseccomp.GT, _LAST_USUAL_PROTOCOL)
    _add(rules, pyseccomp.ERRNO(errno.EPROTONOSUPPORT), "socket", too_high)
    _refuse_odd_personalities(rules)
    with os.fdopen(os.memfd_create("seccomp"), "w+b") as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _add(rules: pyseccomp.SyscallFilter, action: int, name: str, *conditions: pyseccomp.Arg) -> None:
    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    # A call that this processor does not know needs no rule.
    if number >= 0 or (number := _NUMBERS.get(name, -1)) >= 0:
        rules.add_rule(action, number, *conditions)


def _refuse_other_families(rules: pyseccomp.SyscallFilter) -> None:
    # Rules cannot say "none of these", so the few below the highest are named. Comparing the whole register also
    # refuses values with a set upper half, which the kernel would have cut off.
    highest = max(_ADDRESS_FAMILIES)
    for call in ("socket", "socketpair"):
        for family in set(range(highest)) - set(_ADDRESS_FAMILIES):
            _add(rules, pyseccomp.ERRNO(errno.EAFNOSUPPORT), call, pyseccomp.Arg(0, pyseccomp.EQ, family))
        _add(rules, pyseccomp.ERRNO(errno.EAFNOSUPPORT), call, pyseccomp.Arg(0, pyseccomp.GT, highest))


def _refuse_odd_personalities(rules: pyseccomp.SyscallFilter) -> None:
    # Only 0 (Linux) and 0xFFFFFFFF ("which is mine?") pass: no bit without the top bit, nor the top bit without all
    # others.
    top = 1 << _TOP_BIT
    for bit in (1 << place for place in range(_TOP_BIT)):
        for value in (bit, top):
            condition = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, top | bit, value)
            _add(rules, pyseccomp.ERRNO(errno.EPERM), "personality", condition)
