"""Files in a cell: put there before a program runs, and collected after a compiler ran."""

import os
import stat
import struct

from opencode.modules.execution.adapters.zygote import kernel

TYPE_CHECKING = False  # the module of that name costs more than all else here
if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 20
MOST_COLLECTED = 64 << 20  # bytes
_DEEPEST = 64  # folders in each other; no compiler needs as many, and makedirs calls itself for each
_HEADER = struct.Struct("=HHI")  # length of the path, mode, length of the content


def write(content: bytes, files: "list[tuple[str, int]]") -> None:
    """
    Write files below the working folder. Nobody else has been here yet, so no name can be a trap.

    Args:
        content: of all files, one after the other.
        files: names below the folder, and how many bytes each has.
    """
    start = 0
    for name, size in files:
        _make_parents(name)
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            _write_all(descriptor, content[start : start + size])
        finally:
            os.close(descriptor)
        start += size


def write_from(source: int, files: "list[tuple[str, int]]") -> None:
    """As `write`, from a file without a name."""
    size = os.fstat(source).st_size
    content = b""
    while len(content) < size:
        content += os.pread(source, size - len(content), len(content))
    os.close(source)
    write(content, files)


def collect(paths: "list[str]", target: int) -> None:
    """
    Copy files, and folders with all in them, into a file that `unpack` understands. Nothing when that is too much.

    Only regular files are taken, each opened so that no link can lead elsewhere: what a compiler left may be a trap.
    What cannot be opened is not there: the compiler shut it, or took from us what opening needs.

    Args:
        paths: full paths; the folder above each must be one that the cell began with.
    """
    total = 0
    for path in paths:
        folder, name = os.path.split(path)
        try:
            above = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            for found in _below(above, name):
                total += _copy(above, found, f"{folder}/{found}", target)
                if total > MOST_COLLECTED:
                    os.ftruncate(target, 0)
                    return
        finally:
            os.close(above)


def unpack(collected: int) -> None:
    """Put back what `collect` took, where nothing stands yet."""
    size = os.fstat(collected).st_size
    place = 0
    while place < size:
        length, mode, content_length = _HEADER.unpack(os.pread(collected, _HEADER.size, place))
        place += _HEADER.size
        path = os.fsdecode(os.pread(collected, length, place))
        place += length
        end = place + content_length
        if os.path.lexists(path):
            place = end
            continue
        _make_parents(path)
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode & 0o777)
        try:
            while place < end:
                place += os.sendfile(target, collected, place, end - place)
        finally:
            os.close(target)
    os.close(collected)


def _below(folder: int, name: str) -> "Iterator[str]":
    """Paths of all regular files at or below a name, in the order of their names."""
    waiting = [name]
    while waiting:
        name = waiting.pop()
        try:
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISREG(mode):
                yield name
            elif stat.S_ISDIR(mode) and name.count("/") < _DEEPEST:
                waiting += sorted((f"{name}/{child}" for child in _names_in(folder, name)), reverse=True)
        except OSError:
            continue


def _names_in(folder: int, name: str) -> "list[str]":
    here = kernel.open_beneath(folder, name, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return os.listdir(here)
    finally:
        os.close(here)


def _copy(folder: int, name: str, path: str, target: int) -> int:
    try:
        source = kernel.open_beneath(folder, name, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return 0
    try:
        status = os.fstat(source)
        if not stat.S_ISREG(status.st_mode):
            return 0
        encoded = os.fsencode(path)
        os.write(target, _HEADER.pack(len(encoded), status.st_mode & 0o777, status.st_size) + encoded)
        left = status.st_size
        while left and (sent := os.sendfile(target, source, status.st_size - left, left)):
            left -= sent
        return status.st_size
    finally:
        os.close(source)


def _make_parents(name: str) -> None:
    folder = os.path.dirname(name)
    if folder:
        os.makedirs(folder, 0o755, exist_ok=True)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view[:_CHUNK]) :]
