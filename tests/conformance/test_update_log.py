"""One promise of durability, kept by every update log: embedded (the fast form and the plain one) and PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, event, func, select

from opencode.infra.db import Database
from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.domain.log import UpdateLog
from opencode.modules.collaboration.domain.records import Record, RecordKind
from opencode.modules.collaboration.store import SqliteUpdateLog, SqlUpdateLog, sqlite_log
from opencode.modules.collaboration.store.log import SETTLE_ROWS
from opencode.modules.collaboration.store.tables import journal, segments, snapshots

ONE, OTHER = DocumentId("doc_one"), DocumentId("doc_other")


@pytest.fixture(params=["sqlite-power", "sqlite-process", "sqlite-plain", "postgres"])
def log_kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def database_kind(log_kind: str) -> str:
    return log_kind.partition("-")[0]


@pytest.fixture
async def update_log(log_kind: str, database: Database) -> AsyncIterator[UpdateLog]:
    durability = log_kind.partition("-")[2]
    if durability not in {"power", "process"}:
        yield SqlUpdateLog(database)
        return
    assert database.sqlite_path
    fast = SqliteUpdateLog(database, database.sqlite_path, durability=durability)
    yield fast
    await fast.close()


def record(document_id: DocumentId, sequence: int, update: bytes = b"\x00\x00") -> Record:
    return Record(document_id, sequence, 1_700_000_000_000 + sequence, RecordKind.EDIT, "usr_ada", update)


def run_of(document_id: DocumentId, first: int, last: int) -> list[Record]:
    return [record(document_id, sequence, f"update {sequence}".encode()) for sequence in range(first, last + 1)]


def sequences(records: Sequence[Record]) -> list[int]:
    return [each.sequence for each in records]


async def count(database: Database, table: Table) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


async def test_what_was_committed_is_there_whether_it_is_settled_or_not(update_log: UpdateLog) -> None:
    await update_log.commit(run_of(ONE, 1, 3))
    assert sequences(await update_log.history(ONE)) == [1, 2, 3]
    await update_log.commit(run_of(ONE, 4, 5))
    await update_log.settle()
    await update_log.settle()
    assert await update_log.history(ONE) == run_of(ONE, 1, 5)
    stored = await update_log.load(ONE)
    assert (stored.state, stored.sequence, stored.seeds, stored.records) == (None, 0, frozenset(), run_of(ONE, 1, 5))


async def test_what_is_committed_at_once_is_there_and_what_could_not_be_left_nothing(update_log: UpdateLog) -> None:
    done = update_log.commit_at_once(run_of(ONE, 1, 3))
    assert sequences(await update_log.history(ONE)) == ([1, 2, 3] if done else [])
    if not done:
        await update_log.commit(run_of(ONE, 1, 3))
    await update_log.sync()
    await update_log.settle()
    await update_log.commit(run_of(ONE, 4, 4))
    assert await update_log.history(ONE) == run_of(ONE, 1, 4)


async def test_nothing_is_committed_at_once_while_somebody_else_writes(
    update_log: UpdateLog, database: Database
) -> None:
    async with database.begin():
        assert not update_log.commit_at_once(run_of(ONE, 1, 1))
    assert await update_log.history(ONE) == []


async def test_an_unwritten_log_can_be_made_safe_from_a_loss_of_power(update_log: UpdateLog) -> None:
    await update_log.sync()


@pytest.mark.parametrize("log_kind", ["sqlite-power", "sqlite-process"], indirect=True)
async def test_what_an_earlier_process_left_in_the_journal_is_found(update_log: UpdateLog, database: Database) -> None:
    await SqlUpdateLog(database).commit(run_of(ONE, 1, 2))
    await update_log.commit(run_of(ONE, 3, 4))
    assert await update_log.history(ONE) == run_of(ONE, 1, 4)


@pytest.mark.parametrize("log_kind", ["sqlite-power", "sqlite-process"], indirect=True)
async def test_a_row_that_somebody_else_put_in_between_is_not_deleted_unread(
    update_log: UpdateLog, database: Database
) -> None:
    await update_log.settle()
    await update_log.commit(run_of(ONE, 1, 2))
    await SqlUpdateLog(database).commit(run_of(OTHER, 1, 3))
    await update_log.commit(run_of(ONE, 3, 4))
    assert await update_log.history(ONE) == run_of(ONE, 1, 4)
    assert await update_log.history(OTHER) == run_of(OTHER, 1, 3)


@pytest.mark.parametrize("log_kind", ["sqlite-power", "sqlite-process"], indirect=True)
async def test_a_log_that_remembers_too_much_reads_the_journal_instead(
    update_log: UpdateLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_log, "MAX_REMEMBERED", 5)
    await update_log.settle()
    for sequence in range(1, 12):
        await update_log.commit([record(ONE, sequence), record(OTHER, sequence)])
    await update_log.settle()
    assert sequences(await update_log.history(ONE)) == sequences(await update_log.history(OTHER)) == [*range(1, 12)]


async def test_documents_that_were_written_in_one_commit_come_back_apart(update_log: UpdateLog) -> None:
    mixed = [record(OTHER, 1), record(ONE, 1), record(OTHER, 2), record(ONE, 2), record(ONE, 3)]
    await update_log.commit(mixed)
    assert sequences(await update_log.history(ONE)) == [1, 2, 3]
    assert sequences(await update_log.history(OTHER)) == [1, 2]
    assert {each.document_id for each in await update_log.history(ONE)} == {ONE}


async def test_a_document_that_nobody_wrote_in_is_empty(update_log: UpdateLog) -> None:
    assert await update_log.history(ONE) == []
    assert (await update_log.load(ONE)).records == []


async def test_the_journal_is_empty_after_settling_however_long_it_was(
    update_log: UpdateLog, database: Database
) -> None:
    for sequence in range(1, SETTLE_ROWS + 31):
        await update_log.commit([record(ONE, sequence)])
    await update_log.settle()
    assert await count(database, journal) == 0
    assert await count(database, segments) == 2
    assert sequences(await update_log.history(ONE)) == list(range(1, SETTLE_ROWS + 31))


@pytest.mark.parametrize("settled_between", [True, False])
async def test_a_commit_whose_answer_was_lost_and_that_was_made_again_counts_once(
    update_log: UpdateLog, settled_between: bool
) -> None:
    await update_log.commit(run_of(ONE, 1, 2))
    if settled_between:
        await update_log.settle()
    await update_log.commit(run_of(ONE, 1, 2))
    await update_log.settle()
    assert await update_log.history(ONE) == run_of(ONE, 1, 2)
    assert (await update_log.load(ONE)).records == run_of(ONE, 1, 2)


@pytest.mark.parametrize("earlier", [0, 2])
async def test_edits_after_a_commit_that_was_made_twice_are_not_lost(update_log: UpdateLog, earlier: int) -> None:
    if earlier:
        await update_log.commit(run_of(ONE, 1, earlier))
    twice = run_of(ONE, earlier + 1, earlier + 3)
    await update_log.commit(twice)
    await update_log.settle()
    await update_log.commit(twice)
    await update_log.commit(run_of(ONE, earlier + 4, earlier + 6))
    await update_log.settle()
    assert await update_log.history(ONE) == run_of(ONE, 1, earlier + 6)
    assert (await update_log.load(ONE)).records == run_of(ONE, 1, earlier + 6)


async def test_a_document_is_brought_back_from_its_snapshot_and_what_came_after(update_log: UpdateLog) -> None:
    await update_log.commit(run_of(ONE, 1, 6))
    await update_log.save_snapshot(ONE, 4, frozenset({"python", "läuft"}), b"state of 4")
    stored = await update_log.load(ONE)
    assert (stored.state, stored.sequence, stored.seeds) == (b"state of 4", 4, frozenset({"python", "läuft"}))
    assert sequences(stored.records) == [5, 6]
    assert sequences(await update_log.history(ONE)) == [1, 2, 3, 4, 5, 6]
    assert (await update_log.load(OTHER)).state is None


async def test_an_older_snapshot_never_replaces_a_newer_one(update_log: UpdateLog) -> None:
    await update_log.commit(run_of(ONE, 1, 9))
    await update_log.save_snapshot(ONE, 8, frozenset({"python"}), b"newer")
    await update_log.save_snapshot(ONE, 5, frozenset(), b"older")
    await update_log.save_snapshot(ONE, 8, frozenset(), b"the same age")
    stored = await update_log.load(ONE)
    assert (stored.state, stored.sequence, stored.seeds) == (b"newer", 8, frozenset({"python"}))
    await update_log.save_snapshot(ONE, 9, frozenset({"python"}), b"newest")
    assert (await update_log.load(ONE)).state == b"newest"


@pytest.mark.parametrize("settled", [True, False])
async def test_a_deleted_document_leaves_nothing_and_others_everything(
    update_log: UpdateLog, database: Database, settled: bool
) -> None:
    await update_log.commit([*run_of(ONE, 1, 3), *run_of(OTHER, 1, 2)])
    await update_log.save_snapshot(ONE, 2, frozenset(), b"state")
    if settled:
        await update_log.settle()
    await update_log.delete(ONE)
    await update_log.delete(ONE)
    await update_log.settle()
    assert await update_log.history(ONE) == []
    assert (await update_log.load(ONE)).state is None
    assert sequences(await update_log.history(OTHER)) == [1, 2]
    assert await count(database, segments) == 1
    assert await count(database, snapshots) == 0


async def test_a_commit_that_fails_keeps_nothing_and_the_next_one_works(
    update_log: UpdateLog, database: Database
) -> None:
    await update_log.commit(run_of(OTHER, 1, 1))
    await update_log.settle()
    scissors = Scissors(update_log, database)
    await scissors.cut_after(1)
    with pytest.raises((CutOffError, sqlite3.OperationalError)):
        await update_log.commit(run_of(ONE, 1, 1))
    await scissors.cut_after(0)
    assert await count(database, journal) == 0
    await update_log.commit(run_of(ONE, 1, 1))
    assert sequences(await update_log.history(ONE)) == [1]


class CutOffError(Exception):
    """The power went."""


class Scissors:
    """Cuts what the log does after so many steps: instructions of SQLite's machine, or statements."""

    def __init__(self, update_log: UpdateLog, database: Database) -> None:
        self._fast = update_log if isinstance(update_log, SqliteUpdateLog) else None
        self._left = 0
        if self._fast is None:
            event.listen(database.engine.sync_engine, "before_cursor_execute", self._before_statement)

    async def cut_after(self, steps: int) -> None:
        """0 never cuts."""
        self._left = steps
        if self._fast:
            await self._fast._call(lambda connection: connection.set_progress_handler(self._instruction, 1))
            if self._fast._loops_connection:
                self._fast._loops_connection.set_progress_handler(self._instruction, 1)

    def _instruction(self) -> bool:
        self._left -= 1
        return self._left == 0

    def _before_statement(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "document_" in statement:
            self._left -= 1
            if self._left == 0:
                raise CutOffError(statement)


async def test_settling_may_be_cut_off_anywhere_and_nothing_is_lost_or_doubled(
    update_log: UpdateLog, database: Database
) -> None:
    scissors = Scissors(update_log, database)
    written = {ONE: 0, OTHER: 0}
    steps, cuts = 1, 0
    while True:
        for document_id in (ONE, OTHER, ONE):
            await update_log.commit(run_of(document_id, written[document_id] + 1, written[document_id] + 2))
            written[document_id] += 2
        await scissors.cut_after(steps)
        try:
            await update_log.settle()
        except (CutOffError, sqlite3.OperationalError):
            cuts += 1
        else:
            await scissors.cut_after(0)
            break
        await scissors.cut_after(0)
        assert sequences(await update_log.history(ONE)) == list(range(1, written[ONE] + 1))
        assert sequences(await update_log.history(OTHER)) == list(range(1, written[OTHER] + 1))
        steps += 1 + steps // 8
    assert cuts >= 3
    assert sequences(await update_log.history(ONE)) == list(range(1, written[ONE] + 1))


steps = st.tuples(st.sampled_from([ONE, OTHER]), st.integers(1, 4), st.booleans(), st.booleans())
plans = st.lists(steps, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=plans)
async def test_any_mixture_of_commits_retries_and_settling_keeps_every_record_once_and_in_order(
    plan: list[tuple[DocumentId, int, bool, bool]], update_log: UpdateLog
) -> None:
    await update_log.delete(ONE)
    await update_log.delete(OTHER)
    written = {ONE: 0, OTHER: 0}
    for document_id, size, twice, settle in plan:
        batch = run_of(document_id, written[document_id] + 1, written[document_id] + size)
        written[document_id] += size
        await update_log.commit(batch)
        if settle:
            await update_log.settle()
        if twice:
            await update_log.commit(batch)
    for document_id, last in written.items():
        assert await update_log.history(document_id) == run_of(document_id, 1, last)


async def test_two_processes_may_settle_at_once(database: Database, update_log: UpdateLog) -> None:
    second = SqlUpdateLog(database)
    for sequence in range(1, 60):
        await update_log.commit([record(ONE, sequence), record(OTHER, sequence)])
    await asyncio.gather(update_log.settle(), second.settle(), update_log.settle(), second.settle())
    assert sequences(await update_log.history(ONE)) == list(range(1, 60))
    assert sequences(await update_log.history(OTHER)) == list(range(1, 60))
