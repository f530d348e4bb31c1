"""A server that starts takes up the index that it kept, and answers as if it had read everything."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
from sqlalchemy import delete, insert, select

from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.marketplace.adapters.catalog.growing import LARGE, GrowingCatalog, GrowingSnapshots
from opencode.modules.marketplace.service import catalogue as catalogue_service
from opencode.modules.marketplace.service import catching_up, comparing
from opencode.modules.marketplace.settings import MarketplaceSettings
from opencode.modules.marketplace.store.projects import ProjectStore
from opencode.modules.marketplace.store.tables import counters, handles, profiles, projects, slugs
from tests.doubles.identity import IdentityInMemory
from tests.modules.marketplace.conftest import CASES, PROJECTS, Json, Market, Person, running

USERS = "/api/v1/users"
Start = Callable[[], AbstractAsyncContextManager[Market]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is on its way when index and store are compared here."""
    monkeypatch.setattr(comparing, "PATIENCE_S", 0.0)


@pytest.fixture
def identity(clock: ManualClock) -> IdentityInMemory:
    return IdentityInMemory(clock)


@pytest.fixture(params=["within", "apart"])
def start(
    parts: Parts,
    clock: ManualClock,
    settings: MarketplaceSettings,
    identity: IdentityInMemory,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Start:
    """Starts a server whose index is kept, small or large; it is ready when it has been entered."""
    large = 1 if request.param == "apart" else LARGE

    @asynccontextmanager
    async def start() -> AsyncGenerator[Market]:
        snapshots, index = GrowingSnapshots(tmp_path / "catalogue", large), GrowingCatalog(large=large)
        async with running(parts, clock, settings, identity, index=index, snapshots=snapshots) as market:
            await market.module.catalogue.filled()
            yield market

    return start


@pytest.fixture
def other(parts: Parts, clock: ManualClock, settings: MarketplaceSettings, identity: IdentityInMemory) -> Start:
    """Starts a server of the same deployment that keeps nothing."""

    @asynccontextmanager
    async def start() -> AsyncGenerator[Market]:
        async with running(parts, clock, settings, identity) as market:
            await market.module.catalogue.filled()
            yield market

    return start


@asynccontextmanager
async def starting(start: Start) -> AsyncGenerator[tuple[Market, Json]]:
    """A server, and what its catalogue said last while it started."""
    with structlog.testing.capture_logs() as logs:
        async with start() as market:
            said = [dict(entry) for entry in logs if "catalogue" in entry["event"]]
            yield market, {"events": [entry["event"] for entry in said], **{k: v for e in said for k, v in e.items()}}


def has_caught_up(said: Json) -> bool:
    return "catalogue has caught up" in said["events"]


async def answers(market: Market) -> list[object]:
    """All that can be seen of a catalogue, but for scores."""
    told: list[object] = []
    asked: list[dict[str, str]] = [{}, {"q": "engine"}, {"tags": "math"}, {"technologies": "python"}, {"q": "ada"}]
    asked += [{"license": "mit"}, {"price": "paid"}, {"featured": "true"}, {"q": "word3"}, {"q": "renamed"}]
    for each in asked:
        for sort in ("relevance", "popularity", "trending", "recent", "name"):
            found = await market.nobody().search(**each, sort=sort, limit=200)
            items = [{name: value for name, value in item.items() if name != "why"} for item in found["items"]]
            if sort == "relevance":
                items.sort(key=lambda item: item["id"])
            told.append((each, sort, found["total"], found["facets"], items))
    return told


async def agrees(market: Market) -> bool:
    """Neither the comparison by digests, nor a rebuild, finds anything."""
    found = await market.module.catalogue.check()
    before = await answers(market)
    await market.module.catalogue.rebuild()
    return found.disagreements == 0 and await answers(market) == before


async def test_a_server_that_stopped_is_searchable_again_without_reading_a_project(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start() as market:
        ada = market.member("Ada")
        for number in range(5):
            await ada.create(f"Engine {number}", tags=["math", f"word{number}"])
        await ada.put(f"{PROJECTS}/ada.engine-3/star")
        before = await answers(market)

    async def must_not_read(*_: object, **__: object) -> None:
        raise AssertionError("a project was read")

    monkeypatch.setattr(ProjectStore, "listed_after", must_not_read)
    async with starting(start) as (market, said):
        assert has_caught_up(said)
        assert (said["changed"], said["stood"]) == (0, 0)
        assert await answers(market) == before


KINDS = ("create", "create", "change", "star", "load", "archive", "delete", "rename", "hold", "feature")


async def act(chance: random.Random, people: list[Person], minerva: Person, charles: Person, number: int) -> None:
    """Something that people, moderators or administrators do, of all that a catalogue shows."""
    who = chance.choice(people)
    mine = [each["slug"] for each in (await who.get("/api/v1/me/projects", limit=200)).json()["items"]]
    at = f"{PROJECTS}/{chance.choice(mine)}" if mine else ""
    match chance.choice(KINDS):
        case "change" if at:
            words = {"summary": f"word{number % 5} {number}", "tags": ["math"], "name": f"engine-n{number}"}
            await who.patch(at, words)
        case "star" if at:
            await chance.choice(people).put(f"{at}/star")
        case "load" if at:
            await who.post(f"{at}/downloads")
        case "archive" if at:
            await who.patch(at, {"status": chance.choice(("archived", "published"))})
        case "delete" if at:
            await who.delete(at)
        case "rename":
            handle = (await who.get("/api/v1/me/profile")).json()["handle"]
            renamed = await who.patch(f"{USERS}/{handle}", {"handle": f"renamed{number}"})
            assert renamed.status_code == 200
        case "hold" if at:
            await people[0].post(f"{at}/reports", {"reason": "spam", "text": "It only advertises."})
            await people[1].post(f"{at}/reports", {"reason": "spam", "text": "It only advertises."})
            for case in (await minerva.get(CASES)).json()["items"]:
                decision = chance.choice(("quarantine", "restore"))
                await minerva.post(f"{CASES}/{case['id']}/decide", {"decision": decision, "reason": "So."})
        case "feature" if at:
            await charles.patch(at, {"featured": chance.random() < 0.7})
        case _:
            status = chance.choice(("published", "published", "draft"))
            price = chance.choice((None, {"amount_minor": 100, "currency": "USD"}))
            tags = ["math", f"word{number % 5}"]
            await who.create(f"Engine {number}", status=status, price=price, tags=tags)


@dataclass(slots=True)
class History:
    """People who go on doing things, whichever server runs."""

    chance: random.Random
    clock: ManualClock
    identity: IdentityInMemory
    tokens: list[str] = field(default_factory=list[str])
    number: int = 0

    def __post_init__(self) -> None:
        for name in ("Ada", "Grace", "Alan"):
            self.tokens.append(self.identity.add_user(name, permissions=frozenset({"projects:write"})))
        for name, further in (("Minerva", "projects:moderate"), ("Charles", "projects:manage")):
            self.tokens.append(self.identity.add_user(name, permissions=frozenset({"projects:write", further})))

    async def go_on(self, market: Market, times: int) -> None:
        *people, minerva, charles = map(market.guest, self.tokens)
        for _ in range(times):
            self.number += 1
            self.clock.advance(self.chance.choice((0, 0, 1, 3600)))
            await act(self.chance, people, minerva, charles, self.number)
        await market.module.counting.tell_rest()


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happened_since_it_was_kept_it_answers_as_if_it_had_read_everything(
    start: Start, other: Start, clock: ManualClock, identity: IdentityInMemory, seed: int
) -> None:
    history = History(random.Random(seed), clock, identity)
    changed = 0
    for _ in range(3):
        async with start() as market:
            await history.go_on(market, 20)
        async with other() as market:
            await history.go_on(market, 15)
        async with starting(start) as (market, said):
            changed += said["changed"] + said["stood"]
            assert await agrees(market)
    assert changed


async def test_a_database_that_was_brought_back_and_went_another_way_is_seen_for_what_it_is(
    start: Start, other: Start, parts: Parts, clock: ManualClock, identity: IdentityInMemory
) -> None:
    ada = identity.add_user("Ada", permissions=frozenset({"projects:write"}))
    async with start() as market:
        person = market.guest(ada)
        for number in range(4):
            await person.create(f"Engine {number}")
    tables = (projects, slugs, counters, profiles, handles)
    async with parts.database.read() as connection:
        backup = {table: (await connection.execute(select(table))).mappings().all() for table in tables}
    async with start() as market:
        person = market.guest(ada)
        await person.patch(f"{PROJECTS}/ada.engine-0", {"title": "Lost"})
        await person.put(f"{PROJECTS}/ada.engine-1/star")
        await person.delete(f"{PROJECTS}/ada.engine-2")
        await person.create("Lost too")
    async with parts.database.begin() as connection:
        for table in tables:
            await connection.execute(delete(table))
            await connection.execute(insert(table), [dict(row) for row in backup[table]])
    async with other() as market:
        # The same revision at the same moment, and something else.
        await market.guest(ada).patch(f"{PROJECTS}/ada.engine-0", {"title": "Kept"})
    async with starting(start) as (market, said):
        assert (said["changed"], said["stood"]) == (3, 1)
        found = (await market.nobody().search(sort="name"))["items"]
        assert [item["title"] for item in found] == ["Kept", "Engine 1", "Engine 2", "Engine 3"]
        assert await agrees(market)


async def test_what_is_of_another_database_is_not_used_and_it_is_said_why(
    start: Start, other: Start, parts: Parts, identity: IdentityInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_service, "_FEW", 2)
    ada = identity.add_user("Ada", permissions=frozenset({"projects:write"}))
    async with start() as market:
        for number in range(4):
            await market.guest(ada).create(f"Engine {number}")
    async with parts.database.begin() as connection:
        for table in (projects, slugs, counters):
            await connection.execute(delete(table))
    async with other() as market:
        for number in range(3):
            await market.guest(ada).create(f"Loom {number}")
    async with starting(start) as (market, said):
        assert "another database" in said["why"]
        assert "catalogue is filled" in said["events"]
        assert await market.nobody().names(sort="name") == ["loom-0", "loom-1", "loom-2"]
        assert await agrees(market)


async def test_a_damaged_file_costs_time_and_nothing_else(
    start: Start, identity: IdentityInMemory, tmp_path: Path
) -> None:
    ada = identity.add_user("Ada", permissions=frozenset({"projects:write"}))
    async with start() as market:
        await market.guest(ada).create("Engine")
    path = tmp_path / "catalogue" / "index"
    path.write_bytes(path.read_bytes()[:-1])
    async with starting(start) as (market, said):
        assert said["why"] == "its end is missing"
        assert await market.nobody().names() == ["engine"]
    async with starting(start) as (market, said):
        assert has_caught_up(said)  # it was kept again when the server stopped


async def test_nobody_searches_before_it_has_caught_up_and_what_changes_meanwhile_is_in_it(
    start: Start,
    other: Start,
    parts: Parts,
    clock: ManualClock,
    settings: MarketplaceSettings,
    identity: IdentityInMemory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada = identity.add_user("Ada", permissions=frozenset({"projects:write"}))
    async with start() as market:
        for title in ("Engine", "Loom", "Mill"):
            await market.guest(ada).create(title)
    compared, go_on = asyncio.Event(), asyncio.Event()
    changes_since = catalogue_service.changes_since

    async def slowly(*given: Any) -> Any:
        found = await changes_since(*given)
        compared.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(catalogue_service, "changes_since", slowly)
    snapshots = GrowingSnapshots(tmp_path / "catalogue")
    async with running(parts, clock, settings, identity, snapshots=snapshots) as late:
        await compared.wait()
        person = late.guest(ada)
        assert (await person.get(PROJECTS)).status_code == 503
        await person.patch(f"{PROJECTS}/ada.loom", {"name": "jacquard"})
        await person.delete(f"{PROJECTS}/ada.mill")
        await person.put(f"{PROJECTS}/ada.jacquard/star")
        await person.create("Wheel")
        go_on.set()
        await late.module.catalogue.filled()
        assert await person.names(sort="popularity") == ["jacquard", "wheel", "engine"]
        assert await agrees(late)


async def test_a_rename_alone_is_seen_after_a_restart(start: Start, other: Start, identity: IdentityInMemory) -> None:
    ada = identity.add_user("Ada", permissions=frozenset({"projects:write"}))
    async with start() as market:
        await market.guest(ada).create("Engine")
    async with other() as market:
        assert (await market.guest(ada).patch(f"{USERS}/ada", {"handle": "countess"})).status_code == 200
    async with starting(start) as (market, said):
        assert (said["changed"], said["stood"]) == (1, 0)
        assert await market.nobody().names(q="countess") == ["engine"]
        assert await market.nobody().names(q="ada") == []


@pytest.mark.parametrize("rows", [1, 2, 5])
async def test_versions_and_standings_are_read_in_parts_of_any_size(
    start: Start, identity: IdentityInMemory, monkeypatch: pytest.MonkeyPatch, clock: ManualClock, rows: int
) -> None:
    monkeypatch.setattr(catching_up, "_ROWS", rows)
    ada = identity.add_user("Ada", permissions=frozenset({"projects:write"}))
    async with start() as market:
        person = market.guest(ada)
        for number in range(5):
            await person.create(f"Engine {number}")
            clock.advance(12_345.678)
            await person.put(f"{PROJECTS}/ada.engine-{number}/star")
    async with starting(start) as (market, said):
        assert (said["changed"], said["stood"]) == (0, 0)
        assert (await market.nobody().search())["total"] == 5
