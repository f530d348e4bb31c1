"""Group commit: many edits in one write, in order, until it works."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.domain.log import StoredDocument
from opencode.modules.collaboration.domain.records import Record, RecordKind
from opencode.modules.collaboration.service import commit as commit_module
from opencode.modules.collaboration.service.commit import GroupCommit
from tests.modules.collaboration.kit import Person, Stage, until


class MemoryLog:
    """An update log in memory that can be made to fail, or to wait."""

    def __init__(self) -> None:
        self.batches: list[list[Record]] = []
        self.failures = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.settled = 0
        self.synced = 0

    def commit_at_once(self, records: list[Record]) -> bool:
        if not self.gate.is_set():
            return False
        self._write(records)
        return True

    async def commit(self, records: list[Record]) -> None:
        await self.gate.wait()
        self._write(records)

    def _write(self, records: list[Record]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is full")
        self.batches.append(records)

    async def sync(self) -> None:
        self.synced += 1

    async def settle(self) -> None:
        self.settled += 1

    async def load(self, document_id: DocumentId) -> StoredDocument:
        return StoredDocument(None, 0, frozenset(), await self.history(document_id))

    async def history(self, document_id: DocumentId) -> list[Record]:
        return [record for batch in self.batches for record in batch if record.document_id == document_id]

    async def save_snapshot(self, document_id: DocumentId, sequence: int, seeds: frozenset[str], state: bytes) -> None:
        raise NotImplementedError

    async def delete(self, document_id: DocumentId) -> None:
        raise NotImplementedError


class CutWire:
    """An outlet that fails."""

    def write(self, frame: bytes) -> None:
        raise RuntimeError(f"{len(frame)} bytes went nowhere, on purpose")

    def close(self, code: int, reason: str) -> None: ...


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def commit(log: MemoryLog) -> GroupCommit:
    return GroupCommit(log, window_s=0.002)


@pytest.fixture
async def ada(commit: GroupCommit) -> Person:
    return writer_on(commit)


def writer_on(commit: GroupCommit, document: str = "doc_1", person: str = "usr_ada") -> Person:
    stage = Stage(document_id=DocumentId(document))
    stage.room._journal = commit
    return stage.enter(person)


@pytest.fixture
def retry_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_module, "RETRY_S", (0.001,))


async def test_edits_of_several_rooms_within_a_few_milliseconds_are_one_write(
    commit: GroupCommit, log: MemoryLog
) -> None:
    people = [writer_on(commit, f"doc_{number}") for number in range(5)]
    for person in people:
        for key in "keys":
            person.type(key)
    await commit.flushed()
    assert len(log.batches) == 1
    assert len(log.batches[0]) == 20
    for person in people:
        assert person.wire.acknowledgements() == [(5, 4)]


async def test_nothing_is_acknowledged_before_it_is_written(commit: GroupCommit, log: MemoryLog, ada: Person) -> None:
    log.gate.clear()
    ada.type("x")
    await asyncio.sleep(0.02)
    assert ada.wire.acknowledgements() == []
    log.gate.set()
    await commit.flushed()
    assert ada.wire.acknowledgements() == [(2, 1)]


async def test_what_comes_while_a_write_is_on_its_way_waits_behind_it(
    commit: GroupCommit, log: MemoryLog, ada: Person
) -> None:
    await commit.flushed()
    log.gate.clear()
    ada.type("a")
    await asyncio.sleep(0.01)
    for key in "bcd":
        ada.type(key)
    await asyncio.sleep(0.01)
    log.gate.set()
    await commit.flushed()
    assert [[record.sequence for record in batch] for batch in log.batches] == [[1], [2, 3, 4]]
    assert [settled for settled, _ in ada.wire.acknowledgements()] == [1, 2, 5]


@pytest.mark.usefixtures("retry_at_once")
async def test_a_log_that_fails_for_a_while_loses_nothing_and_says_so_meanwhile(
    commit: GroupCommit, log: MemoryLog, ada: Person
) -> None:
    log.failures = 4
    ada.type("a")
    await until(lambda: log.failures < 3)  # the first try is silent: another may simply have been writing
    with pytest.raises(RuntimeError, match="disk is full"):
        commit.check()
    ada.type("b")
    await commit.flushed()
    await commit.flushed()
    commit.check()
    assert [record.sequence for batch in log.batches for record in batch] == [1, 2]
    assert ada.wire.acknowledgements()[-1] == (3, 2)


async def test_one_socket_that_cannot_be_told_does_not_stop_everybodys_edits_from_being_written(
    commit: GroupCommit, log: MemoryLog, ada: Person
) -> None:
    grace = writer_on(commit, "doc_2", "usr_grace")
    ada.type("a")
    ada.peer.outlet = CutWire()
    grace.type("g")
    await commit.flushed()
    grace.type("h")
    await commit.flushed()
    assert sum(map(len, log.batches)) == 3
    assert grace.wire.acknowledgements()[-1] == (3, 2)


async def test_a_refusal_is_settled_in_its_turn(commit: GroupCommit, ada: Person) -> None:
    await commit.flushed()
    ada.type("a")
    ada.send_update(b"not an update")
    ada.type("b")
    await commit.flushed()
    assert ada.wire.refusals() == [(3, "malformed")]
    assert ada.wire.acknowledgements()[-1] == (4, 2)


async def test_updates_are_counted_by_what_became_of_them(commit: GroupCommit, ada: Person) -> None:
    def count(outcome: str) -> float:
        return REGISTRY.get_sample_value("opencode_updates_total", {"outcome": outcome}) or 0.0

    written, malformed, read_only = count("written"), count("malformed"), count("read-only")
    ada.type("abc")
    ada.send_update(b"not an update")
    ada.peer.may_write = False
    ada.type("d")
    await commit.flushed()
    assert count("written") - written == 1
    assert count("malformed") - malformed == 1
    assert count("read-only") - read_only == 1


async def test_a_backlog_that_grows_too_large_is_noticed_and_forgotten_once_written(
    commit: GroupCommit, log: MemoryLog, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_module, "MAX_BACKLOG_BYTES", 10_000)
    log.gate.clear()
    ada.type("x" * 20_000)
    assert commit.overloaded
    log.gate.set()
    await commit.flushed()
    assert not commit.overloaded


async def test_flushing_an_idle_log_returns_at_once(commit: GroupCommit) -> None:
    async with asyncio.timeout(1):
        await commit.flushed()


async def test_settling_is_left_out_when_nothing_was_written(commit: GroupCommit, log: MemoryLog, ada: Person) -> None:
    await commit.flushed()
    await commit.settle()
    assert log.settled == 0
    ada.type("a")
    await commit.flushed()
    await commit.settle()
    await commit.settle()
    assert log.settled == 1


async def test_edits_are_made_safe_from_a_loss_of_power_once_and_not_when_nothing_was_written(
    commit: GroupCommit, log: MemoryLog, ada: Person
) -> None:
    await commit.flushed()
    await commit.sync()
    assert log.synced == 0
    ada.type("a")
    await commit.flushed()
    await commit.sync()
    await commit.sync()
    assert log.synced == 1


async def test_the_servers_own_record_is_durable_when_the_call_returns(commit: GroupCommit, log: MemoryLog) -> None:
    record = Record(DocumentId("doc_1"), 1, 0, RecordKind.SEED, "python", b"\x00\x00")
    await commit.write(record)
    assert log.batches == [[record]]
