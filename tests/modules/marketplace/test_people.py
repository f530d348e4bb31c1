"""Profiles: how people are seen, and that an address of somebody leads to them for ever."""

import asyncio

import pytest

from opencode.contracts.identity import UserRegistered
from opencode.infra.db import UnitOfWork
from opencode.kernel.ids import UserId
from tests.modules.marketplace.conftest import PROJECTS, Market

USERS = "/api/v1/users"
MINE = "/api/v1/me/profile"


async def test_a_new_account_has_a_profile_under_its_name(market: Market) -> None:
    ada = market.member("Ada Lovelace")
    async with UnitOfWork(market.parts.database, market.clock) as work:
        work.publish(UserRegistered(user_id=UserId(ada.id), registered_at=market.clock.now()))
    await market.deliver()
    seen = await market.nobody().get(f"{USERS}/ada-lovelace")
    assert seen.status_code == 200
    assert seen.json()["display_name"] == "Ada Lovelace"
    assert seen.headers["etag"].startswith('"1-')


async def test_asking_for_ones_own_profile_makes_it_once(market: Market) -> None:
    ada = market.member("Ada")
    answers = await asyncio.gather(*(ada.get(MINE) for _ in range(5)))
    assert {answer.json()["handle"] for answer in answers} == {"ada"}
    assert (await market.nobody().get(MINE)).status_code == 401


@pytest.mark.parametrize("name", ["Ж", "   !!!   ", "admin", "me", "a" * 200, "ＡＤＡ"])
async def test_every_name_gives_a_handle(market: Market, name: str) -> None:
    profile = (await market.member(name).get(MINE)).json()
    assert (await market.nobody().get(f"{USERS}/{profile['handle']}")).status_code == 200
    assert profile["handle"] not in {"admin", "me"}


async def test_a_person_changes_how_they_are_seen(market: Market) -> None:
    ada = market.member("Ada")
    await ada.get(MINE)
    change = {
        "display_name": "Countess of Lovelace",
        "bio": "# Notes\n\nOn the engine.",
        "avatar": "https://img.example.org/ada.png",
        "skills": ["mathematics", "poetry", "Mathematics"],
        "location": "London",
        "website": "https://ada.example.org",
        "github": "ada-l",
    }
    changed = await ada.patch(f"{USERS}/ada", change)
    assert changed.status_code == 200, changed.text
    assert changed.headers["etag"] == '"2"'
    seen = (await market.nobody().get(f"{USERS}/ada")).json()
    assert {name: seen[name] for name in change} == {**change, "skills": ["mathematics", "poetry"]}
    await ada.create("Engine")
    assert (await ada.search())["items"][0]["owner"]["display_name"] == "Countess of Lovelace"


async def test_every_wrong_field_of_a_profile_is_named(market: Market) -> None:
    ada = market.member("Ada")
    await ada.get(MINE)
    body = {
        "handle": "Ada!",
        "display_name": "\u202e",
        "bio": "\0",
        "avatar": "data:image/png;base64,x",
        "skills": 5,
        "location": "x" * 101,
        "website": "https://u:p@example.org",
        "github": "a b",
        "reputation": 100,
    }
    answer = await ada.patch(f"{USERS}/ada", body)
    assert answer.status_code == 400
    assert {problem["pointer"] for problem in answer.json()["errors"]} == {f"/{name}" for name in body}


async def test_nobody_changes_the_profile_of_another_not_even_an_administrator(market: Market) -> None:
    await market.member("Ada").get(MINE)
    for person, status in ((market.member("Grace"), 403), (market.administrator(), 403), (market.nobody(), 401)):
        assert (await person.patch(f"{USERS}/ada", {"bio": "Mine."})).status_code == status


async def test_with_another_handle_all_old_addresses_lead_on(market: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    assert (await ada.patch(f"{USERS}/ada", {"handle": "countess"})).json()["handle"] == "countess"
    nobody = market.nobody()
    moved = await nobody.get(f"{USERS}/ada")
    assert (moved.status_code, moved.headers["location"]) == (308, f"{USERS}/countess")
    project = await nobody.get(f"{PROJECTS}/ada.engine")
    assert (project.status_code, project.headers["location"]) == (308, f"{PROJECTS}/countess.engine")
    (card,) = (await nobody.search(q="countess"))["items"]
    assert card["slug"] == "countess.engine"
    assert (await nobody.search(q="ada"))["total"] == 0
    assert (await ada.patch(f"{USERS}/ada", {"bio": "Through the old one."})).status_code == 200


async def test_a_handle_that_somebody_had_goes_to_nobody_else_and_back_to_its_owner(market: Market) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    for person in (ada, grace):
        await person.get(MINE)
    await ada.patch(f"{USERS}/ada", {"handle": "countess"})
    for taken in ("ada", "countess"):
        assert (await grace.patch(f"{USERS}/grace", {"handle": taken})).status_code == 409
    assert (await market.member("Ada").get(MINE)).json()["handle"] == "ada-2"
    assert (await ada.patch(f"{USERS}/countess", {"handle": "ada"})).json()["handle"] == "ada"


async def test_of_two_who_want_one_handle_at_the_same_moment_one_gets_it(market: Market) -> None:
    people = [market.member(f"P{number}") for number in range(6)]
    for person in people:
        await person.get(MINE)
    answers = await asyncio.gather(
        *(person.patch(f"{USERS}/p{number}", {"handle": "best"}) for number, person in enumerate(people))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5


async def test_a_profile_that_changed_meanwhile_is_not_overwritten(market: Market) -> None:
    ada = market.member("Ada")
    await ada.get(MINE)
    assert (await ada.patch(f"{USERS}/ada", {"bio": "One."}, if_match='"1"')).status_code == 200
    assert (await ada.patch(f"{USERS}/ada", {"bio": "Two."}, if_match='"1"')).status_code == 412
    assert (await ada.get(MINE)).json()["bio"] == "One."


async def test_a_profile_shows_publications_only_the_latest_first(market: Market) -> None:
    ada = market.member("Ada")
    for title, status in (("One", "published"), ("Two", "draft"), ("Three", "published"), ("Four", "archived")):
        await ada.create(title, status=status)
        market.clock.advance(1)
    seen = (await ada.get(f"{USERS}/ada")).json()
    assert [card["name"] for card in seen["projects"]] == ["three", "one"]
    assert seen["projects_total"] == 2


async def test_nobody_is_found_under_what_is_no_handle(market: Market) -> None:
    for handle in ("x", "Ada", "a.b", "%00", "a" * 41, "..", "me"):
        assert (await market.nobody().get(f"{USERS}/{handle}")).status_code == 404, handle
