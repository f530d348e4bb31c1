"""What a place for files promises."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from opencode.infra.storage import FolderStorage, Storage, TooManyBytes, WrongContent
from opencode.infra.storage.folder import PIECE_BYTES
from opencode.kernel.clock import ManualClock

HOUR_S = 3_600
LARGE = bytes(range(251)) * 20_000


@pytest.fixture
def storage(tmp_path: Path, clock: ManualClock) -> Storage:
    return FolderStorage(tmp_path / "files", clock)


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def pieces_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def put(storage: Storage, content: bytes) -> str:
    return (await storage.put(pieces_of(content), most_bytes=len(content))).sha256


async def all_of(storage: Storage, sha256: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join([piece async for piece in await storage.read(sha256, start, length)])


async def kept(storage: Storage, clock: ManualClock) -> set[str]:
    clock.advance(1)
    return {each.sha256 async for each in storage.all_before(clock.now())}


@pytest.mark.parametrize("content", [b"", b"a", b"\0" * PIECE_BYTES, LARGE], ids=["empty", "byte", "piece", "large"])
async def test_what_was_stored_is_read_again(storage: Storage, content: bytes) -> None:
    cut = [content[at : at + 70_001] for at in range(0, len(content), 70_001)]
    stored = await storage.put(pieces_of(*cut), most_bytes=len(content), sha256=hash_of(content))
    assert (stored.sha256, stored.size_bytes) == (hash_of(content), len(content))
    assert await storage.size_of(stored.sha256) == len(content)
    assert await all_of(storage, stored.sha256) == content


async def test_any_part_of_it_is_read_alone(storage: Storage) -> None:
    key = await put(storage, LARGE)
    size = len(LARGE)
    parts: Iterable[tuple[int, int]] = [(0, 1), (1, 1), (size - 1, 1), (PIECE_BYTES - 1, 2), (7, 2 * PIECE_BYTES)]
    for start, length in (*parts, (size, 1), (0, 0)):
        assert await all_of(storage, key, start, length) == LARGE[start : start + length]


@pytest.mark.parametrize("key", ["0" * 64, "", "..", "../../etc/passwd", "A" * 64, "incoming", "0" * 65])
async def test_what_is_not_there_is_not_found_whatever_it_is_called(storage: Storage, key: str) -> None:
    await put(storage, b"a")
    with pytest.raises(FileNotFoundError):
        await storage.read(key)
    assert await storage.size_of(key) is None


async def test_one_byte_too_many_and_nothing_is_kept(storage: Storage, clock: ManualClock) -> None:
    with pytest.raises(TooManyBytes):
        await storage.put(pieces_of(LARGE, b"x"), most_bytes=len(LARGE))
    assert await kept(storage, clock) == set()


async def test_another_content_than_was_announced_is_not_kept(storage: Storage, clock: ManualClock) -> None:
    with pytest.raises(WrongContent) as wrong:
        await storage.put(pieces_of(b"a"), most_bytes=1, sha256=hash_of(b"b"))
    assert wrong.value.sha256 == hash_of(b"a")
    assert await kept(storage, clock) == set()


async def test_an_upload_that_breaks_off_leaves_nothing(storage: Storage, clock: ManualClock, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield LARGE
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await storage.put(broken(), most_bytes=2 * len(LARGE))
    assert await kept(storage, clock) == set()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_an_upload_that_is_called_off_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield LARGE
        begun.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(storage.put(slow(), most_bytes=2 * len(LARGE)))
    await begun.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_the_same_content_from_many_at_once_is_one_file(storage: Storage, clock: ManualClock) -> None:
    keys = await asyncio.gather(*(put(storage, LARGE) for _ in range(5)))
    assert set(keys) == {hash_of(LARGE)} == await kept(storage, clock)
    assert await all_of(storage, keys[0]) == LARGE


async def test_what_is_old_is_deleted_and_what_was_stored_again_stays(storage: Storage, clock: ManualClock) -> None:
    old, again = await put(storage, b"old"), await put(storage, b"again")
    clock.advance(HOUR_S)
    moment = clock.now()
    await put(storage, b"again")
    assert {each.sha256 async for each in storage.all_before(moment)} == {old}
    assert await storage.delete_old(old, moment)
    assert not await storage.delete_old(old, moment)
    assert not await storage.delete_old(again, moment)
    assert await storage.size_of(old) is None
    assert await all_of(storage, again) == b"again"


async def test_whoever_reads_goes_on_while_the_file_is_deleted(storage: Storage, clock: ManualClock) -> None:
    key = await put(storage, LARGE)
    clock.advance(1)
    reading = await storage.read(key)
    first = await anext(reading)
    assert await storage.delete_old(key, clock.now())
    assert first + b"".join([piece async for piece in reading]) == LARGE


async def test_what_a_killed_process_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "files", ManualClock())
    key = await put(storage, b"a")
    half = tmp_path / "files" / "incoming" / "left"
    half.write_bytes(b"half")
    clock = ManualClock()
    await storage.sweep(clock.now())
    assert half.exists()  # it has the time of this machine, and may still grow
    clock.advance(100 * 365 * 24 * HOUR_S)
    await storage.sweep(clock.now())
    assert not half.exists()
    assert await all_of(storage, key) == b"a"
