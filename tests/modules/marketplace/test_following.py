"""Following people, projects and searches, and being told."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from opencode.contracts.marketplace import ProjectPublished
from opencode.contracts.notifications import MAX_RECIPIENTS, NoticeGiven, NoticeKind
from opencode.infra.db import UnitOfWork
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.following import FollowKind
from opencode.modules.marketplace.service.telling import News
from opencode.modules.marketplace.settings import MarketplaceSettings
from opencode.modules.marketplace.store import MarketplaceWork
from opencode.modules.marketplace.store.tables import search_keys
from tests.modules.marketplace.conftest import PROJECTS, Json, Market, Person
from tests.modules.marketplace.notices import notices

USERS = "/api/v1/users"
FOLLOWED = "/api/v1/me/following"
SEARCHES = "/api/v1/me/searches"


@pytest.fixture
def settings() -> MarketplaceSettings:
    return MarketplaceSettings(project_writes_per_minute=100_000, acts_per_minute=100_000, follows_per_person=3)


@pytest.fixture
async def ada(market: Market) -> Person:
    ada = market.member("Ada")
    await ada.get("/api/v1/me/profile")
    return ada


async def follow_search(person: Person, **asked: object) -> Json:
    answer = await person.post(SEARCHES, asked)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def told(market: Market, kind: NoticeKind) -> list[NoticeGiven]:
    await market.deliver()
    return await notices(market.parts.database, kind)


def recipients(found: Sequence[NoticeGiven]) -> set[str]:
    return {user_id for notice in found for user_id in notice.recipient_ids}


async def test_following_a_person_twice_is_the_same_as_once(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    for _ in range(2):
        assert (await grace.put(f"{USERS}/ada/follow")).json() == {"following": True, "followers": 1}
    assert (await grace.get(f"{USERS}/ada/follow")).json() == {"following": True, "followers": 1}
    assert (await ada.get(f"{USERS}/ada/follow")).json() == {"following": False, "followers": 1}
    for _ in range(2):
        assert (await grace.delete(f"{USERS}/ada/follow")).json() == {"following": False, "followers": 0}
    assert (await market.nobody().get(f"{USERS}/ada/follow")).json() == {"following": False, "followers": 0}


async def test_a_person_is_told_once_of_a_new_follower_however_often_they_come_back(
    market: Market, ada: Person
) -> None:
    grace = market.member("Grace")
    for _ in range(3):
        await grace.put(f"{USERS}/ada/follow")
        await grace.delete(f"{USERS}/ada/follow")
    found = await told(market, NoticeKind.PERSON_FOLLOWED)
    assert len({notice.key for notice in found}) == 1
    assert {notice.recipient_ids for notice in found} == {(ada.id,)}
    assert (found[0].title, found[0].path) == ("Grace follows you", "/people/grace")


async def test_a_project_is_followed_by_whom_it_is_shown_to(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    await ada.create("Engine")
    await ada.create("Secret", status="draft")
    path = f"{PROJECTS}/ada.engine/follow"
    assert (await grace.put(path)).json() == {"following": True, "followers": 1}
    assert (await grace.put(path)).json() == {"following": True, "followers": 1}
    assert (await market.nobody().get(path)).json() == {"following": False, "followers": 1}
    assert (await grace.delete(path)).json() == {"following": False, "followers": 0}
    for method in ("GET", "PUT", "DELETE"):
        assert (await grace.call(method, f"{PROJECTS}/ada.secret/follow")).status_code == 404


async def test_nobody_follows_themselves_nobody_or_without_an_account(market: Market, ada: Person) -> None:
    assert (await ada.put(f"{USERS}/ada/follow")).status_code == 409
    for handle in ("nobody", "x" * 50, "%00", "me"):
        assert (await ada.put(f"{USERS}/{handle}/follow")).status_code == 404
    assert (await market.nobody().put(f"{USERS}/ada/follow")).status_code == 401
    assert (await market.member("Reader", "interviews:read").put(f"{USERS}/ada/follow")).status_code == 403
    for path in (FOLLOWED, SEARCHES):
        assert (await market.nobody().get(path)).status_code == 401


async def test_what_somebody_follows_is_listed_latest_first_in_pages_and_without_what_is_gone(
    market: Market, ada: Person
) -> None:
    grace = market.member("Grace")
    await ada.create("Engine")
    await ada.create("Loom")
    for path in (f"{USERS}/ada", f"{PROJECTS}/ada.engine", f"{PROJECTS}/ada.loom"):
        assert (await grace.put(f"{path}/follow")).status_code == 200
        market.clock.advance(1)
    await follow_search(grace, q="weaving")
    await ada.patch(f"{PROJECTS}/ada.engine", {"status": "archived"})
    await ada.delete(f"{PROJECTS}/ada.loom")
    first = (await grace.get(FOLLOWED, limit=2)).json()
    second = (await grace.get(FOLLOWED, limit=2, cursor=first["next_cursor"])).json()
    assert [item["kind"] for item in [*first["items"], *second["items"]]] == ["search", "project", "person"]
    assert first["items"][1]["project"]["slug"] == "ada.engine"
    assert second["items"][0]["person"] == {"handle": "ada", "display_name": "Ada"}
    assert second["next_cursor"] is None
    assert [item["kind"] for item in (await grace.get(FOLLOWED, kind="person")).json()["items"]] == ["person"]
    assert (await grace.get(FOLLOWED, kind="everything")).status_code == 400


async def test_one_person_follows_a_bounded_number_of_things(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    for number in range(4):
        await market.member(f"P{number}").get("/api/v1/me/profile")
    statuses = [(await grace.put(f"{USERS}/p{number}/follow")).status_code for number in range(4)]
    assert statuses == [200, 200, 200, 409]
    assert (await grace.put(f"{USERS}/p0/follow")).status_code == 200
    assert (await ada.get(f"{USERS}/p3/follow")).json()["followers"] == 0


async def test_followers_hear_of_a_first_publication_only(market: Market, ada: Person) -> None:
    grace, joan = market.member("Grace"), market.member("Joan")
    await grace.put(f"{USERS}/ada/follow")
    await ada.create("Secret", status="draft")
    assert await told(market, NoticeKind.PROJECT_PUBLISHED) == []
    await ada.patch(f"{PROJECTS}/ada.secret", {"status": "published", "title": "Engine"})
    (notice,) = await told(market, NoticeKind.PROJECT_PUBLISHED)
    assert notice.recipient_ids == (grace.id,)
    assert (notice.title, notice.path) == ("Ada has published Engine", "/projects/ada.secret")
    await joan.put(f"{USERS}/ada/follow")
    market.clock.advance(1)
    for status in ("archived", "published"):
        await ada.patch(f"{PROJECTS}/ada.secret", {"status": status})
    assert len(await told(market, NoticeKind.PROJECT_PUBLISHED)) == 1


async def test_nobody_hears_of_what_is_no_longer_public_when_its_turn_comes(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    await grace.put(f"{USERS}/ada/follow")
    await follow_search(grace, q="engine")
    for title, status in (("Engine", "archived"), ("Other engine", None)):
        slug = (await ada.create(title))["slug"]
        if status:
            await ada.patch(f"{PROJECTS}/{slug}", {"status": status})
        else:
            await ada.delete(f"{PROJECTS}/{slug}")
    assert await told(market, NoticeKind.PROJECT_PUBLISHED) == []
    assert await told(market, NoticeKind.SEARCH_MATCHED) == []


async def test_the_same_event_again_says_the_same_again(market: Market, ada: Person) -> None:
    await market.member("Grace").put(f"{USERS}/ada/follow")
    project = await ada.create("Engine")
    (first,) = await told(market, NoticeKind.PROJECT_PUBLISHED)
    async with UnitOfWork(market.parts.database, market.clock) as work:
        work.publish(ProjectPublished(project_id=project["id"], owner_id=ada.id, at=market.clock.now()))
    again = await told(market, NoticeKind.PROJECT_PUBLISHED)
    assert [(notice.key, notice.recipient_ids) for notice in again] == [(first.key, first.recipient_ids)] * 2


async def test_many_followers_are_told_in_parts_that_fit(market: Market, ada: Person) -> None:
    fans = [f"usr_{number:04}" for number in range(MAX_RECIPIENTS + 2)]
    async with MarketplaceWork(market.parts) as work:
        for fan in [*fans, ada.id]:
            await work.stores.following.add(FollowKind.PERSON, ada.id, fan, market.clock.now())
    await ada.create("Engine")
    found = await told(market, NoticeKind.PROJECT_PUBLISHED)
    assert recipients(found) == set(fans)
    assert sum(len(notice.recipient_ids) for notice in found) == len(fans)
    assert all(len(notice.recipient_ids) <= MAX_RECIPIENTS for notice in found)
    assert len({notice.key for notice in found}) == 1


async def test_an_import_tells_nobody(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    await grace.put(f"{USERS}/ada/follow")
    await follow_search(grace, q="engine")
    await market.administrator().import_lines({"title": "Engine", "owner": "ada"}, {"title": "Engine too"})
    await market.module.importing.finished()
    await market.deliver()
    assert (await grace.get(f"{PROJECTS}/ada.engine")).status_code == 200
    assert await told(market, NoticeKind.PROJECT_PUBLISHED) == []
    assert await told(market, NoticeKind.SEARCH_MATCHED) == []


SEARCHED: list[tuple[Json, bool]] = [
    ({"q": "engine"}, True),
    ({"q": "ANALYTICAL engine"}, True),
    ({"q": "analyticalengine"}, True),
    ({"q": "fast api"}, True),
    ({"q": "ada"}, True),
    ({"q": "patterns algebraic"}, True),
    ({"q": "engi"}, False),
    ({"q": "engnie"}, False),
    ({"q": "engine loom"}, False),
    ({"technologies": ["python"]}, True),
    ({"technologies": ["Python", "Rust"]}, False),
    ({"tags": ["math"]}, True),
    ({"tags": ["math", "art"]}, False),
    ({"license": "mit"}, True),
    ({"license": "Apache-2.0"}, False),
    ({"q": "engine", "price": "free", "license": "MIT", "technologies": ["FastAPI"]}, True),
    ({"q": "engine", "price": "paid"}, False),
]


async def test_a_new_project_is_told_to_those_whose_search_finds_it(market: Market, ada: Person) -> None:
    people = [market.member(f"P{number}") for number in range(len(SEARCHED))]
    for person, (asked, _) in zip(people, SEARCHED, strict=True):
        await follow_search(person, **asked)
    await follow_search(ada, q="engine")
    project = await ada.create("Analytical Engine", technologies=["Python", "FastAPI"])
    found = await told(market, NoticeKind.SEARCH_MATCHED)
    expected = {person.id for person, (_, fits) in zip(people, SEARCHED, strict=True) if fits}
    assert recipients(found) == expected
    assert {(notice.key, notice.path) for notice in found} == {
        (f"{project['id']}:matched", "/projects/ada.analytical-engine")
    }
    # Exactly these searches find it in the catalogue too; words are finished there by a space.
    for asked, fits in SEARCHED:
        finished = {**asked, "q": asked["q"] + " "} if asked.get("q") else asked
        search = await ada.search(**finished)
        if search["corrected"] is None:
            assert (search["total"] == 1) is fits, asked


async def test_a_search_is_followed_once_and_given_up_by_its_follower_only(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    made = await follow_search(grace, q="  Web   server ", technologies=["Rust"], tags=["http"], price="free")
    assert made["name"] == "Web server, Rust, http"
    assert (made["q"], made["technologies"], made["price"]) == ("Web server", ["Rust"], "free")
    same = {"q": "web server", "technologies": ["rust"], "tags": ["http"], "price": "free", "name": "Mine"}
    answers = await asyncio.gather(*(follow_search(grace, **same) for _ in range(3)))
    assert {answer["id"] for answer in answers} == {made["id"]}
    assert [item["id"] for item in (await grace.get(SEARCHES)).json()["items"]] == [made["id"]]
    assert (await ada.get(SEARCHES)).json()["items"] == []
    path = f"{SEARCHES}/{made['id']}"
    assert (await ada.delete(path)).status_code == 404
    assert (await grace.delete(f"{SEARCHES}/%00")).status_code == 404
    assert [(await grace.delete(path)).status_code for _ in range(2)] == [204, 404]
    async with market.parts.database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(search_keys))).scalar_one() == 0


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/q"}),
        ({"q": "!?", "price": "free"}, {"/q"}),
        ({"q": "x" * 201}, {"/q"}),
        ({"q": "a\0b"}, {"/q"}),
        ({"q": 5, "tags": "math"}, {"/q", "/tags"}),
        ({"q": "a", "name": "n" * 81}, {"/name"}),
        ({"q": "a", "price": "cheap"}, {"/price"}),
        ({"tags": [f"t{number}" for number in range(21)]}, {"/tags"}),
        ({"technologies": ["x" * 41]}, {"/technologies"}),
        ({"license": "x" * 301}, {"/license"}),
        ({"q": "a", "sort": "recent"}, {"/sort"}),
    ],
)
async def test_every_wrong_field_of_a_search_is_named(market: Market, body: Json, pointers: set[str]) -> None:
    answer = await market.member("Grace").post(SEARCHES, body)
    assert answer.status_code == 400
    assert {problem["pointer"] for problem in answer.json()["errors"]} == pointers


async def test_one_person_follows_at_most_fifty_searches(market: Market) -> None:
    grace = market.member("Grace")
    for number in range(50):
        await follow_search(grace, q=f"word{number}")
    assert (await grace.post(SEARCHES, {"q": "one more"})).status_code == 409
    await follow_search(grace, q="word0")
    assert len((await grace.get(SEARCHES, limit=200)).json()["items"]) == 50


async def test_followers_of_a_project_hear_what_is_told_of_it_while_it_is_public(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    project = await ada.create("Engine")
    for person in (ada, grace):
        await person.put(f"{PROJECTS}/ada.engine/follow")
    news = News(NoticeKind.PROJECT_RELEASED, f"{project['id']}:released:1.0", "Engine 1.0 is out")
    await market.module.telling.tell_followers(project["id"], news)
    (notice,) = await told(market, NoticeKind.PROJECT_RELEASED)
    assert (notice.recipient_ids, notice.key, notice.path) == ((grace.id,), news.key, "/projects/ada.engine")
    await ada.delete(f"{PROJECTS}/ada.engine")
    await market.module.telling.tell_followers(project["id"], news)
    await market.module.telling.tell_followers(ProjectId("prj_unknown"), news)
    assert len(await told(market, NoticeKind.PROJECT_RELEASED)) == 1
