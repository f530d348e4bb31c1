"""The schema that migrations make is the schema that the code expects, on both databases."""

import asyncio
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import opencode.modules
from opencode.app.migrate import SchemaUnknown, current, migrate, pending, revisions
from opencode.infra.db import Database, metadata
from tests.databases import PostgresDatabases


@pytest.fixture
async def empty_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if database_kind == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    databases: PostgresDatabases = request.getfixturevalue("postgres")
    return await databases.empty()


async def test_the_migrated_schema_is_the_one_that_the_code_expects(database: Database) -> None:
    for module in pkgutil.iter_modules(opencode.modules.__path__, "opencode.modules."):
        names = {part.name for part in pkgutil.iter_modules(import_module(module.name).__path__)}
        if "store" in names:
            import_module(f"{module.name}.store")
    async with database.read() as connection:
        assert await connection.run_sync(_differences) == []


async def test_an_empty_database_is_migrated_once_and_then_left_alone(empty_url: str) -> None:
    database = Database(empty_url)
    assert await pending(database) == revisions()
    assert await migrate(database) == revisions()
    assert await current(database) == revisions()[-1]
    assert await pending(database) == []
    assert await migrate(database) == []
    await database.close()


async def test_a_database_can_be_brought_to_one_revision_and_on_from_there(empty_url: str) -> None:
    database = Database(empty_url)
    assert await migrate(database, to="0001") == ["0001"]
    assert await current(database) == "0001"
    assert await migrate(database) == revisions()[1:]
    await database.close()


async def test_calls_of_before_are_summed_anew_by_day_and_key(empty_url: str) -> None:
    database = Database(empty_url)
    await migrate(database, to="0018")
    day_ms, first_ms = 86_400_000, 1_577_836_800_000
    moments = [20_500 * day_ms - 1, 20_500 * day_ms, 20_501 * day_ms - 1]
    async with database.begin() as connection:
        for moment, status in zip(moments, (200, 502, 0), strict=True):
            numbers = f"{(moment - first_ms) << 22}, 1, 2, 0, 3, 4, 10, 5, 1, 0, 700, 90, 9, {status}, 0"
            await connection.execute(text(f"insert into ai_calls values ({numbers})"))
    assert await migrate(database) == revisions()[18:]
    async with database.read() as connection:
        rows = (await connection.execute(text("select * from ai_days order by day"))).all()
    assert [tuple(row) for row in rows] == [
        (20_499, 1, 2, 3, 1, 0, 10, 5, 1, 700, 90),
        (20_500, 1, 2, 3, 2, 2, 20, 10, 2, 1_400, 180),
    ]
    await database.close()


async def test_what_was_chosen_for_refunds_holds_for_disputes_too(empty_url: str) -> None:
    database = Database(empty_url)
    await migrate(database, to="0020")
    async with database.begin() as connection:
        await connection.execute(text("insert into notice_webhook_kinds values ('whk_1', 'order.refunded')"))
        for kind in ("order.paid", "order.refunded"):
            values = {"kind": kind, "inbox": False}
            await connection.execute(
                text("insert into notice_preferences values ('usr_1', :kind, :inbox, 'daily')"), values
            )
    await migrate(database)
    async with database.read() as connection:
        hooked = (await connection.execute(text("select kind from notice_webhook_kinds order by kind"))).scalars().all()
        chosen = (await connection.execute(text("select kind, mail from notice_preferences order by kind"))).all()
    assert hooked == ["order.disputed", "order.refunded"]
    assert [tuple(row) for row in chosen] == [
        ("order.disputed", "daily"),
        ("order.paid", "daily"),
        ("order.refunded", "daily"),
    ]
    await database.close()


async def test_two_servers_that_start_at_once_migrate_once(empty_url: str) -> None:
    first, second = Database(empty_url), Database(empty_url)
    applied = await asyncio.gather(migrate(first), migrate(second))
    assert sorted(applied) == [[], revisions()]
    await first.close()
    await second.close()


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(database: Database) -> None:
    async with database.begin() as connection:
        await connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(SchemaUnknown, match="9999"):
        await migrate(database)
    with pytest.raises(SchemaUnknown, match="9999"):
        await pending(database)
    assert await current(database) == "9999"


def test_the_revisions_are_one_chain_in_the_order_of_their_numbers() -> None:
    scripts = ScriptDirectory(str(Path(opencode.modules.__path__[0]).parent / "migrations"))
    chain = [script.revision for script in scripts.walk_revisions()]
    assert chain == revisions()[::-1]


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))
