"""A folder of this server for what its cells show and no package brought: toolchains, and what was made for them."""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Generator
from pathlib import Path


def first_of(folders: tuple[str, ...]) -> Path:
    """
    The first of some folders that is ours alone to write to; made when it is missing. `{uid}` is filled in.

    Raises:
        OSError: none is.
    """
    failure: OSError | None = None
    for name in folders:
        folder = Path(name.format(uid=os.geteuid()))
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            if _only_we_write(folder) and _nobody_swaps_in(folder.parent):
                return folder
        except OSError as error:
            failure = error
    raise failure or OSError(1, "the folder for toolchains belongs to somebody else")  # EPERM


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


def _only_we_write(folder: Path) -> bool:
    status = folder.lstat()
    is_folder = stat.S_ISDIR(status.st_mode)
    return is_folder and status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _nobody_swaps_in(folder: Path) -> bool:
    # Anyone may make a folder in /var/tmp before us, but thanks to its sticky bit nobody can exchange ours.
    status = folder.lstat()
    open_to_others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
    return status.st_uid in {0, os.geteuid()} and not open_to_others
