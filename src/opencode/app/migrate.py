"""
Bringing a database to the schema that this build needs.

Revisions are numbered files, `migrations/versions/0001_outbox.py` and so on: one chain, forward only. Going back is
restoring the backup that was made before the update.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from importlib.resources import files
from multiprocessing import get_context

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import Database
from opencode.infra.hiding import hidden
from opencode.kernel.errors import Conflict

# Any number will do as long as nothing else in this database takes the same advisory lock.
_ADVISORY_LOCK = 0x0C0DE_0001
_HEAD = "head"


class SchemaUnknown(Conflict):
    """The database stands at a revision that this build has never heard of."""

    title = "The database is newer than this program"

    def __init__(self, found: str, head: str) -> None:
        super().__init__(
            f"The database is at revision {found}, and this version of OpenCode knows revisions up to {head}.",
            action="Start the newer version of OpenCode, or restore the backup made before the update.",
        )


def revisions() -> list[str]:
    """All revisions of this build, oldest first. Read from file names, so that a start need not load Alembic."""
    names = (file.name for file in files("opencode.migrations.versions").iterdir())
    return sorted(name.partition("_")[0] for name in names if name.endswith(".py") and name[:4].isdigit())


async def current(database: Database) -> str | None:
    """The revision that the database stands at; None when it is empty."""
    async with database.read() as connection:
        return await _version(connection)


async def pending(database: Database) -> list[str]:
    """
    The revisions that `migrate` would apply, oldest first.

    Raises:
        SchemaUnknown: the database is newer than this build.
    """
    known = revisions()
    return _missing(await current(database), known, known)


async def migrate(database: Database, *, to: str = _HEAD) -> list[str]:
    """
    Apply what is pending, all of it or nothing, and return the revisions applied. Servers that start at the same
    moment wait for each other: the first one works, the others find it done.

    Args:
        to: the revision to stop at, such as `0002`.

    Raises:
        SchemaUnknown: the database is newer than this build.
    """
    known = revisions()
    wanted = known if to == _HEAD else known[: known.index(to) + 1]
    if not _missing(await current(database), wanted, known):
        return []
    async with database.begin() as connection:
        if not database.is_sqlite:
            await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        # Asked again under the lock: another server may have done it while this one waited.
        todo = _missing(await _version(connection), wanted, known)
        if todo:
            await connection.run_sync(_upgrade, todo[-1])
    return todo


def migrate_apart(url: str) -> None:
    """
    Apply what is pending in a process of its own, before this one has threads or a loop. A server that migrated by
    itself would keep Alembic and all that this loads for as long as it runs.

    Args:
        url: as for `Database`.

    Raises:
        SchemaUnknown: the database is newer than this build.
        OSError, SQLAlchemyError: it does not answer; the driver's own words.
    """
    if not asyncio.run(_with_database(url, _pending_where_it_answers)):
        return
    # A copy of this process has loaded nearly everything already: it costs no start of another Python.
    process = get_context("fork").Process(target=_migrate_and_end, args=(url,))
    process.start()
    process.join()
    if process.exitcode:
        # Whatever was wrong there is wrong here, too, and is told by whoever called.
        asyncio.run(_with_database(url, migrate))


def _migrate_and_end(url: str) -> None:
    try:
        asyncio.run(_with_database(url, migrate))
    except BaseException:
        os._exit(1)


async def _pending_where_it_answers(database: Database) -> list[str]:
    await database.ping()
    return await pending(database)


async def _with_database(url: str, work: Callable[[Database], Awaitable[list[str]]]) -> list[str]:
    database = Database(url)
    try:
        return await work(database)
    finally:
        await database.close()


def _missing(found: str | None, wanted: list[str], known: list[str]) -> list[str]:
    if found is not None and found not in known:
        raise SchemaUnknown(found, known[-1])
    return [revision for revision in wanted if found is None or revision > found]


async def _version(connection: AsyncConnection) -> str | None:
    if not await connection.run_sync(lambda sync: sync.dialect.has_table(sync, "alembic_version")):
        return None
    return (await connection.execute(text("select version_num from alembic_version"))).scalar_one_or_none()


def _upgrade(connection: Connection, revision: str) -> None:
    # Alembic takes a tenth of a second to load; almost every start has nothing to migrate. It loads Pygments as well,
    # for pages about errors in templates, which nobody makes here.
    with hidden("pygments"):
        from alembic import command
        from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "opencode:migrations")
    config.set_main_option("path_separator", "os")
    command.upgrade(config, revision)
