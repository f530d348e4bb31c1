"""
The shelf: toolchains from outside `/usr` under a neutral name, as hard links or copies.

A bind mount tells its source in /proc/self/mountinfo, and a folder such as /root cannot even be entered by the user
that a cell runs as. What `ocp runtimes install` takes from PyPI and npm lives on the shelf from the start.
"""

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

_LARGEST_COPY_BYTES = 2 << 30
PYPI, NPM = "pypi", "npm"


def put(name: str, prefix: Path, wanted: Iterable[Path], shelves: tuple[str, ...]) -> Path:
    """
    Put files of a toolchain under a neutral name, once for every state of them.

    Args:
        prefix: the folder which holds them; they keep their places in it.
        shelves: folders to take, the first that can be made; `{uid}` stands for the server's user.

    Raises:
        OSError: no shelf can be made, or the toolchain does not fit.
    """
    files = list(wanted)
    state = hashlib.sha256()
    for path in files:
        status = path.stat()
        state.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    shelf = first_usable(shelves)
    target = shelf / f"{name}-{state.hexdigest()[:16]}"
    if not target.is_dir():
        with unfinished(target) as folder:
            _copy_all(files, prefix, folder)
    return target


@contextlib.contextmanager
def unfinished(target: Path) -> Generator[Path]:
    """
    A folder to be filled, which comes to stand at `target` in one step when all went well.

    Raises:
        OSError: of the file system.
    """
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unfinished-"))
    try:
        yield folder
        folder.chmod(0o755)
        # Two servers may do this at once; whoever is second finds the folder there, and it is just as good.
        with contextlib.suppress(OSError):
            folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def show(folder: Path) -> None:
    """Let cells read all that is in a folder, whatever the server's umask is."""
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def installed(kind: str, inside: str, shelves: tuple[str, ...]) -> Iterator[Path]:
    """Every place of a file in the packages that were installed, each of them a folder below `kind`."""
    for folder in _trusted(shelves):
        yield from sorted((folder / kind).glob(f"*/{inside}"))


def home_of(place: Path, shelves: tuple[str, ...]) -> Path | None:
    """The folder of the installed package that a file belongs to, or None when it belongs to none."""
    for folder in _trusted(shelves):
        for kind in (PYPI, NPM):
            if place.is_relative_to(folder / kind):
                return folder / kind / place.relative_to(folder / kind).parts[0]
    return None


def _trusted(shelves: tuple[str, ...]) -> Iterator[Path]:
    """Shelves that only root or we can have filled: what lies there is asked for its version outside any cell."""
    for name in shelves:
        folder = Path(name.format(uid=os.geteuid()))
        with contextlib.suppress(OSError):
            if _only_written_by({0, os.geteuid()}, folder) and _nobody_swaps_in(folder.parent):
                yield folder


def _copy_all(paths: list[Path], prefix: Path, target: Path) -> None:
    copied = 0
    for path in paths:
        place = target / path.relative_to(prefix)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path.resolve(), place)
        except OSError:
            copied += path.stat().st_size
            if copied > _LARGEST_COPY_BYTES:
                raise OSError(27, "the toolchain is too large to copy") from None  # EFBIG
            shutil.copy2(path, place)


def first_usable(shelves: tuple[str, ...]) -> Path:
    """
    The first folder that can be made, and that nobody else can write to.

    Raises:
        OSError: there is none.
    """
    failure: OSError | None = None
    for name in shelves:
        shelf = Path(name.format(uid=os.geteuid()))
        try:
            shelf.mkdir(mode=0o755, parents=True, exist_ok=True)
            if _only_written_by({os.geteuid()}, shelf) and _nobody_swaps_in(shelf.parent):
                return shelf
        except OSError as error:
            failure = error
    raise failure or OSError(1, "the folder for toolchains belongs to somebody else")  # EPERM


def _only_written_by(users: set[int], folder: Path) -> bool:
    status = folder.lstat()
    is_folder = stat.S_ISDIR(status.st_mode)
    return is_folder and status.st_uid in users and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _nobody_swaps_in(folder: Path) -> bool:
    # Anyone may make a folder in /var/tmp before us, but thanks to its sticky bit nobody can exchange ours.
    status = folder.lstat()
    open_to_others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
    return status.st_uid in {0, os.geteuid()} and not open_to_others
