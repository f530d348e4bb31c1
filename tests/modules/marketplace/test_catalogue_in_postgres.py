"""A deployment whose index is in PostgreSQL: all servers find the same, and one fills or rebuilds it for all."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.marketplace.adapters.catalog_postgres import PostgresCatalog
from opencode.modules.marketplace.adapters.catalog_postgres.tables import Tables
from opencode.modules.marketplace.service import catalogue as catalogue_service
from opencode.modules.marketplace.service import comparing
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.doubles.identity import IdentityInMemory
from tests.modules.marketplace.conftest import PROJECTS, Market, Person, running

CATALOGUE = "/api/v1/marketplace/catalogue"


@pytest.fixture
def database_kind() -> str:
    return "postgres"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "PATIENCE_S", 0.0)


@pytest.fixture
async def market(parts: Parts, clock: ManualClock, settings: MarketplaceSettings) -> AsyncGenerator[Market]:
    async with running(
        parts, clock, settings, IdentityInMemory(clock), index=PostgresCatalog(parts.database)
    ) as market:
        yield market


@pytest.fixture
async def other_server(market: Market, settings: MarketplaceSettings) -> AsyncGenerator[Market]:
    index = PostgresCatalog(market.parts.database)
    async with running(market.parts, market.clock, settings, market.identity, index=index) as other:
        yield other


async def test_what_one_server_publishes_all_find_at_once_and_it_agrees(market: Market, other_server: Market) -> None:
    ada = market.member("Ada")
    for title in ("Engine", "Loom", "Gone"):
        await ada.create(title)
    nobody = Person(other_server.client, None, None)
    assert await nobody.names(sort="name") == ["engine", "gone", "loom"]
    await ada.put(f"{PROJECTS}/ada.loom/star")
    assert (await nobody.names(sort="popularity"))[0] == "loom"
    await ada.patch(f"{PROJECTS}/ada.engine", {"title": "Motor", "tags": ["it's", "back\\slash"]})
    assert await nobody.names(q="motr") == ["engine"]
    assert await nobody.names(tags=["it's", "back\\slash"]) == ["engine"]
    await ada.delete(f"{PROJECTS}/ada.gone")
    assert await nobody.names(sort="name") == ["engine", "loom"]
    await market.deliver()
    assert (await market.administrator().get(f"{CATALOGUE}/check")).json()["agree"]


async def test_a_server_that_starts_later_reads_nothing_again(
    market: Market, parts: Parts, clock: ManualClock, settings: MarketplaceSettings
) -> None:
    await market.member("Ada").create("Engine")
    async with running(parts, clock, settings, market.identity, index=PostgresCatalog(parts.database)) as late:
        assert late.module.catalogue.is_ready
        assert await Person(late.client, None, None).names() == ["engine"]


async def test_a_server_fills_the_index_where_there_was_none(
    parts: Parts, clock: ManualClock, settings: MarketplaceSettings
) -> None:
    identity = IdentityInMemory(clock)
    async with running(parts, clock, settings, identity) as embedded:
        ada = embedded.member("Ada")
        for title in ("Engine", "Loom"):
            await ada.create(title)
        await ada.put(f"{PROJECTS}/ada.loom/star")
    async with running(parts, clock, settings, identity, index=PostgresCatalog(parts.database)) as server:
        await server.module.catalogue.filled()
        assert await Person(server.client, None, None).names(sort="popularity") == ["loom", "engine"]
        assert (await server.administrator().get(f"{CATALOGUE}/check")).json()["agree"]


async def test_one_server_rebuilds_for_all_while_others_write(
    market: Market, other_server: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = market.member("Ada")
    for number in range(4):
        await ada.create(f"Engine {number}")
    monkeypatch.setattr(catalogue_service, "BATCH", 1)
    put, half_way, written = catalogue_service._put, asyncio.Event(), asyncio.Event()

    async def stop_half_way(*given: object) -> None:
        await put(*given)  # type: ignore[arg-type]
        if not half_way.is_set():
            half_way.set()
            await written.wait()

    charles = market.administrator()
    asked = (await charles.post(f"{CATALOGUE}/rebuild")).json()
    monkeypatch.setattr(catalogue_service, "_put", stop_half_way)
    await half_way.wait()
    monkeypatch.setattr(catalogue_service, "_put", put)
    elsewhere = Person(other_server.client, ada.token, ada.principal)
    await elsewhere.patch(f"{PROJECTS}/ada.engine-0", {"title": "Changed zero"})
    await elsewhere.patch(f"{PROJECTS}/ada.engine-3", {"title": "Changed three"})
    await elsewhere.delete(f"{PROJECTS}/ada.engine-1")
    await elsewhere.create("Loom")
    assert len(await elsewhere.names()) == 4
    written.set()
    for server in (market, other_server):
        await server.module.errands.look()
        await server.module.errands.done()
    told = (await charles.get(f"{CATALOGUE}/rebuild/{asked['id']}")).json()
    assert [(each["process"], each["state"]) for each in told["processes"]] == [("all", "done")]
    for client in (ada, elsewhere):
        assert set(await client.names()) == {"engine-0", "engine-2", "engine-3", "loom"}
        assert set(await client.names(q="changed")) == {"engine-0", "engine-3"}
    assert (await charles.get(f"{CATALOGUE}/check")).json()["agree"]


async def test_a_search_that_meets_a_rebuild_looks_again(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    await market.member("Ada").create("Engine")
    tables_of, rebuilt = PostgresCatalog._tables, False

    async def rebuild_meanwhile(self: PostgresCatalog, connection: AsyncConnection) -> Tables:
        nonlocal rebuilt
        found = await tables_of(self, connection)
        if not rebuilt:
            rebuilt = True
            await market.module.catalogue.rebuild()
        return found

    monkeypatch.setattr(PostgresCatalog, "_tables", rebuild_meanwhile)
    assert await market.nobody().names(q="engine") == ["engine"]


@pytest.mark.parametrize(
    "query",
    [{"tags": "\0"}, {"tags": "x" * 5000}, {"tags": "'"}, {"tags": "a\\"}, {"license": "é" * 300}, {"q": "'\\:*&|!()"}],
)
async def test_whatever_is_asked_is_answered(market: Market, query: dict[str, str]) -> None:
    await market.member().create()
    assert (await market.nobody().get(PROJECTS, **query)).status_code == 200
