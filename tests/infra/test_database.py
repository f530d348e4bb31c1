"""Transactions, and what is left of them when somebody stops waiting."""

import asyncio
from pathlib import Path
from threading import Event, Thread

import aiosqlite
import anyio
import pytest
from sqlalchemy import text

from opencode.infra.db import Database
from opencode.infra.db.tables import from_micros, to_micros


async def test_an_error_undoes_what_was_written(database: Database) -> None:
    await _make_table(database)
    with pytest.raises(ZeroDivisionError):
        async with database.begin() as connection:
            await connection.execute(text("insert into numbers values (1)"))
            _ = 1 / 0
    assert await _numbers(database) == []


async def test_writers_that_read_first_do_not_lose_each_others_work(database: Database) -> None:
    await _make_table(database)
    await _add(database, 0)

    async def count_up() -> None:
        async with database.begin() as connection:
            lock = "" if database.is_sqlite else " for update"
            seen = (await connection.execute(text(f"select number from numbers{lock}"))).scalar_one()
            await connection.execute(text("update numbers set number = :next"), {"next": seen + 1})

    await asyncio.gather(*(count_up() for _ in range(20)))
    assert await _numbers(database) == [20]


async def test_a_cancelled_writer_undoes_its_work_and_lets_the_next_one_in(database: Database) -> None:
    await _make_table(database)
    written = asyncio.Event()

    async def write_and_linger() -> None:
        async with database.begin() as connection:
            await connection.execute(text("insert into numbers values (1)"))
            written.set()
            await asyncio.Event().wait()

    writer = asyncio.create_task(write_and_linger())
    await written.wait()
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await _add(database, 2)
    assert await _numbers(database) == [2]


async def test_however_far_a_cancelled_writer_got_the_next_one_finds_no_locked_database(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    await _make_table(database)

    async def write() -> None:
        async with database.begin() as connection:
            for number in range(4):
                await connection.execute(text(f"insert into numbers values ({number}) returning number"))

    for steps in range(40):
        writer = asyncio.create_task(write())
        for _ in range(steps):
            await asyncio.sleep(0)
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
        await _add(database, -steps)
    assert set(range(-39, 1)) <= set(await _numbers(database))
    await database.close()


async def test_a_cancelled_query_that_goes_on_in_its_thread_holds_nobody_up(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    loop, begun, let_go = asyncio.get_running_loop(), asyncio.Event(), Event()

    def linger() -> bool:
        loop.call_soon_threadsafe(begun.set)
        return let_go.wait(timeout=20)

    async with database.read() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, aiosqlite.Connection)
        await driver.create_function("linger", 0, linger)
        cursor = await driver.cursor()
        asking = asyncio.create_task(cursor.execute("select linger()"))
        await begun.wait()
        asking.cancel()
        closing = asyncio.create_task(cursor.close())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not closing.done(), "it waits for the thread, and everybody else goes on"
        let_go.set()
        await closing
    await database.ping()
    await database.close()


async def test_reading_goes_to_the_drivers_thread_to_ask_and_to_fetch_and_for_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database.in_folder(tmp_path)
    await database.ping()
    asked: list[object] = []
    execute = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, fn: object, *args: object) -> object:
        asked.append(getattr(args[0], "__name__", args[0]))
        return await execute(self, fn, *args)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    await database.ping()
    assert asked == ["execute", "fetchall"]
    asked.clear()
    async with database.begin() as connection:
        await connection.execute(text("create table numbers (number int)"))
    assert asked == ["execute", "execute", "commit"], "the transaction begins, writes and ends in the thread"
    await database.close()


def test_queries_that_are_cancelled_halfway_do_not_keep_the_process_from_ending(tmp_path: Path) -> None:
    async def cancel_halfway(database: Database, steps: int) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(database.ping)
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()

    async def live(steps: int) -> None:
        database = Database.in_folder(tmp_path)
        await database.ping()
        for _ in range(5):
            await cancel_halfway(database, steps)
        await database.close()

    def live_often() -> None:
        for steps in range(40):
            # Its end waits for every task that is left.
            asyncio.run(live(steps))

    thread = Thread(target=live_often, daemon=True)
    thread.start()
    thread.join(timeout=30)
    assert not thread.is_alive()


@pytest.mark.parametrize("micros", [0, 1, -1, 1_767_603_600_123_456, -62_135_596_800_000_000])
def test_a_moment_keeps_its_microseconds(micros: int) -> None:
    assert to_micros(from_micros(micros)) == micros


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        to_micros(from_micros(0).replace(tzinfo=None))


async def _make_table(database: Database) -> None:
    async with database.begin() as connection:
        await connection.execute(text("create table numbers (number integer)"))


async def _add(database: Database, number: int) -> None:
    async with database.begin() as connection:
        await connection.execute(text("insert into numbers values (:number)"), {"number": number})


async def _numbers(database: Database) -> list[int]:
    async with database.read() as connection:
        return list((await connection.execute(text("select number from numbers"))).scalars())
