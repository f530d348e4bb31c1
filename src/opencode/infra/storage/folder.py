"""Files in a folder: `<first two letters>/<sha256>`, and `incoming/` for what is on its way."""

import asyncio
import errno
import hashlib
import os
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, ParamSpec, Protocol

from opencode.infra.storage.base import Kept, StorageFull, Stored, TooManyBytes, WrongContent
from opencode.kernel.clock import Clock

P = ParamSpec("P")

PIECE_BYTES = 1024 * 1024
"""Written and read at once: a thread has enough to do, and memory stays small."""

_INCOMING = "incoming"
_KEY = re.compile(r"[0-9a-f]{64}")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Digest(Protocol):
    """What `hashlib` gives."""

    def update(self, data: bytes, /) -> None: ...


class FolderStorage:
    """
    Args:
        folder: made at the first file. Several servers share it when it is on a disk that they share.
        clock: tells when files are stored.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._incoming = folder / _INCOMING
        self._clock = clock

    async def put(self, pieces: AsyncIterator[bytes], *, most_bytes: int, sha256: str | None = None) -> Stored:
        temporary = self._incoming / secrets.token_hex(16)
        try:
            return await self._receive(temporary, pieces, most_bytes, sha256)
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull from error
            raise
        finally:
            # Also when the caller is gone meanwhile: no thread of this upload is at work any more.
            temporary.unlink(missing_ok=True)

    async def _receive(
        self, temporary: Path, pieces: AsyncIterator[bytes], most_bytes: int, sha256: str | None
    ) -> Stored:
        digest, size = hashlib.sha256(), 0
        file = await asyncio.to_thread(_created, temporary)
        try:
            async for block in _blocks(pieces, most_bytes):
                size += len(block)
                await _finished(_take, file, digest, block)
            key = digest.hexdigest()
            if sha256 is not None and key != sha256.lower():
                raise WrongContent(key)
            await _finished(_make_safe, file)
        finally:
            file.close()
        await _finished(self._file_away, temporary, key)
        return Stored(key, size)

    async def size_of(self, sha256: str) -> int | None:
        try:
            return (await asyncio.to_thread(self._path(sha256).stat)).st_size
        except FileNotFoundError:
            return None

    async def read(self, sha256: str, start: int = 0, length: int | None = None) -> AsyncGenerator[bytes]:
        file = await asyncio.to_thread(_opened, self._path(sha256), start)
        return _pieces(file, length)

    async def delete_old(self, sha256: str, before: datetime) -> bool:
        return await asyncio.to_thread(self._delete_old, sha256, before)

    async def all_before(self, moment: datetime) -> AsyncIterator[Kept]:
        for folder in await asyncio.to_thread(_entries, self._folder):
            if folder.name == _INCOMING:
                continue
            for path in await asyncio.to_thread(_entries, folder):
                stored_at = await asyncio.to_thread(_stored_at, path)
                if _KEY.fullmatch(path.name) and stored_at and stored_at < moment:
                    yield Kept(path.name, stored_at)

    async def sweep(self, before: datetime) -> None:
        def sweep() -> None:
            for path in _entries(self._incoming):
                stored_at = _stored_at(path)
                if stored_at and stored_at < before:
                    path.unlink(missing_ok=True)

        await asyncio.to_thread(sweep)

    def _path(self, sha256: str) -> Path:
        if not _KEY.fullmatch(sha256):
            raise FileNotFoundError(sha256)
        return self._folder / sha256[:2] / sha256

    def _file_away(self, temporary: Path, key: str) -> None:
        """Give a file its name. One with the same content is replaced: that makes it young again."""
        path = self._path(key)
        path.parent.mkdir(exist_ok=True)
        now = self._clock.timestamp()
        os.utime(temporary, (now, now))
        temporary.replace(path)
        for folder in (path.parent, self._folder):
            _make_folder_safe(folder)

    def _delete_old(self, sha256: str, before: datetime) -> bool:
        path, aside = self._path(sha256), self._incoming / f"{sha256}.{secrets.token_hex(8)}"
        # Taken aside first and looked at there: meanwhile somebody may store the same content again.
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        stored_at = _stored_at(aside)
        is_young = stored_at is not None and stored_at >= before
        if is_young:
            with suppress(FileExistsError):
                os.link(aside, path)
        aside.unlink(missing_ok=True)
        return not is_young


async def _blocks(pieces: AsyncIterator[bytes], most_bytes: int) -> AsyncGenerator[bytes]:
    """Fewer and larger pieces."""
    waiting, size = bytearray(), 0
    async for piece in pieces:
        size += len(piece)
        if size > most_bytes:
            raise TooManyBytes
        waiting += piece
        if len(waiting) >= PIECE_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


async def _finished(work: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
    """Do something in a thread, and wait for its end also when the caller goes away: a file is not closed under it."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **named))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _created(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb", buffering=0)


def _take(file: BinaryIO, digest: Digest, block: bytes) -> None:
    digest.update(block)
    left = memoryview(block)
    while left:
        left = left[file.write(left) :]


def _make_safe(file: BinaryIO) -> None:
    os.fsync(file.fileno())


def _make_folder_safe(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _opened(path: Path, start: int) -> BinaryIO:
    file = path.open("rb", buffering=0)
    file.seek(start)
    return file


async def _pieces(file: BinaryIO, length: int | None) -> AsyncGenerator[bytes]:
    left = length
    try:
        while left is None or left > 0:
            piece = await asyncio.to_thread(file.read, PIECE_BYTES if left is None else min(PIECE_BYTES, left))
            if not piece:
                return
            left = None if left is None else left - len(piece)
            yield piece
    finally:
        file.close()


def _entries(folder: Path) -> list[Path]:
    try:
        return list(_listed(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _listed(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as found:
        yield from (Path(entry.path) for entry in found)


def _stored_at(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
