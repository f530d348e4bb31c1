"""
Landlock: what files a cell may touch, said once more, and to the kernel rather than to the mounts.

The mounts show a cell nothing that it must not have. Should a hole in them show more, this still stands: only what
is named here can be opened, no device can be made, and no process outside the cell gets a signal from inside.
"""

import os
import struct

from opencode.modules.execution.adapters.zygote import kernel

# Before, no program could move a file from one folder to another.
_OLDEST_VERSION = 2

# include/uapi/linux/landlock.h
_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_MAKE_CHAR = 1 << 6
_MAKE_BLOCK = 1 << 11
_TRUNCATE = 1 << 14
_IOCTL_DEV = 1 << 15
_SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0
_SCOPE_SIGNAL = 1 << 1
_RULE_PATH_BENEATH = 1
_LOG_SAME_EXEC_OFF = 1 << 0
_CREATE_RULESET_VERSION = 1 << 0

_ATTRIBUTES = struct.Struct("=QQQ")  # struct landlock_ruleset_attr: handled_access_fs, handled_access_net, scoped
_BENEATH = struct.Struct("=Qi")  # struct landlock_path_beneath_attr, packed: allowed_access, parent_fd
_BEFORE_SCOPES = 16  # bytes of it that older kernels know

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_DEVICES = _READ_FILE | _READ_DIR | _WRITE_FILE | _TRUNCATE | _IOCTL_DEV
# A kernel refuses to hear of what it does not know: the first version that knows more, and how many bits it has.
_RIGHTS = ((5, 16), (3, 15), (_OLDEST_VERSION, 14))


def version() -> int:
    """Which version of Landlock this kernel has; 0 for none."""
    try:
        return kernel.landlock_create_ruleset(b"", _CREATE_RULESET_VERSION)
    except OSError:
        return 0  # built without it, or switched off


def restrict(readable: "tuple[str, ...]", writable: "tuple[str, ...]") -> None:
    """
    Hold this process and all that it starts to these places from here on. Where the kernel cannot, nothing is done.

    Args:
        readable: folders whose files may be read and executed.
        writable: folders where everything is allowed, but making devices.
    """
    found = version()
    if found < _OLDEST_VERSION:
        return
    handled = next((1 << bits) - 1 for since, bits in _RIGHTS if found >= since)
    scopes = _SCOPE_ABSTRACT_UNIX_SOCKET | _SCOPE_SIGNAL if found >= 6 else 0
    attributes = _ATTRIBUTES.pack(handled, 0, scopes)
    rules = kernel.landlock_create_ruleset(attributes if scopes else attributes[:_BEFORE_SCOPES], 0)
    # Names may be read everywhere, so that `ls /` works. Nothing but devices is in /dev, and none can be made.
    _allow(rules, "/", _READ_DIR)
    _allow(rules, "/dev", _OF_DEVICES & handled)
    for place in readable:
        _allow(rules, place, _READ)
    for place in writable:
        _allow(rules, place, handled & ~(_MAKE_CHAR | _MAKE_BLOCK | _IOCTL_DEV))
    # Strangers are not to fill the machine's audit log with what they are refused.
    kernel.landlock_restrict_self(rules, _LOG_SAME_EXEC_OFF if found >= 7 else 0)
    os.close(rules)


def _allow(rules: int, place: str, rights: int) -> None:
    folder = os.open(place, os.O_PATH | os.O_CLOEXEC)
    kernel.landlock_add_rule(rules, _RULE_PATH_BENEATH, _BENEATH.pack(rights, folder))
    os.close(folder)
