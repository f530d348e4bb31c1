"""
A file of arrays, each as it is in memory: a mark, the arrays one behind the other, a table of contents, and a trailer
that says how long the table is and what its checksum is. The table has the checksum of the arrays, so that all of it is
written in one go. Nothing in it can be executed.
"""

import hashlib
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

_MARK = b"OCPINDEX"
_TRAILER = struct.Struct("<Q32s8s")
_BLOCK_BYTES = 4 * 1024 * 1024
_SAFE_EVERY_BYTES = 32 * 1024 * 1024
"""So much is written before it is made safe: whoever commits to the same disk waits for that, and not for all of it."""
_MOST_TABLE_BYTES = 256 * 1024 * 1024
_KINDS = frozenset({"<u1", "<u4", "<u8", "<i8", "<f4", "<f8", "|u1", "|b1", "|S32"})

Array = npt.NDArray[Any]


class Unreadable(Exception):
    """What is wrong with the file, as half a sentence."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One array: its kind as NumPy writes it, and how many it holds."""

    name: str
    kind: str
    count: int


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    about: msgspec.Raw
    arrays: list[Entry]
    sha256: str


def write(file: BinaryIO, about: bytes, arrays: Iterable[tuple[str, Array]]) -> None:
    """
    Args:
        file: open for writing, at its beginning; it is safe on the disk afterwards.
        about: JSON, for whoever reads it to know what it is.
        arrays: of one dimension, written from where they are.
    """
    digest, table, unsafe = hashlib.sha256(), list[Entry](), 0
    file.write(_MARK)
    for name, values in arrays:
        table.append(Entry(name, values.dtype.str, len(values)))
        raw = np.ascontiguousarray(values).view(np.uint8).data
        for start in range(0, len(raw), _BLOCK_BYTES):
            block = raw[start : start + _BLOCK_BYTES]
            # What others change meanwhile must not be read twice, or the checksum is of something else.
            written = bytes(block)
            digest.update(written)
            file.write(written)
            unsafe += len(written)
            if unsafe >= _SAFE_EVERY_BYTES:
                _make_safe(file)
                unsafe = 0
    end = msgspec.json.encode(_Table(msgspec.Raw(about), table, digest.hexdigest()))
    file.write(end)
    file.write(_TRAILER.pack(len(end), hashlib.sha256(end).digest(), _MARK))
    _make_safe(file)


class Reader:
    """
    Reads what `write` wrote.

    Attributes:
        about: as it was given.

    Raises:
        Unreadable: it is no such file, or not a whole one.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._file = file
        size, least = path.stat().st_size, len(_MARK) + _TRAILER.size
        if size < least or file.read(len(_MARK)) != _MARK:
            raise Unreadable("it does not begin as one")
        file.seek(size - _TRAILER.size)
        length, checksum, mark = _TRAILER.unpack(file.read(_TRAILER.size))
        if mark != _MARK or length > min(size - least, _MOST_TABLE_BYTES):
            raise Unreadable("its end is missing")
        file.seek(size - _TRAILER.size - length)
        raw = file.read(length)
        if hashlib.sha256(raw).digest() != checksum:
            raise Unreadable("its table of contents is damaged")
        table = msgspec.json.decode(raw, type=_Table)
        self.about = bytes(table.about)
        self._entries, self._sha256 = table.arrays, table.sha256
        self._bytes = size - least - length

    def arrays(self) -> dict[str, Array]:
        """
        All arrays by name.

        Raises:
            Unreadable: they are damaged.
        """
        if any(entry.kind not in _KINDS or entry.count < 0 for entry in self._entries):
            raise Unreadable("it holds arrays of another kind")
        if sum(np.dtype(entry.kind).itemsize * entry.count for entry in self._entries) != self._bytes:
            raise Unreadable("it is longer or shorter than it says")
        digest, found = hashlib.sha256(), dict[str, Array]()
        self._file.seek(len(_MARK))
        for entry in self._entries:
            values = np.empty(entry.count, dtype=entry.kind)
            raw = values.view(np.uint8).data
            for start in range(0, len(raw), _BLOCK_BYTES):
                block = raw[start : start + _BLOCK_BYTES]
                if self._file.readinto(block) != len(block):  # type: ignore[attr-defined]
                    raise Unreadable("it ends too early")
                digest.update(block)
            found[entry.name] = values
        if digest.hexdigest() != self._sha256:
            raise Unreadable("its checksum is wrong")
        return found


def _make_safe(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
