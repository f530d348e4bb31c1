"""Stars, downloads and views: each counts once, none is lost, and no total shrinks."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from opencode.contracts.marketplace import ProjectStood
from opencode.infra.events import Reactions, Relay
from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.counting import Kind, Visitor, day_of
from opencode.modules.marketplace.service.counting import Counting
from opencode.modules.marketplace.store import reading
from opencode.modules.marketplace.store.tables import interactions, stars
from tests.http import application, client_of
from tests.modules.marketplace.conftest import PROJECTS, REPOSITORY, Json, Market, Person

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
ROBOT = {"user-agent": "Mozilla/5.0 (compatible; Examplebot/2.1; +https://example.org/bot.html)"}
PATH = f"{PROJECTS}/ada.engine"


@pytest.fixture
async def ada(market: Market) -> Person:
    """The author of `ada.engine`."""
    ada = market.member("Ada")
    await ada.create("Engine")
    return ada


async def counts(person: Person, path: str = PATH) -> Json:
    return (await person.get(path)).json()


async def download(person: Person, key: str | None = None, **headers: str) -> None:
    sent = {**BROWSER, **headers, **({"idempotency-key": key} if key else {})}
    answer = await person.call("POST", f"{PATH}/downloads", headers=sent)
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"url": REPOSITORY}


async def test_a_star_counts_once_for_each_person_and_is_taken_back_once(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    assert (await grace.put(f"{PATH}/star")).json() == {"starred": True, "stars": 1}
    assert (await grace.put(f"{PATH}/star")).json() == {"starred": True, "stars": 1}
    assert (await ada.put(f"{PATH}/star")).json() == {"starred": True, "stars": 2}
    assert (await grace.delete(f"{PATH}/star")).json() == {"starred": False, "stars": 1}
    assert (await grace.delete(f"{PATH}/star")).json() == {"starred": False, "stars": 1}
    assert ((await counts(grace))["starred"], (await counts(ada))["starred"]) == (False, True)


async def test_one_person_who_stars_at_many_places_at_once_counts_once(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    answers = await asyncio.gather(*(grace.put(f"{PATH}/star") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await counts(ada))["stars"] == 1


async def test_stars_of_many_people_at_the_same_moment_are_all_there(market: Market, ada: Person) -> None:
    people = [market.member(f"Fan {number}") for number in range(40)]
    await asyncio.gather(*(fan.put(f"{PATH}/star") for fan in people))
    await asyncio.gather(*(fan.delete(f"{PATH}/star") for fan in people[:15]))
    async with market.parts.database.read() as connection:
        rows = await connection.execute(select(func.count()).select_from(stars).where(stars.c.is_set))
        assert rows.scalar_one() == (await counts(ada))["stars"] == 25


async def test_setting_a_star_again_and_again_lifts_nobody_in_the_trend(market: Market, ada: Person) -> None:
    await ada.create("Loom")
    grace, alan = market.member("Grace"), market.member("Alan")
    for _ in range(5):
        await grace.put(f"{PATH}/star")
        await grace.delete(f"{PATH}/star")
    for fan in (grace, alan):
        await fan.put(f"{PROJECTS}/ada.loom/star")
    assert await ada.names(sort="trending") == ["loom", "engine"]


async def test_a_download_is_counted_once_for_each_key(market: Market, ada: Person) -> None:
    for key in ("a", "b", "a", "a"):
        await download(market.nobody(), key)
    assert (await counts(ada))["downloads"] == 2


async def test_without_a_key_a_visitor_counts_once_an_hour(market: Market, ada: Person, clock: ManualClock) -> None:
    grace = market.member("Grace")
    for visitor in (grace, grace, market.nobody(), market.nobody()):
        await download(visitor)
    assert (await counts(ada))["downloads"] == 2
    clock.advance(3600)
    await download(grace)
    assert (await counts(ada))["downloads"] == 3


async def test_a_thousand_downloads_at_once_are_counted_exactly(market: Market, ada: Person) -> None:
    await asyncio.gather(*(download(market.nobody(), f"key-{number % 900}") for number in range(1000)))
    assert (await counts(ada))["downloads"] == 900
    async with market.parts.database.read() as connection:
        rows = await connection.execute(select(func.count()).select_from(interactions))
        assert rows.scalar_one() == 900


async def test_others_have_their_turn_among_many_who_are_answered_for_one_transaction(
    market: Market, ada: Person
) -> None:
    counting = Counting(market.parts, market.module.catalogue)
    project_id = ProjectId((await counts(ada))["id"])
    answered: list[int] = []

    async def look(number: int) -> None:
        await counting.count(Kind.VIEW, project_id, Visitor(f"visitor {number}"))
        answered.append(number)

    looks = asyncio.gather(*map(look, range(80)))
    turns = set[int]()
    while not looks.done():
        await asyncio.sleep(0)
        turns.add(len(answered))
    assert len(turns) > 8, "they were answered all at once"
    assert answered == list(range(80))
    await counting.close()


async def test_two_servers_count_the_same_project_at_once_without_losing_any(
    market: Market, ada: Person, other_server: Market
) -> None:
    both = [Person(server.client, None, None) for server in (market, other_server)]
    await asyncio.gather(*(download(both[number % 2], f"key-{number // 3}") for number in range(300)))
    assert (await counts(ada))["downloads"] == 100


async def test_robots_are_counted_apart(market: Market, ada: Person) -> None:
    await download(market.nobody(), "robot", **ROBOT)
    await market.nobody().call("GET", PATH, headers=ROBOT)
    await market.nobody().call("GET", PATH, headers=BROWSER)
    seen = await counts(ada)
    assert (seen["downloads"], seen["robot_downloads"], seen["views"], seen["robot_views"]) == (0, 1, 1, 1)


async def test_a_look_counts_once_for_each_visitor_and_hour_and_ones_own_never(
    market: Market, ada: Person, clock: ManualClock
) -> None:
    grace = market.member("Grace")
    for visitor in (ada, grace, grace, market.nobody(), ada):
        await counts(visitor)
    assert (await counts(ada))["views"] == 2
    clock.advance(3600)
    await counts(grace)
    assert (await counts(ada))["views"] == 3


async def test_a_look_through_an_old_slug_counts_once_it_has_been_followed(market: Market, ada: Person) -> None:
    await ada.patch(PATH, {"name": "motor"})
    assert (await market.nobody().get(PATH)).status_code == 308
    assert (await counts(ada, f"{PROJECTS}/ada.motor"))["views"] == 0


async def test_two_browsers_behind_one_address_are_two_visitors(market: Market, ada: Person) -> None:
    for agent in ("Firefox/140.0", "Chrome/150.0", "Firefox/140.0"):
        await market.nobody().call("GET", PATH, headers={"user-agent": agent})
    assert (await counts(ada))["views"] == 2


async def test_visitors_are_told_apart_by_address(market: Market, ada: Person) -> None:
    app = application(market.module.plug.routes, market.identity)
    for address in ("203.0.113.1", "203.0.113.2", "2001:db8::1", "2001:db8::2"):
        async with client_of(app, address=address) as client:
            await client.get(PATH)
    assert (await counts(ada))["views"] == 3  # the two of one IPv6 network are one subscriber


async def test_nothing_of_a_visitor_is_kept_that_tells_who_it_was(market: Market, ada: Person) -> None:
    await download(market.nobody())
    async with market.parts.database.read() as connection:
        row = (await connection.execute(select(interactions))).one()
    assert "203.0.113" not in str(row)
    assert "Firefox" not in str(row)
    assert ada.id not in str(row)


async def test_a_project_without_a_repository_has_nothing_to_download(market: Market, ada: Person) -> None:
    await ada.patch(PATH, {"repository_url": None})
    answer = await market.nobody().post(f"{PATH}/downloads")
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("/nothing-to-download")
    assert (await counts(ada))["downloads"] == 0


async def test_the_daily_series_adds_up_to_the_total(market: Market, ada: Person, clock: ManualClock) -> None:
    project = await counts(ada)
    first = day_of(clock.now())
    for number in range(5):
        await download(market.nobody(), f"key-{number}")
        clock.advance(timedelta(hours=12).total_seconds())
    async with reading(market.parts.database) as stores:
        series = await stores.counting.days_of(project["id"], first)
    assert {day - first: counted["downloads"] for day, counted in series.items()} == {0: 2, 1: 2, 2: 1}


async def test_downloads_move_a_project_up_in_the_very_next_search(market: Market, ada: Person) -> None:
    await ada.create("Loom")
    assert await ada.names(sort="popularity") == ["loom", "engine"]
    await download(market.nobody())
    assert await ada.names(sort="popularity") == ["engine", "loom"]
    assert await ada.names(sort="trending") == ["engine", "loom"]


async def test_of_one_project_it_is_told_once_a_second_that_its_counters_moved_and_never_not(
    market: Market, ada: Person, clock: ManualClock
) -> None:
    await market.deliver()
    heard: list[ProjectStood] = []
    reactions = Reactions()

    async def hear(event: ProjectStood) -> None:
        heard.append(event)

    reactions.add(ProjectStood, hear)
    relay = Relay(market.parts.database, reactions, clock)
    for number in range(10):
        await download(market.nobody(), f"key-{number}")
    await relay.deliver_due()
    assert len(heard) == 1
    clock.advance(1)
    tell = next(job for job in market.module.plug.jobs if job.name == "tell how projects stand")
    await tell.work()
    await tell.work()
    await relay.deliver_due()
    assert len(heard) == 2


async def test_a_download_whose_project_is_deleted_meanwhile_is_no_error_and_leaves_nothing(
    market: Market, ada: Person
) -> None:
    answers = await asyncio.gather(
        *(market.nobody().post(f"{PATH}/downloads", headers={"idempotency-key": f"k{n}"}) for n in range(20)),
        ada.delete(PATH),
    )
    assert {answer.status_code for answer in answers} <= {201, 204, 404}
    assert (await ada.get(PATH)).status_code == 404


async def test_a_plot_has_every_day_and_tells_people_from_robots(
    market: Market, ada: Person, clock: ManualClock
) -> None:
    await download(market.nobody(), "one")
    await download(market.nobody(), "two", **ROBOT)
    clock.advance(2 * 86_400)
    await download(market.nobody(), "three")
    found = (await market.nobody().get(f"{PATH}/days", days=4)).json()["days"]
    assert [day["downloads"] for day in found] == [0, 1, 0, 1]
    assert [day["robot_downloads"] for day in found] == [0, 1, 0, 0]
    assert found[-1]["day"] == clock.now().date().isoformat()
    assert (await ada.get(f"{PATH}/days", days=0)).status_code == 400
    draft = await ada.create("Secret", status="draft")
    assert (await market.nobody().get(f"{PROJECTS}/{draft['slug']}/days")).status_code == 404


async def test_the_small_plots_of_a_list_come_at_once_and_only_of_what_is_published(
    market: Market, ada: Person, clock: ManualClock
) -> None:
    engine = (await ada.get(PATH)).json()["id"]
    draft = (await ada.create("Secret", status="draft"))["id"]
    await download(market.nobody(), "one")
    clock.advance(8 * 86_400)
    await download(market.nobody(), "two")
    seen = await ada.create("Only looked at")
    await market.nobody().get(f"{PROJECTS}/{seen['slug']}")
    answer = await market.nobody().get(f"{PROJECTS}/weeks", ids=[engine, draft, seen["id"], "nonsense"], weeks=3)
    assert answer.json() == {"downloads": {engine: [0, 1, 1]}}
