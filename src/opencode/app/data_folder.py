"""The data folder of an embedded server: used by one process at a time, copied whole, brought back whole."""

import fcntl
import hashlib
import io
import os
import re
import shutil
import sqlite3
import tarfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from opencode import __version__
from opencode.kernel.errors import Conflict, Invalid, NotFound

DATABASE = "opencode.db"
SIGNING_KEY = "signing.key"
FILES = "files"
_LOCK = "server.lock"
_MANIFEST = "manifest.json"
_FORMAT = 1
_BLOCK_BYTES = 1024 * 1024
_STORED = re.compile(rf"{FILES}/[0-9a-f]{{2}}/[0-9a-f]{{64}}")


class FolderInUse(Conflict):
    """Another server works on this folder."""

    title = "The data folder is in use"


class BackupInvalid(Invalid):
    """The file is not a backup, or not a whole one."""

    title = "The backup cannot be used"


class Manifest(msgspec.Struct):
    """What a backup holds: `files` maps each name to its SHA-256 in hex."""

    format: int
    version: str
    made_at: datetime
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Backup:
    path: Path
    size_bytes: int
    manifest: Manifest


@contextmanager
def sole_use(folder: Path) -> Generator[None]:
    """
    Hold the folder for this process. Two servers would each keep rooms in memory and hand out the same places in the
    update log. The lock goes with the process, however it ends.

    Raises:
        FolderInUse: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 32).decode(errors="replace").strip()
        os.close(descriptor)
        raise FolderInUse(
            f"Process {holder or 'unknown'} already works on the data folder {folder}.",
            action="Stop it first, or choose another folder with --data. To share work, use PostgreSQL and Redis.",
        ) from None
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def back_up(folder: Path, target: Path, *, now: datetime) -> Backup:
    """
    Copy the data folder into one file while the server goes on working. The database is copied as of one moment, and
    the files of releases after it: none that it knows is missing.

    Args:
        target: a `.tar.gz` that does not exist yet.

    Raises:
        NotFound: there is no database in the folder, or no folder for the target.
        Conflict: the target exists.
    """
    if not (folder / DATABASE).exists():
        raise NotFound(f"There is no database in {folder}.", action="Name the folder with --data, or start once.")
    if not target.parent.is_dir():
        raise NotFound(f"There is no folder {target.parent}.", action="Make it first, or choose another place.")
    if target.exists():
        raise Conflict(f"{target} exists.", action="Choose another name; backups are never overwritten.")
    partial = target.with_name(target.name + ".part")
    snapshot = partial.with_suffix(".db")
    try:
        _copy_database(folder / DATABASE, snapshot)
        files = {DATABASE: snapshot, SIGNING_KEY: folder / SIGNING_KEY}
        files = {name: path for name, path in files.items() if path.exists()}
        sums = {name: _sha256(path) for name, path in files.items()}
        stored = _stored_files(folder)
        files |= stored
        sums |= {name: path.name for name, path in stored.items()}  # a file is named after its checksum
        manifest = Manifest(_FORMAT, __version__, now, sums)
        _write_archive(partial, manifest, files)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
        snapshot.unlink(missing_ok=True)
    return Backup(target, target.stat().st_size, manifest)


def restore(source: Path, folder: Path, *, force: bool, now: datetime) -> Backup:
    """
    Bring a backup back. What the folder held is moved aside, not deleted, when `force` is given.

    Raises:
        BackupInvalid: the file is not a whole backup; the folder is untouched.
        Conflict: the folder holds data and `force` was not given.
        FolderInUse: a server works on the folder.
    """
    if not source.is_file():
        raise NotFound(f"There is no file {source}.", action="Name a file that ocp backup made.")
    with sole_use(folder):
        held = [folder / name for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", SIGNING_KEY, FILES)]
        held = [path for path in held if path.exists()]
        if held and not force:
            raise Conflict(
                f"The data folder {folder} holds data.",
                action="Choose an empty folder with --data, or say --force: what is there is moved aside, not deleted.",
            )
        manifest, contents = _read_archive(source)
        if held:
            aside = folder / f"before-restore-{now:%Y%m%d-%H%M%S}"
            aside.mkdir()
            for path in held:
                path.rename(aside / path.name)
        for name, file in _files_in(source, manifest):
            _write_stored(folder / name, file)
        for name, content in contents.items():
            _write_private(folder / name, content)
    return Backup(source, source.stat().st_size, manifest)


def _copy_database(source: Path, target: Path) -> None:
    # A read-only connection could not recover the write-ahead log of a server that was killed.
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)


def _write_archive(path: Path, manifest: Manifest, files: dict[str, Path]) -> None:
    with tarfile.open(path, "x:gz", compresslevel=6) as archive:
        path.chmod(0o600)
        entry = tarfile.TarInfo(_MANIFEST)
        raw = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        entry.size = len(raw)
        archive.addfile(entry, io.BytesIO(raw))
        for name, file in files.items():
            archive.add(file, arcname=name, recursive=False)


def _read_archive(path: Path) -> tuple[Manifest, dict[str, bytes]]:
    try:
        with tarfile.open(path, "r:gz") as archive:
            manifest = msgspec.json.decode(_member(archive, _MANIFEST), type=Manifest)
            contents = {name: _member(archive, name) for name in manifest.files if name in {DATABASE, SIGNING_KEY}}
    except (tarfile.TarError, OSError, EOFError, KeyError, msgspec.MsgspecError) as error:
        raise BackupInvalid(f"{path} is not a whole backup: {error}.", action="Use a file ocp backup made.") from None
    if manifest.format != _FORMAT or DATABASE not in contents:
        raise BackupInvalid(f"{path} has a format that this version does not know.", action="Use a newer version.")
    for name, content in contents.items():
        if hashlib.sha256(content).hexdigest() != manifest.files[name]:
            raise BackupInvalid(f"{name} in {path} is damaged: its checksum differs.", action="Use another backup.")
    _check_files(path, manifest)
    return manifest, contents


def _stored_files(folder: Path) -> dict[str, Path]:
    found = {path.relative_to(folder).as_posix(): path for path in (folder / FILES).glob("*/*")}
    return {name: path for name, path in sorted(found.items()) if _STORED.fullmatch(name)}


def _check_files(path: Path, manifest: Manifest) -> None:
    """
    Raises:
        BackupInvalid: a file of a release is missing or damaged.
    """
    missing = {name for name in manifest.files if _STORED.fullmatch(name)}
    try:
        for name, file in _files_in(path, manifest):
            if _sha256_of(file) == manifest.files[name]:
                missing.discard(name)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BackupInvalid(f"{path} is not a whole backup: {error}.", action="Use a file ocp backup made.") from None
    if missing:
        raise BackupInvalid(
            f"{min(missing)} in {path} is damaged or missing, as one of {len(missing)}.", action="Use another backup."
        )


def _files_in(path: Path, manifest: Manifest) -> Iterator[tuple[str, IO[bytes]]]:
    """Files of releases, in the order in which they lie there: going back in a compressed file takes for ever."""
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            # The pattern lets no name lead out of the folder.
            if member.name in manifest.files and _STORED.fullmatch(member.name) and member.isfile():
                file = archive.extractfile(member)
                if file is not None:
                    yield member.name, file


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    # Read by name into memory: nothing in the archive decides where something is written.
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(f"{name} is missing")
    return file.read()


def _write_stored(path: Path, content: IO[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(content, file)
        file.flush()
        os.fsync(file.fileno())


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sha256_of(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
