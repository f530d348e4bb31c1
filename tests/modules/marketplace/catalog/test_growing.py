"""What many ask for is found once, and anew as soon as anything has changed; what is large has a process of its own."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import structlog.testing

from opencode.kernel.ids import ProjectId, new_id
from opencode.modules.marketplace.adapters.catalog.apart import ApartCatalog, client
from opencode.modules.marketplace.adapters.catalog.embedded import EmbeddedCatalog
from opencode.modules.marketplace.adapters.catalog.growing import GrowingCatalog, GrowingSnapshots
from opencode.modules.marketplace.adapters.catalog.within import WithinCatalog
from opencode.modules.marketplace.domain.catalog import Found, IndexLost, Listing, Order, Position, Search, Standing

FIRST = ProjectId(new_id("prj"))
LARGE = 40
WORDS = ("loom", "shuttle", "weft", "warp", "heddle", "treadle", "bobbin")


class Counting(EmbeddedCatalog):
    """Tells how often it had to look."""

    looked = 0

    def search(self, search: Search) -> Found:
        self.looked += 1
        return super().search(search)


def listing(name: str, project_id: ProjectId | None = None) -> Listing:
    return Listing(project_id or ProjectId(new_id("prj")), name, name, "A loom.", "ada", 1, 1, standing=Standing())


def some(count: int) -> list[Listing]:
    chance = random.Random(count)
    return [
        replace(
            listing("-".join(chance.sample(WORDS, 2))),
            technologies=tuple(chance.sample(("python", "rust", "c"), 2)),
            license=chance.choice(("MIT", "Apache-2.0")),
            standing=Standing(float(chance.randint(0, 99)), chance.random()),
        )
        for _ in range(count)
    ]


async def filled() -> tuple[GrowingCatalog, Counting]:
    catalog = Counting()
    index = GrowingCatalog(WithinCatalog(catalog))
    await index.put([listing("loom", FIRST), *(listing(f"loom-{number}") for number in range(30))])
    return index, catalog


async def test_what_is_asked_again_is_not_looked_for_again() -> None:
    index, catalog = await filled()
    found = await index.search(Search("loo"))
    assert await index.search(Search("loo", order=Order.RELEVANCE)) is found
    assert catalog.looked == 1
    for other in (Search("loo", limit=5), Search("loom"), Search("loo", order=Order.NAME)):
        assert await index.search(other) == catalog.search(other)


async def put(index: GrowingCatalog) -> None:
    await index.put([listing("loom-new")])


async def remove(index: GrowingCatalog) -> None:
    await index.remove([FIRST])


async def star(index: GrowingCatalog) -> None:
    await index.stand([(FIRST, Standing(1e6, 1e6))])


@pytest.mark.parametrize("change", [put, remove, star])
async def test_after_a_change_nobody_is_told_what_was_before(
    change: Callable[[GrowingCatalog], Awaitable[None]],
) -> None:
    index, catalog = await filled()
    searches = [Search(text, order=order) for text in ("", "loom") for order in Order]
    before = [await index.search(each) for each in searches]
    await change(index)
    after = [await index.search(each) for each in searches]
    assert after == [catalog.search(each) for each in searches]
    assert after != before


async def test_answers_that_nobody_asks_for_again_make_room() -> None:
    index, catalog = await filled()
    for limit in range(1, 5_000):
        await index.search(Search("loom", limit=limit))
    catalog.looked = 0
    await index.search(Search("loom", limit=4_999))
    assert catalog.looked == 0
    await index.search(Search("loom", limit=1))
    assert catalog.looked == 1


# ------------------------------------------------------------------------------------------------------------- apart


@pytest.fixture
async def growing() -> AsyncGenerator[GrowingCatalog]:
    index = GrowingCatalog(large=LARGE)
    yield index
    await index.close()


def process_of(index: GrowingCatalog) -> int:
    assert isinstance(index.index, ApartCatalog)
    assert index.index._process
    return index.index._process.pid


def without_scores(found: Found) -> object:
    return [hit.id for hit in found.hits], found.total, found.facets, found.corrected


async def test_a_catalogue_that_has_grown_moves_to_a_process_of_its_own_and_finds_what_it_found(
    growing: GrowingCatalog,
) -> None:
    listings, alone = some(3 * LARGE), WithinCatalog()
    await growing.put(listings[: LARGE - 1])
    assert isinstance(growing.index, WithinCatalog)
    with structlog.testing.capture_logs() as logs:
        await growing.put(listings[LARGE - 1 :])
    assert [entry["projects"] for entry in logs if "process of its own" in entry["event"]] == [3 * LARGE]
    assert process_of(growing) != os.getpid()
    await alone.put(listings)
    for order in Order:
        for text in ("", "loo", "wfet", "warp treadle", "nothing"):
            asked = Search(text, order=order)
            assert without_scores(await growing.search(asked)) == without_scores(await alone.search(asked))


async def test_who_searches_while_it_moves_is_answered_and_what_is_put_then_is_found(growing: GrowingCatalog) -> None:
    listings = some(2 * LARGE)
    moving = asyncio.create_task(growing.put(listings))
    await asyncio.sleep(0)
    late = asyncio.create_task(growing.put([listing("zeppelin")]))
    starred = asyncio.create_task(growing.stand([(listings[7].id, Standing(1e6))]))
    answered = 0
    while not moving.done():
        assert (await growing.search(Search(limit=1))).total == len(listings)
        answered += 1
        await asyncio.sleep(0)
    assert answered
    await asyncio.gather(late, starred)
    assert (await growing.search(Search("zeppelin"))).total == 1
    assert (await growing.search(Search(order=Order.POPULARITY))).hits[0].id == listings[7].id


async def test_a_search_that_was_under_way_during_a_change_is_not_what_is_kept(growing: GrowingCatalog) -> None:
    await growing.put(some(2 * LARGE))
    before = asyncio.create_task(growing.search(Search("zeppelin")))
    await asyncio.sleep(0)
    await growing.put([listing("zeppelin")])
    assert (await before).total == 0
    assert (await growing.search(Search("zeppelin"))).total == 1


async def test_a_position_that_no_index_made_is_refused_there_as_here(growing: GrowingCatalog) -> None:
    await growing.put(some(2 * LARGE))
    asked = Search(order=Order.RECENT, after=Position("a name", FIRST))
    with pytest.raises(ValueError, match="no position in the order by recent"):
        await growing.search(asked)
    assert (await growing.search(Search())).total == 2 * LARGE


async def test_who_asks_when_its_process_is_killed_is_told_that_it_is_lost(growing: GrowingCatalog) -> None:
    await growing.put(some(2 * LARGE))
    lost = asyncio.create_task(growing.lost())
    os.kill(process_of(growing), signal.SIGSTOP)
    asking = [asyncio.create_task(growing.search(Search(word))) for word in WORDS]
    await asyncio.sleep(0)
    assert not lost.done()
    os.kill(process_of(growing), signal.SIGKILL)
    assert {type(each) for each in await asyncio.gather(*asking, return_exceptions=True)} == {IndexLost}
    await lost
    with pytest.raises(IndexLost):
        await growing.search(Search())
    successor = await growing.successor()
    await successor.put(some(3))
    assert await successor.count() == 3


async def test_closing_answers_what_was_asked_and_leaves_no_process(growing: GrowingCatalog) -> None:
    await growing.put(some(2 * LARGE))
    process = process_of(growing)
    asking = [asyncio.create_task(growing.search(Search(word))) for word in WORDS]
    await asyncio.sleep(0)
    await growing.close()
    assert all(each.total for each in await asyncio.gather(*asking))
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


async def test_a_process_that_does_not_answer_any_more_is_ended_with_its_server(
    growing: GrowingCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await growing.put(some(2 * LARGE))
    process = process_of(growing)
    monkeypatch.setattr(client, "_PATIENCE_S", 0.05)
    os.kill(process, signal.SIGSTOP)
    asking = asyncio.create_task(growing.search(Search()))
    await asyncio.sleep(0)
    await growing.close()
    with pytest.raises(IndexLost):
        await asking
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


async def test_whoever_leaves_while_it_moves_leaves_it_where_it_is_and_no_process_behind(
    growing: GrowingCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, start = asyncio.Event(), ApartCatalog.start

    async def starting() -> ApartCatalog:
        index = await start()
        processes.append(index)
        started.set()
        return index

    processes: list[ApartCatalog] = []
    monkeypatch.setattr(ApartCatalog, "start", starting)
    moving = asyncio.create_task(growing.put(some(2 * LARGE)))
    await started.wait()
    moving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await moving
    assert isinstance(growing.index, WithinCatalog)
    assert (await growing.search(Search())).total == 2 * LARGE
    assert processes[0]._process
    with pytest.raises(ProcessLookupError):
        os.kill(processes[0]._process.pid, 0)


async def test_where_there_can_be_no_further_process_it_stays_and_says_so_once(
    growing: GrowingCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched, structlog.testing.capture_logs() as logs:
        patched.setattr(client, "_WORKER", "no.such.module")
        await growing.put(some(2 * LARGE))
        await growing.put([listing("zeppelin")])
    assert ["own process" in entry["event"] for entry in logs if entry["log_level"] != "info"] == [True]
    assert isinstance(growing.index, WithinCatalog)
    assert (await growing.search(Search("zeppelin"))).total == 1
    await growing.settle()
    await growing.put([listing("zeppelin-two")])
    assert isinstance(growing.index, ApartCatalog)
    assert (await growing.search(Search("zeppelin"))).total == 2


async def test_what_is_large_is_kept_and_loaded_by_its_own_process_and_what_is_small_by_this_one(
    growing: GrowingCatalog, tmp_path: Path
) -> None:
    snapshots = GrowingSnapshots(tmp_path, large=LARGE)
    for many, kind in ((LARGE // 2, WithinCatalog), (2 * LARGE, ApartCatalog)):
        await growing.put(some(many))
        await growing.seal()
        with structlog.testing.capture_logs() as logs:
            await snapshots.save(growing)
        assert [entry["event"] for entry in logs] == ["catalogue's snapshot is written"]
        loaded = await snapshots.load()
        assert loaded
        try:
            assert type(loaded.index) is type(growing.index) is kind
            assert await loaded.count() == await growing.count()
            asked = Search("weft")
            assert without_scores(await loaded.search(asked)) == without_scores(await growing.search(asked))
            assert await loaded.look_through().outdated([FIRST], [1]) == [FIRST]
        finally:
            await loaded.close()


async def test_a_large_snapshot_that_is_damaged_is_not_used(growing: GrowingCatalog, tmp_path: Path) -> None:
    snapshots = GrowingSnapshots(tmp_path, large=LARGE)
    await growing.put(some(2 * LARGE))
    await growing.seal()
    await snapshots.save(growing)
    path = tmp_path / "index"
    path.write_bytes(path.read_bytes()[:2_000] + b"?" + path.read_bytes()[2_001:])
    with structlog.testing.capture_logs() as logs:
        assert await snapshots.load() is None
    assert ["checksum" in entry["why"] for entry in logs] == [True]


def test_the_process_ends_when_its_server_is_gone() -> None:
    ours, its = socket.socketpair()
    with its:
        process = subprocess.Popen(
            [sys.executable, "-m", client._WORKER, str(its.fileno())], pass_fds=[its.fileno()], stderr=subprocess.PIPE
        )
    ours.close()
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, b"")
