"""Rows that are read where they are asked for: the same ones, the newest ones, and nobody waits for them."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, bindparam, insert, select, update

from opencode.infra.db import Database, Glimpse, UtcDateTime, Word
from opencode.infra.db import glance as glances


class Tide(StrEnum):
    EBB = "ebb"
    FLOOD = "flood"


tides = Table(
    "tides",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("tide", Word(Tide), nullable=False),
    Column("at", UtcDateTime, nullable=True),
)
FLOODS = select(tides.c.id, tides.c.tide.label("which"), tides.c.at).where(
    tides.c.tide == Tide.FLOOD, tides.c.id == bindparam("of")
)
NOON = datetime(2026, 7, 1, 12, 30, 15, 123_456, tzinfo=UTC)


@pytest.fixture
async def harbour(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database.in_folder(tmp_path)
    async with database.begin() as connection:
        await connection.run_sync(tides.create)
        rows = [
            {"id": 1, "tide": Tide.FLOOD, "at": NOON},
            {"id": 2, "tide": Tide.EBB, "at": NOON},
            {"id": 3, "tide": Tide.FLOOD, "at": None},
        ]
        await connection.execute(insert(tides), rows)
    yield database
    await database.close()


def glance(database: Database, number: int) -> list[dict[str, object]] | None:
    assert database.glance
    return database.glance.rows(Glimpse(FLOODS), of=number)


async def test_a_row_comes_as_the_engine_gives_it(harbour: Database) -> None:
    for number in (1, 2, 3, 4):
        async with harbour.read() as connection:
            engines = (await connection.execute(FLOODS, {"of": number})).mappings().all()
        assert glance(harbour, number) == [dict(row) for row in engines]


async def test_what_was_committed_last_is_seen(harbour: Database) -> None:
    assert glance(harbour, 2) == []
    async with harbour.begin() as connection:
        await connection.execute(update(tides).values(tide=Tide.FLOOD))
        assert glance(harbour, 2) == []
    assert glance(harbour, 2) == [{"id": 2, "which": Tide.FLOOD, "at": NOON}]


async def test_nobody_waits_for_a_file_that_another_process_has_locked(harbour: Database) -> None:
    assert harbour.sqlite_path
    await harbour.close()
    other = sqlite3.connect(harbour.sqlite_path, isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN IMMEDIATE")
    assert glance(harbour, 1) is None
    other.close()


async def test_after_a_slow_disk_it_is_left_to_the_drivers_thread_for_a_while(
    harbour: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glances, "SLOW_S", -1.0)
    assert glance(harbour, 1)
    assert glance(harbour, 1) is None
    monkeypatch.setattr(glances, "SLOW_FOR_S", -1.0)
    assert harbour.glance
    harbour.glance._patient_until = 0.0
    assert glance(harbour, 1)
    assert glance(harbour, 1)


async def test_nothing_is_written_at_a_glance(harbour: Database) -> None:
    assert harbour.glance
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        harbour.glance._connected().execute("delete from tides")
