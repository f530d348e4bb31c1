"""Collections: projects that somebody puts together, for all or for themselves."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.collection import MAX_ITEMS, Item
from opencode.modules.marketplace.settings import MarketplaceSettings
from opencode.modules.marketplace.store import MarketplaceWork
from opencode.modules.marketplace.store.tables import collection_items
from tests.modules.marketplace.conftest import PROJECTS, Json, Market, Person

COLLECTIONS = "/api/v1/collections"
MINE = "/api/v1/me/collections"


@pytest.fixture
def settings() -> MarketplaceSettings:
    return MarketplaceSettings(project_writes_per_minute=100_000, acts_per_minute=100_000, collections_per_person=3)


@pytest.fixture
async def ada(market: Market) -> Person:
    """The author of four projects."""
    ada = market.member("Ada")
    for title in ("Alpha", "Beta", "Gamma", "Delta"):
        await ada.create(title)
    return ada


async def made(person: Person, **fields: Any) -> str:
    """The path of a new collection."""
    answer = await person.post(COLLECTIONS, {"title": "Engines", "visibility": "public", **fields})
    assert answer.status_code == 201, answer.text
    return f"{COLLECTIONS}/{answer.json()['id']}"


async def names(person: Person, path: str) -> list[str]:
    found = (await person.get(f"{path}/items")).json()["items"]
    assert [item["position"] for item in found] == list(range(len(found)))
    return [item["project"]["name"] for item in found]


async def test_a_collection_is_made_changed_and_deleted_by_its_owner(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    path = await made(grace, description="What I use.\r\nDaily.")
    seen = await market.nobody().get(path)
    assert (seen.status_code, seen.headers["etag"]) == (200, '"1"')
    assert seen.json()["owner"] == {"handle": "grace", "display_name": "Grace"}
    assert (seen.json()["description"], seen.json()["items"]) == ("What I use.\nDaily.", 0)
    changed = await grace.patch(path, {"title": "Motors"}, if_match='"1"')
    assert (changed.json()["title"], changed.json()["description"]) == ("Motors", "What I use.\nDaily.")
    assert changed.headers["etag"] == '"2"'
    assert (await grace.patch(path, {"title": "Late"}, if_match='"1"')).status_code == 412
    assert (await grace.delete(path, if_match='"1"')).status_code == 412
    assert (await grace.delete(path, if_match='"2"')).status_code == 204
    assert (await grace.get(path)).status_code == 404


async def test_a_private_collection_does_not_exist_for_others(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    path = await made(grace, visibility="private")
    await grace.put(f"{path}/items/ada.alpha", {})
    for other in (ada, market.administrator(), market.nobody()):
        for method, tail, body in (
            ("GET", "", None),
            ("GET", "/items", None),
            ("PATCH", "", {"title": "Mine"}),
            ("DELETE", "", None),
            ("PUT", "/items/ada.beta", {}),
            ("DELETE", "/items/ada.alpha", None),
        ):
            answer = await other.call(method, path + tail, json=body)
            assert answer.status_code == (401 if other.token is None and method in {"PATCH", "PUT"} else 404)
    assert (await ada.get("/api/v1/users/grace/collections")).json()["items"] == []
    assert len((await grace.get(MINE)).json()["items"]) == 1
    assert (await grace.get("/api/v1/users/grace/collections")).json()["items"] == []
    await grace.patch(path, {"visibility": "public"})
    assert (await market.nobody().get(f"{path}/items")).json()["items"][0]["project"]["slug"] == "ada.alpha"


async def test_a_public_collection_is_changed_by_its_owner_only(market: Market, ada: Person) -> None:
    path = await made(market.member("Grace"))
    for other, status in ((ada, 403), (market.administrator(), 403), (market.nobody(), 401)):
        assert (await other.patch(path, {"title": "Mine"})).status_code == status
        assert (await other.delete(path)).status_code == status
        assert (await other.put(f"{path}/items/ada.alpha", {})).status_code == status
        assert (await other.delete(f"{path}/items/ada.alpha")).status_code == status
    assert (await market.nobody().post(COLLECTIONS, {"title": "x", "visibility": "public"})).status_code == 401
    assert (await market.nobody().get(MINE)).status_code == 401


async def test_items_have_an_order_that_their_owner_chooses(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    path = await made(grace)
    for name in ("alpha", "beta", "gamma"):
        assert (await grace.put(f"{path}/items/ada.{name}", {"note": name.title()})).status_code == 201
    assert await names(ada, path) == ["alpha", "beta", "gamma"]
    assert (await grace.put(f"{path}/items/ada.delta", {"position": 1})).json()["position"] == 1
    assert await names(ada, path) == ["alpha", "delta", "beta", "gamma"]
    moved = await grace.put(f"{path}/items/ada.alpha", {"position": 99})
    assert (moved.status_code, moved.json()["position"], moved.json()["note"]) == (200, 3, "Alpha")
    assert await names(ada, path) == ["delta", "beta", "gamma", "alpha"]
    again = await grace.put(f"{path}/items/ada.beta", {"note": "Best"})
    assert (again.json()["position"], again.json()["note"]) == (1, "Best")
    etag = again.headers["etag"]
    assert (await grace.put(f"{path}/items/ada.beta", {"note": "Best"})).headers["etag"] == etag
    assert (await grace.put(f"{path}/items/ada.beta", {"position": 0}, if_match='"1"')).status_code == 412
    assert (await grace.delete(f"{path}/items/ada.beta", if_match=etag)).status_code == 204
    assert (await grace.delete(f"{path}/items/ada.beta")).status_code == 404
    assert await names(ada, path) == ["delta", "gamma", "alpha"]
    assert (await grace.get(path)).json()["items"] == 3


async def test_items_come_page_by_page_without_what_is_gone(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    path = await made(grace)
    for name in ("alpha", "beta", "gamma", "delta"):
        await grace.put(f"{path}/items/ada.{name}", {})
    await ada.delete(f"{PROJECTS}/ada.beta")
    await ada.patch(f"{PROJECTS}/ada.gamma", {"status": "archived"})
    first = (await ada.get(f"{path}/items", limit=2)).json()
    second = (await ada.get(f"{path}/items", limit=2, cursor=first["next_cursor"])).json()
    found = [(item["project"]["name"], item["position"]) for item in [*first["items"], *second["items"]]]
    assert found == [("alpha", 0), ("gamma", 1), ("delta", 2)]
    assert second["next_cursor"] is None
    assert (await grace.get(path)).json()["items"] == 3


async def test_collections_are_listed_newest_first_and_go_with_their_items(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    paths = [await made(grace, title=title) for title in ("One", "Two")]
    for path in paths:
        await grace.put(f"{path}/items/ada.alpha", {})
    listed = (await ada.get("/api/v1/users/grace/collections")).json()["items"]
    assert sorted((item["title"], item["items"]) for item in listed) == [("One", 1), ("Two", 1)]
    for path in paths:
        await grace.delete(path)
    async with market.parts.database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(collection_items))).scalar_one() == 0
    assert (await ada.get("/api/v1/users/nobody/collections")).status_code == 404


async def test_one_asks_which_of_ones_collections_a_project_is_in(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    holding = await made(grace, title="With it", visibility="private")
    await made(grace, title="Without it")
    others = await made(ada, title="Of somebody else")
    await grace.put(f"{holding}/items/ada.alpha", {})
    await ada.put(f"{others}/items/ada.alpha", {})
    found = (await grace.get(MINE, project="ada.alpha")).json()["items"]
    assert [item["title"] for item in found] == ["With it"]
    assert (await grace.get(MINE, project="ada.beta")).json()["items"] == []
    assert (await grace.get(MINE, project="ada.nothing")).status_code == 404
    draft = await ada.create("Secret", status="draft")
    assert (await grace.get(MINE, project=draft["slug"])).status_code == 404
    assert (await market.nobody().get(MINE, project="ada.alpha")).status_code == 401


async def test_the_same_request_again_makes_nothing_new(market: Market) -> None:
    grace = market.member("Grace")
    body = {"title": "Engines", "visibility": "private"}
    answers = await asyncio.gather(*(grace.post(COLLECTIONS, body, headers={"idempotency-key": "k"}) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await grace.post(COLLECTIONS, {**body, "title": "Other"}, headers={"idempotency-key": "k"})
    assert other.status_code == 409


async def test_there_is_an_end_to_collections_and_to_what_is_in_one(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    path, *_ = [await made(grace) for _ in range(3)]
    assert (await grace.post(COLLECTIONS, {"title": "Four", "visibility": "public"})).status_code == 409
    now = market.clock.now()
    full = [Item(ProjectId(f"prj_{number:03}"), number, "", now) for number in range(MAX_ITEMS)]
    async with MarketplaceWork(market.parts) as work:
        await work.stores.collections.save_items(path.rpartition("/")[2], [], full)
    assert (await grace.put(f"{path}/items/ada.alpha", {})).status_code == 409


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/title", "/visibility"}),
        ({"title": " ", "visibility": "secret"}, {"/title", "/visibility"}),
        ({"title": "t" * 121, "visibility": "public", "description": "d" * 2_001}, {"/title", "/description"}),
        ({"title": "a", "visibility": "public", "description": "\0", "owner": "ada"}, {"/description", "/owner"}),
    ],
)
async def test_every_wrong_field_of_a_collection_is_named(market: Market, body: Json, pointers: set[str]) -> None:
    answer = await market.member("Grace").post(COLLECTIONS, body)
    assert answer.status_code == 400
    assert {problem["pointer"] for problem in answer.json()["errors"]} == pointers


async def test_wrong_items_and_addresses_are_refused(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    await ada.create("Secret", status="draft")
    path = await made(grace)
    for body in ({"position": -1}, {"position": 1.5}, {"note": "n" * 301}, {"note": "a\nb"}, {"place": 1}):
        assert (await grace.put(f"{path}/items/ada.alpha", body)).status_code == 400
    for slug in ("ada.secret", "ada.none", "x", "%00"):
        assert (await grace.put(f"{path}/items/{slug}", {})).status_code == 404
    for collection_id in ("col_x", "%00", "x" * 300):
        assert (await grace.get(f"{COLLECTIONS}/{collection_id}")).status_code == 404
    assert await names(grace, path) == []
