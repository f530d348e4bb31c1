"""
The journal of calls under way: a file in memory that outlives its process. A call is in it before its provider is
asked, and until its line is in the ledger; writing is a copy of some hundred bytes. Whatever kills the process, the
kernel still has the file, and whoever looks next finds what was under way. (A loss of power may take the last seconds,
as it takes those of the database: docs/adr/0008-durability.md.)
"""

import fcntl
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

from opencode.modules.ai.domain.ledger import MOST_BYTES

SLOT_BYTES = 256
SLOTS = 32_768
"""Calls that may be under way or unwritten at once, 8 MB of address space; pages that are never used take none."""

_LENGTH_BYTES = 2
_SUFFIX = ".calls"

assert MOST_BYTES + _LENGTH_BYTES <= SLOT_BYTES


class JournalFull(Exception):
    """No slot is free."""


class Journal:
    """
    The journal of one process. It is locked for as long as the process lives, which tells others that it does.

    A slot is a length of two bytes, 0 for a free one, and a call. The length is written last, and cleared before
    anything else is: whoever is killed in between leaves a slot that is free or whole.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        # It gets its name once it is locked: whoever looks for journals of the dead must not find this one.
        unnamed = path.with_suffix(".new")
        self._file = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(self._file, SLOT_BYTES * SLOTS)
        unnamed.rename(path)
        self._memory = mmap.mmap(self._file, SLOT_BYTES * SLOTS)
        # The lowest are taken first, so that a quiet server touches few pages.
        self._free = list(range(SLOTS - 1, -1, -1))

    def open(self, call: bytes) -> int:
        """
        Write a call down. Returns its slot.

        Raises:
            JournalFull
        """
        if not self._free:
            raise JournalFull
        slot = self._free.pop()
        self._write(slot, call)
        return slot

    def change(self, slot: int, call: bytes) -> None:
        """Write what became of a call; it has as many bytes as before, so that no moment is without it."""
        start = slot * SLOT_BYTES + _LENGTH_BYTES
        self._memory[start : start + len(call)] = call

    def close(self, slot: int) -> None:
        """Forget a call."""
        start = slot * SLOT_BYTES
        self._memory[start : start + _LENGTH_BYTES] = b"\0\0"
        self._free.append(slot)

    def let_go(self) -> None:
        """This process is done with it. Whatever is still in it is found in `left_in`, like that of a killed one."""
        self._memory.close()
        os.close(self._file)

    def _write(self, slot: int, call: bytes) -> None:
        start = slot * SLOT_BYTES
        self._memory[start + _LENGTH_BYTES : start + _LENGTH_BYTES + len(call)] = call
        self._memory[start : start + _LENGTH_BYTES] = len(call).to_bytes(_LENGTH_BYTES, "little")


class Left:
    """The journal of a process that has ended, locked by whoever reads it."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self.process = int(path.stem)
        self._file = file

    def calls(self) -> list[bytes]:
        """What was under way, or unwritten."""
        os.lseek(self._file, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self._file), "rb") as file:
            raw = file.read()
        found: list[bytes] = []
        for start in range(0, len(raw) - SLOT_BYTES + 1, SLOT_BYTES):
            length = int.from_bytes(raw[start : start + _LENGTH_BYTES], "little")
            if 0 < length <= SLOT_BYTES - _LENGTH_BYTES:
                found.append(raw[start + _LENGTH_BYTES : start + _LENGTH_BYTES + length])
        return found

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self._file)


def journal_of(folder: Path, process: int) -> Journal:
    """A new journal for a process, in a folder for all of them."""
    return Journal(folder / f"{process}{_SUFFIX}")


def left_in(folder: Path) -> Iterator[Left]:
    """The journals of processes that have ended, one at a time; each is let go of before the next."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if not path.stem.isdecimal():
            continue
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)  # its process lives
            continue
        left = Left(path, file)
        try:
            yield left
        finally:
            left.close()
