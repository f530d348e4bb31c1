"""Caches: what changed is seen at once here and soon everywhere, and what is asked for by many is made once."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import httpx
import pytest

from opencode.contracts import marketplace as contract
from opencode.contracts.events import Event
from opencode.modules.marketplace.domain.surrogates import OUTDATES
from opencode.modules.marketplace.service.showing import Sheet, Showing
from tests.modules.marketplace.conftest import CASES, PROJECTS, Json, Market, Reader

MATH = "/projects?tags=math"


async def until(seen: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await seen():
            await asyncio.sleep(0)


@pytest.fixture
async def project(market: Market) -> Json:
    """One that everybody has just looked at, in every way there is."""
    made = await market.member("Ada").create()
    await look_around(market, made)
    return made


async def look_around(market: Market, project: Json) -> None:
    reader = Reader.of(market)
    for path in (f"/projects/{project['slug']}", "/people/ada", "/projects", MATH, "/"):
        await reader.gets(path)
    assert (await market.nobody().get(f"{PROJECTS}/{project['slug']}")).status_code == 200


async def finds(market: Market, title: str) -> bool:
    return title in (await Reader.of(market).reads("/projects")).body


def owner_of(market: Market) -> Any:
    token = next(token for token, who in market.identity._principals.items() if who.name == "Ada")
    return market.guest(token)


async def test_a_change_is_seen_by_the_next_who_asks(market: Market, reader: Reader, project: Json) -> None:
    slug = project["slug"]
    await owner_of(market).patch(f"{PROJECTS}/{slug}", {"title": "Difference Engine"})
    assert (await market.nobody().get(f"{PROJECTS}/{slug}")).json()["title"] == "Difference Engine"
    for path in (f"/projects/{slug}", "/people/ada", "/projects", MATH, "/"):
        assert "Difference Engine" in (await reader.reads(path)).body, path


async def test_a_change_is_soon_seen_on_every_server(market: Market, other_server: Market, project: Json) -> None:
    await market.deliver()
    await until(lambda: finds(other_server, "Analytical Engine"))
    await look_around(other_server, project)
    slug, there = project["slug"], Reader.of(other_server)
    await owner_of(market).patch(f"{PROJECTS}/{slug}", {"title": "Difference Engine"})
    await market.deliver()

    async def is_seen() -> bool:
        pages = [await there.reads(path) for path in (f"/projects/{slug}", "/people/ada", MATH)]
        answer = (await other_server.nobody().get(f"{PROJECTS}/{slug}")).json()
        return answer["title"] == "Difference Engine" and all("Difference Engine" in page.body for page in pages)

    await until(is_seen)


async def test_a_new_project_is_soon_in_the_lists_of_every_server(market: Market, other_server: Market) -> None:
    there = Reader.of(other_server)
    assert "Nothing is published yet." in (await there.reads("/projects")).body
    await market.member("Ada").create()
    await market.deliver()
    await until(lambda: finds(other_server, "Analytical Engine"))


async def test_caches_that_could_not_be_told_are_told_by_the_event(
    market: Market, other_server: Market, project: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    await look_around(other_server, project)
    slug, there = project["slug"], Reader.of(other_server)

    async def fail(_self: Any, _keys: Collection[str]) -> None:
        raise ConnectionError("Redis is away")

    with monkeypatch.context() as broken:
        broken.setattr(type(market.parts.cache), "drop", fail)
        changed = await owner_of(market).patch(f"{PROJECTS}/{slug}", {"title": "Difference Engine"})
        assert changed.status_code == 200
    assert "Analytical Engine" in (await there.reads(f"/projects/{slug}")).body
    await market.deliver()

    async def is_seen() -> bool:
        return "Difference Engine" in (await there.reads(f"/projects/{slug}")).body

    await until(is_seen)


async def test_what_leaves_the_catalogue_or_is_deleted_is_gone_at_once(
    market: Market, reader: Reader, project: Json
) -> None:
    ada, path = owner_of(market), f"/projects/{project['slug']}"
    await ada.patch(f"/api/v1{path}", {"status": "archived"})
    assert "Archived" in (await reader.reads(path)).body
    assert "Analytical" not in (await reader.reads("/projects")).body
    await ada.patch(f"/api/v1{path}", {"summary": "Rests."})
    assert "Rests." in (await reader.reads(path)).body
    assert (await market.nobody().get(f"/api/v1{path}")).json()["summary"] == "Rests."
    await ada.delete(f"/api/v1{path}")
    assert (await reader.gets(path)).status == 404
    assert (await market.nobody().get(f"/api/v1{path}")).status_code == 404


@pytest.mark.parametrize("status", ["published", "archived"])
async def test_what_a_moderator_takes_out_of_sight_is_gone_at_once(
    market: Market, reader: Reader, project: Json, status: str
) -> None:
    path, minerva = f"/projects/{project['slug']}", market.moderator()
    await owner_of(market).patch(f"/api/v1{path}", {"status": status})
    reported = {"reason": "spam", "text": "It only advertises."}
    assert (await market.member("Bob").post(f"/api/v1{path}/reports", reported)).status_code == 201
    (case,) = (await minerva.get(CASES)).json()["items"]
    for decision, shown in (("quarantine", 404), ("restore", 200)):
        assert (await reader.gets(path)).status != shown
        decided = await minerva.post(f"{CASES}/{case['id']}/decide", {"decision": decision, "reason": "Because."})
        assert decided.status_code == 200, decided.text
        assert (await reader.gets(path)).status == shown
        assert (await market.nobody().get(f"/api/v1{path}")).status_code == shown


async def test_what_was_not_there_is_there_as_soon_as_it_appears(market: Market, reader: Reader) -> None:
    ada, nobody = market.member("Ada"), market.nobody()
    draft = await ada.create("Engine", status="draft")

    async def statuses(slug: str) -> list[int]:
        answer: httpx.Response = await nobody.get(f"{PROJECTS}/{slug}")
        return [answer.status_code, (await reader.gets(f"/projects/{slug}")).status]

    for slug in ("ada.engine", "ada.loom", "countess.loom"):
        assert await statuses(slug) == [404, 404]
    assert (await reader.gets("/people/countess")).status == 404
    await ada.patch(f"{PROJECTS}/{draft['slug']}", {"status": "published"})
    assert await statuses("ada.engine") == [200, 200]
    await ada.patch(f"{PROJECTS}/ada.engine", {"name": "loom"})
    assert await statuses("ada.loom") == [200, 200]
    assert await statuses("ada.engine") == [308, 308]
    await ada.patch("/api/v1/users/ada", {"handle": "countess"})
    assert await statuses("countess.loom") == [200, 200]
    assert (await reader.gets("/people/countess")).status == 200


async def test_a_rating_on_a_page_follows_what_reviews_say(market: Market, reader: Reader, project: Json) -> None:
    path, page = f"{PROJECTS}/{project['slug']}", f"/projects/{project['slug']}"
    grace = market.member("Grace")
    await grace.post(f"{path}/downloads")

    async def rating() -> float | None:
        return (await reader.reads(page)).data[0].get("aggregateRating", {}).get("ratingValue")

    assert await rating() is None
    for given in (4, 2):
        await grace.put(f"{path}/review", {"rating": given, "body": "Works."})
        assert await rating() == given
    (review,) = (await grace.get(f"{path}/reviews")).json()["items"]
    await market.member("Bob").post(f"/api/v1/reviews/{review['id']}/reports", {"reason": "spam", "text": "Untrue."})
    (case,) = (await market.moderator().get(CASES)).json()["items"]
    for decision, seen in (("quarantine", None), ("restore", 2)):
        await market.moderator().post(f"{CASES}/{case['id']}/decide", {"decision": decision, "reason": "Because."})
        assert await rating() == seen
    await grace.delete(f"{path}/review")
    assert await rating() is None


async def test_a_new_name_of_a_person_is_on_all_their_pages(market: Market, reader: Reader, project: Json) -> None:
    await owner_of(market).patch("/api/v1/users/ada", {"display_name": "Countess of Lovelace"})
    for path in (f"/projects/{project['slug']}", "/people/ada", "/projects", "/"):
        assert "Countess of Lovelace" in (await reader.reads(path)).body, path


async def test_an_imported_project_is_there_at_once(market: Market, reader: Reader) -> None:
    assert (await reader.gets("/projects/ada.loom")).status == 404
    line = {"owner": "ada", "title": "Loom", "summary": "Weaves.", "license": "MIT", "status": "published"}
    began = await market.administrator().import_lines(line)
    assert began.status_code == 202, began.text

    async def is_there() -> bool:
        return (await reader.gets("/projects/ada.loom")).status == 200

    await until(is_there)


def test_every_event_of_the_marketplace_says_what_it_outdates() -> None:
    events = {
        each
        for each in vars(contract).values()
        if isinstance(each, type) and issubclass(each, Event) and each is not Event
    }
    assert events - OUTDATES.keys() == {contract.ProjectStood, contract.ReleasePublished}, "what is on no page"


async def test_a_hundred_who_come_at_once_have_a_page_made_once(
    market: Market, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await market.member("Ada").create()
    shown: list[str] = []
    show = Showing.project

    async def counted(self: Showing, slug: str) -> Sheet:
        shown.append(slug)
        return await show(self, slug)

    monkeypatch.setattr(Showing, "project", counted)
    pages = await asyncio.gather(*(reader.gets(f"/projects/{made['slug']}") for _ in range(100)))
    assert {page.status for page in pages} == {200}
    assert len(shown) == 1


async def test_counters_are_asked_for_apart(market: Market, project: Json) -> None:
    ada, nobody = owner_of(market), market.nobody()
    draft = await ada.create("Secret", status="draft")
    await market.member("Bob").put(f"{PROJECTS}/{project['slug']}/star")
    await nobody.post(f"{PROJECTS}/{project['slug']}/downloads")
    unknown = "prj_" + "0" * 26
    answer = await nobody.get(f"{PROJECTS}/counters", ids=f"{project['id']},{draft['id']},{unknown},{project['id']}")
    assert answer.json()["items"] == [{"id": project["id"], "stars": 1, "downloads": 1, "views": 1}]
    assert "s-maxage=5" in answer.headers["cache-control"]
    # Nor does the owner see those of a draft here: the answer is the same for all.
    assert (await ada.get(f"{PROJECTS}/counters", ids=draft["id"])).json()["items"] == []


@pytest.mark.parametrize("ids", ["", ",", "usr_" + "0" * 26, "prj_1", ",".join(["prj_" + "0" * 26] * 101), "x" * 5_000])
async def test_what_are_no_ids_is_refused(market: Market, ids: str) -> None:
    assert (await market.nobody().get(f"{PROJECTS}/counters", ids=ids)).status_code == 400


async def test_counters_of_a_kept_project_are_those_of_now(market: Market, project: Json) -> None:
    await market.member("Bob").put(f"{PROJECTS}/{project['slug']}/star")
    assert (await market.nobody().get(f"{PROJECTS}/{project['slug']}")).json()["stars"] == 1


async def test_caches_in_front_keep_what_nobody_in_particular_asked_for(market: Market, project: Json) -> None:
    nobody, ada = market.nobody(), owner_of(market)
    kept = {
        f"{PROJECTS}/{project['slug']}": "public, no-cache",
        PROJECTS: "public, max-age=0, s-maxage=10, stale-while-revalidate=60",
        "/api/v1/users/ada": "public, max-age=0, s-maxage=10, stale-while-revalidate=60",
    }
    for path, control in kept.items():
        first, own = await nobody.get(path), await ada.get(path)
        assert first.headers["cache-control"] == control
        assert own.headers["cache-control"] == "private, no-store"
        assert first.headers["vary"] == own.headers["vary"] == "authorization, cookie"
        assert "surrogate-key" in first.headers
        assert "surrogate-key" not in own.headers
        again = await nobody.call("GET", path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    project_keys = (await nobody.get(f"{PROJECTS}/{project['slug']}")).headers["surrogate-key"].split()
    assert project_keys == [f"project/{project['id']}", f"user/{owner_of(market).id}"]


async def test_a_draft_that_its_owner_reads_is_kept_by_nobody(market: Market) -> None:
    ada = market.member("Ada")
    draft = await ada.create(status="draft")
    own = await ada.get(f"{PROJECTS}/{draft['slug']}")
    assert own.headers["cache-control"] == "private, no-store"
    hidden = await market.nobody().get(f"{PROJECTS}/{draft['slug']}")
    assert hidden.headers["cache-control"] == "no-store"


async def test_the_tag_of_what_everybody_reads_is_good_for_a_change(market: Market, project: Json) -> None:
    path = f"{PROJECTS}/{project['slug']}"
    etag = (await market.nobody().get(path)).headers["etag"]
    assert etag.startswith('"1-')
    ada = owner_of(market)
    assert (await ada.patch(path, {"summary": "First."}, if_match=etag)).status_code == 200
    assert (await ada.patch(path, {"summary": "Second."}, if_match=etag)).status_code == 412
