"""Searching over HTTP, and the index of every server in step with the store."""

import asyncio
from dataclasses import replace

import pytest

from opencode.infra.db import Database
from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import ProjectId
from opencode.kernel.pages import decode_cursor, encode_cursor
from opencode.modules.marketplace.domain.catalog import Listing, Order
from opencode.modules.marketplace.settings import MarketplaceSettings
from opencode.modules.marketplace.store import read_cards, read_project, reading
from tests.modules.marketplace.conftest import PROJECTS, Json, Market, Person, running


def facet(found: Json, name: str) -> dict[str, int]:
    return {entry["value"]: entry["count"] for entry in found["facets"][name]}


async def settled(market: Market, other: Market, **query: str) -> list[str]:
    """What the other server finds once it has heard of everything."""
    await market.deliver()
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        while (found := await Person(other.client, None, None).names(**query)) != await market.nobody().names(**query):
            await asyncio.sleep(0.01)
    return found


async def test_technologies_and_tags_are_all_of_them_and_every_choice_has_its_exact_count(market: Market) -> None:
    ada = market.member()
    await ada.create("One", technologies=["Python", "Rust"], tags=["web"], license="MIT")
    await ada.create("Two", technologies=["python"], tags=["web", "cli"], license="Apache-2.0")
    await ada.create("Three", technologies=["Go"], price={"amount_minor": 100, "currency": "USD"})
    found = await ada.search()
    assert found["total"] == 3
    assert facet(found, "technologies") == {"Python": 2, "Go": 1, "Rust": 1}
    assert facet(found, "price") == {"free": 2, "paid": 1}
    assert facet(found, "license") == {"MIT": 2, "Apache-2.0": 1}
    assert set(await ada.names(technologies=["Python", "rust"])) == {"one"}
    assert set(await ada.names(tags=["web"])) == {"one", "two"}
    assert set(await ada.names(tags=["web", "cli"])) == {"two"}
    assert set(await ada.names(license="apache-2.0")) == {"two"}
    assert set(await ada.names(price="paid")) == {"three"}
    assert set(await ada.names(technologies=["Go", "Rust"])) == set()


async def test_what_is_read_at_a_glance_is_what_the_store_reads(market: Market, database: Database) -> None:
    ada = market.member()
    made = await ada.create("One", technologies=["Python"], tags=["web"], license="MIT", description="# One")
    two, draft = await ada.create("Two"), await ada.create("Draft", status="draft")
    ids = [ProjectId(each) for each in (made["id"], two["id"], draft["id"], "prj_none")]
    async with reading(database) as stores:
        assert await read_cards(database, ids) == await stores.projects.cards(ids)
        for name in ("one", "two", "draft", "none"):
            assert await read_project(database, "ada", name) == await stores.projects.find("ada", name)
    assert len(await read_cards(database, ids)) == 2


async def test_a_card_has_all_that_a_list_shows_in_less_than_a_kilobyte(market: Market) -> None:
    ada = market.member("Ada")
    made = await ada.create("Engine", summary="s" * 300, description="d" * 100_000)
    answer = await ada.get(PROJECTS)
    (card,) = answer.json()["items"]
    assert card["owner"] == {"handle": "ada", "display_name": "Ada"}
    shared = ["id", "slug", "name", "title", "summary", "technologies", "license", "price", "tags"]
    shared += ["stars", "downloads", "updated_at", "featured"]
    assert {name: card[name] for name in shared} == {name: made[name] for name in shared}
    assert len(answer.content) < 1024 + 400


async def test_a_result_says_why_it_ranks_where_it_does(market: Market) -> None:
    ada = market.member()
    await ada.create("Analytical Engine")
    await ada.create("Engine Oil")
    [exact, other] = (await ada.search(q="analytical engine"))["items"] + (await ada.search(q="engine oil"))["items"]
    for found in (exact, other):
        parts = {reason["part"]: reason["value"] for reason in found["why"]}
        assert parts["text"] > 0
        assert (parts["trust"], parts["name"]) == (1.0, 1_000_000.0)
    assert (await ada.search())["items"][0]["why"] == []


async def test_a_misspelt_word_is_corrected_and_it_is_said_so(market: Market) -> None:
    ada = market.member()
    await ada.create("Analytical Engine")
    found = await ada.search(q="analitical")
    assert [item["name"] for item in found["items"]] == ["analytical-engine"]
    assert found["corrected"] == "analytical"
    assert (await ada.search(q="analytical"))["corrected"] is None


@pytest.mark.parametrize("sort", ["relevance", "popularity", "trending", "recent", "name"])
async def test_a_walk_from_page_to_page_sees_every_project_once_in_every_order(
    market: Market, clock: ManualClock, sort: str
) -> None:
    ada = market.member()
    for number in range(23):
        await ada.create(f"Engine {number % 7}")
        clock.advance(number % 2)
    query = {"sort": sort, "q": "engine", "limit": 5}
    seen: list[str] = []
    page = await ada.search(**query)
    while True:
        assert page["total"] == 23
        seen += [item["slug"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        page = await ada.search(**query, cursor=page["next_cursor"])
    assert len(seen) == len(set(seen)) == 23
    assert seen == [item["slug"] for item in (await ada.search(**{**query, "limit": 200}))["items"]]


async def test_names_come_in_alphabetical_order_and_recent_ones_newest_first(
    market: Market, clock: ManualClock
) -> None:
    ada = market.member()
    for title in ("Beta", "Gamma", "Alpha"):
        await ada.create(title)
        clock.advance(1)
    assert await ada.names(sort="name") == ["alpha", "beta", "gamma"]
    assert await ada.names(sort="recent") == ["alpha", "gamma", "beta"]


async def test_a_cursor_is_good_for_its_own_search_only(market: Market) -> None:
    ada = market.member()
    for number in range(3):
        await ada.create(f"Engine {number}")
    cursor = (await ada.search(q="engine", sort="recent", limit=1))["next_cursor"]
    for other in ({"q": "engines"}, {"sort": "name"}, {"tags": "math"}, {"license": "MIT"}, {"price": "free"}):
        query = {"q": "engine", "sort": "recent", "limit": 1, "cursor": cursor, **other}
        answer = await ada.get(PROJECTS, **query)
        assert answer.status_code == 400, other
        assert answer.json()["errors"][0]["pointer"] == "/cursor"
    same = await ada.get(PROJECTS, q="  engine", sort="recent", limit=2, cursor=cursor)
    assert len(same.json()["items"]) == 2


async def test_a_forged_cursor_is_refused(market: Market) -> None:
    await market.member().create()
    forged = ["x", "%00", encode_cursor(()), encode_cursor((1, 2, 3, 4)), encode_cursor(("m", "f", "nan", "prj"))]
    for cursor in forged:
        assert (await market.nobody().get(PROJECTS, cursor=cursor)).status_code == 400, cursor


async def test_a_number_that_is_none_is_no_place_in_an_order(market: Market) -> None:
    ada = market.member()
    for _ in range(2):
        await ada.create()
    good = decode_cursor((await ada.search(limit=1))["next_cursor"])
    for kind, key in (("f", "nan"), ("f", "inf"), ("i", "x"), ("q", "1"), ("s", "word")):
        cursor = encode_cursor((good[0], kind, key, good[3]))
        assert (await ada.get(PROJECTS, limit=1, cursor=cursor)).status_code == 400, (kind, key)


@pytest.mark.parametrize("order", Order)
async def test_whatever_a_forged_position_says_it_is_a_page_or_a_refusal(market: Market, order: Order) -> None:
    ada = market.member()
    for _ in range(3):
        await ada.create()
    mark, _, key, project_id = map(str, decode_cursor((await ada.search(limit=1, sort=order))["next_cursor"]))
    ids = [project_id, "prj_" + "Z" * 26, "prj_" + "7" * 26, "prj_" + "0" * 26, "prj_", "prj_é", "usr_" + "0" * 26]
    keys = [
        ("i", str(10**40)),
        ("i", str(-(10**40))),
        ("f", "1e308"),
        ("f", "-0.0"),
        ("s", "zz"),
        ("s", ""),
        ("s", "00" * 99),
    ]
    for kind, forged in [*keys, ("s", key), ("f", key)]:
        for each in ids:
            answer = await ada.get(PROJECTS, limit=1, sort=order, cursor=encode_cursor((mark, kind, forged, each)))
            assert answer.status_code in (200, 400), (kind, forged, each, answer.text)


@pytest.mark.parametrize(
    "query",
    [{"sort": "magic"}, {"price": "cheap"}, {"limit": 0}, {"limit": 201}, {"q": "x" * 201}, {"tags": ["x"] * 41}],
)
async def test_a_search_that_makes_no_sense_is_refused(market: Market, query: Json) -> None:
    assert (await market.nobody().get(PROJECTS, **query)).status_code == 400


@pytest.mark.parametrize("q", ["\0", "' or 1=1 --", "🦀", "\ud7ff\u202e", "(" * 200, "%", "   "])
async def test_whatever_is_typed_is_answered(market: Market, q: str) -> None:
    await market.member().create()
    assert (await market.nobody().get(PROJECTS, q=q)).status_code == 200


async def test_every_server_hears_of_every_change(market: Market, other_server: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    await ada.create("Loom")
    assert await settled(market, other_server, sort="name") == ["engine", "loom"]
    await ada.patch(f"{PROJECTS}/ada.engine", {"title": "Motor", "name": "motor"})
    assert await settled(market, other_server, q="motor") == ["motor"]
    await ada.patch(f"{PROJECTS}/ada.motor", {"status": "archived"})
    assert await settled(market, other_server) == ["loom"]
    await ada.put(f"{PROJECTS}/ada.loom/star")
    await ada.delete(f"{PROJECTS}/ada.loom")
    assert await settled(market, other_server) == []


async def test_every_server_hears_how_projects_stand(market: Market, other_server: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    await ada.create("Loom")
    assert await settled(market, other_server, sort="popularity") == ["loom", "engine"]
    await ada.put(f"{PROJECTS}/ada.engine/star")
    assert await settled(market, other_server, sort="popularity") == ["engine", "loom"]


async def test_a_server_that_starts_reads_what_is_there_with_how_it_stands(
    market: Market, parts: Parts, clock: ManualClock, settings: MarketplaceSettings
) -> None:
    ada = market.member("Ada")
    for title in ("Engine", "Loom"):
        await ada.create(title)
    await ada.create("Secret", status="draft")
    await ada.put(f"{PROJECTS}/ada.engine/star")
    async with running(parts, clock, settings, market.identity) as late:
        await late.module.catalogue.filled()
        assert await Person(late.client, None, None).names(sort="popularity") == ["engine", "loom"]


async def test_a_server_is_up_before_its_catalogue_and_says_when_to_come_back(
    market: Market, parts: Parts, clock: ManualClock, settings: MarketplaceSettings
) -> None:
    await market.member("Ada").create("Engine")
    async with running(parts, clock, settings, market.identity) as late:
        nobody = Person(late.client, None, None)
        async with late.module.catalogue._turn:  # the fill waits for this
            answer = await nobody.get(PROJECTS)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert (await nobody.get(f"{PROJECTS}/ada.engine")).status_code == 200
            assert "catalogue" in late.module.plug.notices()
        await late.module.catalogue.filled()
        assert await nobody.names() == ["engine"]
        assert late.module.plug.notices() == {}


async def test_a_server_that_lost_messages_reads_everything_again(market: Market, other_server: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    await market.parts.pubsub.publish("marketplace.catalogue", b"\xc1 no message")
    async with asyncio.timeout(5):
        while await Person(other_server.client, None, None).names() != ["engine"]:
            await asyncio.sleep(0.01)


async def test_what_the_index_has_and_the_store_has_not_disappears_when_a_search_comes_upon_it(
    market: Market,
) -> None:
    ada = market.member("Ada")
    made = await ada.create("Engine")
    ghost = Listing(
        id=made["id"][:-4] + "ZZZZ", name="ghost", title="", summary="", owner="", created_at=0, updated_at=0
    )
    market.index.put([ghost, replace(ghost, id=made["id"], name="engine")])
    assert await ada.names() == ["engine"]
    assert (await ada.search())["total"] == 1
