"""Reviews: by people who used a project, one each, with its owner's reply."""

import asyncio
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from opencode.contracts.notifications import NoticeKind
from opencode.modules.marketplace.domain.review import Ratings
from opencode.modules.marketplace.settings import MarketplaceSettings
from opencode.modules.marketplace.store.tables import review_marks, reviews, uses
from tests.modules.marketplace.conftest import PROJECTS, Json, Market, Person
from tests.modules.marketplace.notices import notices
from tests.modules.marketplace.test_orders import bought, did

PATH = f"{PROJECTS}/ada.engine"
REVIEW = f"{PATH}/review"
REVIEWS = f"{PATH}/reviews"
GOOD: Json = {"rating": 4, "title": "Runs well", "body": "It computes what I asked."}


@pytest.fixture
def settings() -> MarketplaceSettings:
    return MarketplaceSettings(project_writes_per_minute=100_000, acts_per_minute=20)


@pytest.fixture
async def ada(market: Market) -> Person:
    """The author of `ada.engine`."""
    ada = market.member("Ada")
    await ada.create("Engine")
    return ada


async def user(market: Market, name: str = "Grace") -> Person:
    """Somebody who has downloaded it."""
    person = market.member(name)
    assert (await person.post(f"{PATH}/downloads")).status_code == 201
    return person


async def wrote(person: Person, **fields: Any) -> Json:
    answer = await person.put(REVIEW, {**GOOD, **fields})
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


async def rows(market: Market, table: Any) -> int:
    async with market.parts.database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


async def test_who_has_downloaded_a_project_reviews_it_once(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    refused = await grace.put(REVIEW, GOOD)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "not-used")
    assert (await grace.get(REVIEWS)).json()["may_review"] is False
    await grace.post(f"{PATH}/downloads")
    assert (await grace.get(REVIEWS)).json()["may_review"] is True
    first = await grace.put(REVIEW, GOOD)
    assert first.status_code == 201
    assert first.json()["author"] == {"handle": "grace", "display_name": "Grace"}
    market.clock.advance(60)
    second = await grace.put(REVIEW, {"rating": 2, "body": "It broke."})
    assert second.status_code == 200
    assert second.json()["id"] == first.json()["id"]
    page = (await market.nobody().get(REVIEWS)).json()
    assert [(item["rating"], item["title"], item["body"]) for item in page["items"]] == [(2, "", "It broke.")]
    assert page["items"][0]["updated_at"] > page["items"][0]["created_at"]
    assert (page["own"], page["may_review"]) == (None, False)
    assert (await grace.get(REVIEWS)).json()["own"]["rating"] == 2


async def test_who_has_bought_a_project_reviews_it_until_the_money_is_given_back(market: Market) -> None:
    ada, grace, slug, order = await bought(market)
    path = f"{PROJECTS}/{slug}/review"
    assert (await market.member("Joan").put(path, GOOD)).status_code == 403
    assert (await grace.put(path, GOOD)).status_code == 201
    await grace.delete(path)
    await did(ada, order, "refund", {})
    assert (await grace.put(path, GOOD)).status_code == 403
    assert (await grace.get(f"{path}s")).json()["may_review"] is False


async def test_the_owner_does_not_review_what_is_theirs(market: Market, ada: Person) -> None:
    await ada.post(f"{PATH}/downloads")
    assert (await ada.put(REVIEW, GOOD)).json()["type"].endswith("/your-own-project")
    assert (await ada.get(REVIEWS)).json()["may_review"] is False


async def test_a_use_is_kept_once_and_neither_of_robots_nor_of_unknown_people(market: Market, ada: Person) -> None:
    grace = market.member("Grace")
    for _ in range(3):
        await asyncio.gather(*(grace.post(f"{PATH}/downloads") for _ in range(3)))
        market.clock.advance(3_600)
    await market.nobody().post(f"{PATH}/downloads")
    robot = market.member("Robot")
    await robot.post(f"{PATH}/downloads", headers={"user-agent": "Examplebot/2.1"})
    assert await rows(market, uses) == 1
    assert (await robot.put(REVIEW, GOOD)).status_code == 403


async def test_of_one_persons_reviews_at_the_same_moment_one_stays(market: Market, ada: Person) -> None:
    grace = await user(market)
    answers = await asyncio.gather(*(grace.put(REVIEW, GOOD) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert await rows(market, reviews) == 1


async def test_the_summary_counts_all_and_its_mean_is_that_of_what_people_gave(market: Market, ada: Person) -> None:
    assert (await ada.get(REVIEWS)).json()["summary"] == {
        "count": 0,
        "mean": None,
        "stars": {"1": 0, "2": 0, "3": 0, "4": 0, "5": 0},
    }
    for number, rating in enumerate((5, 5, 1)):
        await wrote(await user(market, f"P{number}"), rating=rating)
    summary = (await ada.get(REVIEWS, limit=1)).json()["summary"]
    assert (summary["count"], summary["stars"]["5"], summary["stars"]["1"]) == (3, 2, 1)
    assert summary["mean"] == 3.67


async def test_one_review_of_four_stars_is_no_rating_of_three_point_two(market: Market, ada: Person) -> None:
    await wrote(await user(market), rating=4)
    assert (await ada.get(REVIEWS)).json()["summary"]["mean"] == 4.0


@given(st.tuples(*(st.integers(0, 1_000_000) for _ in range(5))))
def test_a_mean_is_what_adding_up_all_stars_gives(counts: tuple[int, int, int, int, int]) -> None:
    stars = sum(rating * count for rating, count in enumerate(counts, 1))
    mean = Ratings(counts).mean
    if mean is None:
        assert sum(counts) == 0
    else:
        assert abs(Fraction(mean) * sum(counts) - stars) <= Fraction(51, 10_000) * sum(counts)


async def test_reviews_come_in_each_order_page_by_page(market: Market, ada: Person) -> None:
    people = [await user(market, f"P{number}") for number in range(5)]
    made: list[Json] = []
    for person, rating in zip(people, (3, 5, 1, 5, 2), strict=True):
        made.append(await wrote(person, rating=rating))
        market.clock.advance(1)
    for marked, fans in ((0, people[1:4]), (4, people[:1])):
        for fan in fans:
            await fan.put(f"/api/v1/reviews/{made[marked]['id']}/helpful")
    numbers = {review["id"]: number for number, review in enumerate(made)}
    newest = sorted(numbers.values(), key=lambda number: made[number]["id"], reverse=True)
    expected = {
        "recent": [4, 3, 2, 1, 0],
        "helpful": [0, 4, *(number for number in newest if number in {1, 2, 3})],
        "rating": [*(number for number in newest if number in {1, 3}), 0, 4, 2],
    }
    for sort, order in expected.items():
        found: list[str] = []
        query: Json = {"sort": sort, "limit": 2}
        while query.get("cursor", "first"):
            page = (await ada.get(REVIEWS, **query)).json()
            found += [item["id"] for item in page["items"]]
            query["cursor"] = page["next_cursor"]
        assert [numbers[each] for each in found] == order, sort
    assert (await ada.get(REVIEWS, sort="worst")).status_code == 400


async def test_a_mark_counts_once_for_each_person_and_not_for_the_author(market: Market, ada: Person) -> None:
    grace, joan = await user(market), market.member("Joan")
    path = f"/api/v1/reviews/{(await wrote(grace))['id']}/helpful"
    for _ in range(2):
        assert (await joan.put(path)).json() == {"marked": True, "helpful": 1}
    assert (await ada.put(path)).json() == {"marked": True, "helpful": 2}
    assert (await grace.put(path)).status_code == 403
    assert (await joan.get(REVIEWS)).json()["items"][0]["marked"] is True
    assert (await grace.get(REVIEWS)).json()["items"][0]["marked"] is False
    for _ in range(2):
        assert (await joan.delete(path)).json() == {"marked": False, "helpful": 1}
    answers = await asyncio.gather(*(joan.put(path) for _ in range(5)))
    assert {answer.json()["helpful"] for answer in answers} == {2}
    assert (await market.nobody().put(path)).status_code == 401
    assert (await joan.put("/api/v1/reviews/%00/helpful")).status_code == 404


async def test_a_review_that_says_something_else_begins_without_marks(market: Market, ada: Person) -> None:
    grace = await user(market)
    review = await wrote(grace)
    await ada.put(f"/api/v1/reviews/{review['id']}/helpful")
    assert (await wrote(grace))["helpful"] == 1
    assert (await wrote(grace, body="Buy my watch."))["helpful"] == 0
    assert await rows(market, review_marks) == 0


async def test_the_owner_replies_and_both_are_told_once(market: Market, ada: Person) -> None:
    grace = await user(market)
    review = await wrote(grace)
    await wrote(grace, rating=1)
    path = f"/api/v1/reviews/{review['id']}/reply"
    assert (await grace.put(path, {"body": "Mine."})).status_code == 403
    answer = await ada.put(path, {"body": "Thank you.\r\n\r\n\r\n\r\nIt is mended.  "})
    assert answer.json()["reply"] == "Thank you.\n\nIt is mended."
    assert (await ada.put(path, {"body": "Thanks."})).json()["reply"] == "Thanks."
    assert (await ada.put(path, {"body": " "})).status_code == 400
    (written,) = await notices(market.parts.database, NoticeKind.REVIEW_WRITTEN)
    (replied,) = await notices(market.parts.database, NoticeKind.REVIEW_REPLIED)
    assert (written.recipient_ids, replied.recipient_ids) == ((ada.id,), (grace.id,))
    assert written.title == "Grace has reviewed Engine"
    assert written.path == replied.path == "/projects/ada.engine"
    taken_back = await ada.delete(path)
    assert (taken_back.status_code, taken_back.json()["reply"], taken_back.json()["replied_at"]) == (200, None, None)


async def test_a_review_is_taken_back_and_goes_with_the_project(market: Market, ada: Person) -> None:
    grace = await user(market)
    review = await wrote(grace)
    await ada.put(f"/api/v1/reviews/{review['id']}/helpful")
    assert [(await grace.delete(REVIEW)).status_code for _ in range(2)] == [204, 404]
    assert (await ada.get(REVIEWS)).json()["summary"]["count"] == 0
    again = await wrote(grace)
    await ada.put(f"/api/v1/reviews/{again['id']}/helpful")
    await ada.delete(PATH)
    assert [await rows(market, table) for table in (reviews, review_marks, uses)] == [0, 0, 0]
    assert (await ada.put(f"/api/v1/reviews/{again['id']}/reply", {"body": "Late."})).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/rating", "/body"}),
        ({"rating": 0, "body": "x"}, {"/rating"}),
        ({"rating": 6, "body": " \n "}, {"/rating", "/body"}),
        ({"rating": 4.5, "body": "x"}, {"/rating"}),
        ({"rating": True, "body": "x"}, {"/rating"}),
        ({"rating": 3, "body": "x" * 5_001}, {"/body"}),
        ({"rating": 3, "body": "a\0b", "title": "t" * 121}, {"/body", "/title"}),
        ({"rating": 3, "body": "one\n\u202etwo"}, {"/body"}),
        ({"rating": 3, "body": "x", "title": "a\nb"}, {"/title"}),
        ({"rating": 3, "body": "x", "helpful": 100}, {"/helpful"}),
    ],
)
async def test_every_wrong_field_of_a_review_is_named(
    market: Market, ada: Person, body: Json, pointers: set[str]
) -> None:
    answer = await (await user(market)).put(REVIEW, body)
    assert answer.status_code == 400
    assert {problem["pointer"] for problem in answer.json()["errors"]} == pointers


async def test_who_writes_too_fast_is_told_to_wait(market: Market, ada: Person) -> None:
    grace = await user(market)
    answers = [await grace.put(REVIEW, {**GOOD, "rating": 1 + number % 5}) for number in range(21)]
    assert [answer.status_code for answer in answers[-2:]] == [200, 429]
    assert "retry-after" in answers[-1].headers
