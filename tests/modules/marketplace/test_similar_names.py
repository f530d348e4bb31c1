"""A name that could be taken for a well used one is published, its owner told, and moderators see it."""

import pytest

from opencode.contracts.notifications import NoticeGiven
from opencode.modules.marketplace.domain.similarity import Likeness, candidates
from opencode.modules.marketplace.domain.words import joined
from opencode.modules.marketplace.settings import MarketplaceSettings

from .conftest import CASES, PROJECTS, Market, Person

CHECK = f"{PROJECTS}/names/check"


@pytest.fixture
def settings() -> MarketplaceSettings:
    return MarketplaceSettings(project_writes_per_minute=100_000, similar_popularity=9)


async def well_used(market: Market, owner: Person, title: str = "Fast API") -> None:
    made = await owner.create(title)
    for number in range(3):
        await market.member(f"Fan {number}").put(f"{PROJECTS}/{made['slug']}/star")


@pytest.mark.parametrize(
    ("name", "likeness"),
    [
        *((each, Likeness.SAME) for each in ("fast-api", "FastAPI", "fast_api", "Fast API", "FÁSTAPI")),
        *((each, Likeness.LOOK) for each in ("fаstаpі", "fastap1", "fa5tapi", "ｆａｓｔａｐ1")),
        *((each, Likeness.MISSPELT) for each in ("fastpi", "fastappi", "fsatapi", "fastabi", "fаstаp")),
        *((each, Likeness.SWAPPED) for each in ("api-fast", "API Fast")),
        *((each, Likeness.AFFIX) for each in ("fastapi-js", "py-fastapi", "pyfastapi", "fast-api-official")),
    ],
)
def test_a_name_resembles_what_it_could_be_taken_for(name: str, likeness: Likeness) -> None:
    assert candidates(name).get("fastapi") is likeness


@pytest.mark.parametrize(
    "name", ["fast", "api", "slowapi", "fastapiary", "fasterapis", "", "-", "x" * 500, "faster-api"]
)
def test_a_name_resembles_little_else(name: str) -> None:
    assert "fastapi" not in candidates(name)
    assert len(candidates(name)) < 80 * 70


def test_short_names_are_not_taken_for_all_their_neighbours() -> None:
    assert "cat" not in candidates("car")
    assert candidates("rnodern").get("modern") is Likeness.LOOK
    assert candidates("c1oud").get(joined("cloud")) is Likeness.LOOK


async def test_a_similar_name_is_published_told_and_shown_to_moderators_once(market: Market) -> None:
    ada, grace, minerva = market.member("Ada"), market.member("Grace"), market.moderator()
    await well_used(market, ada)
    made = await grace.create("Fastapi JS")
    assert len(made["notices"]) == 1
    assert "ada.fast-api" in made["notices"][0]
    assert await market.nobody().names(q="fastapi-js ") == ["fastapi-js"]
    await market.deliver()
    (case,) = (await minerva.get(CASES, kind="similar")).json()["items"]
    assert case["subject"]["name"] == made["slug"]
    shown = (await minerva.get(f"{CASES}/{case['id']}")).json()
    assert shown["history"][0]["text"] == made["notices"][0]
    assert any(minerva.id in notice.recipient_ids for notice in await market.said(NoticeGiven))

    # Looked at and dismissed: other changes of the project do not bring it back.
    path = f"{CASES}/{case['id']}/decide"
    assert (await minerva.post(path, {"decision": "dismiss", "reason": "It is for JS."})).status_code == 200
    changed = await grace.patch(f"{PROJECTS}/{made['slug']}", {"summary": "Other."})
    assert changed.json()["notices"] == []
    await market.deliver()
    assert (await minerva.get(CASES, state="open")).json()["items"] == []
    # Another such name does.
    await grace.patch(f"{PROJECTS}/{made['slug']}", {"name": "fastapi"})
    await market.deliver()
    (case,) = (await minerva.get(CASES, state="open")).json()["items"]
    assert [step["kind"] for step in (await minerva.get(f"{CASES}/{case['id']}")).json()["history"]] == [
        "opened",
        "decided",
        "reopened",
    ]


async def test_ones_own_names_little_used_ones_and_drafts_are_nobodys_business(market: Market) -> None:
    ada, grace, minerva = market.member("Ada"), market.member("Grace"), market.moderator()
    await well_used(market, ada)
    assert (await ada.create("Fastapi JS"))["notices"] == []
    assert (await grace.create("Fastapi", status="draft"))["notices"] == []
    await ada.create("Compiler")
    assert (await grace.create("Compiler"))["notices"] == []
    await market.deliver()
    assert (await minerva.get(CASES)).json()["items"] == []
    published = await grace.patch(f"{PROJECTS}/grace.fastapi", {"status": "published"})
    assert len(published.json()["notices"]) == 1


async def test_the_well_used_one_is_not_told_of_its_imitations(market: Market) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    await well_used(market, ada)
    await grace.create("FastAPI")
    changed = await ada.patch(f"{PROJECTS}/ada.fast-api", {"title": "Fast Api"})
    assert changed.json()["notices"] == []


async def test_a_name_is_checked_before_one_takes_it(market: Market) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    await well_used(market, ada)
    told = (await grace.get(CHECK, name="Fаst API")).json()
    assert told["available"]
    (similar,) = told["similar"]
    assert (similar["slug"], similar["stars"]) == ("ada.fast-api", 3)
    assert (await ada.get(CHECK, name="Fast API")).json() == {"name": "fast-api", "available": False, "similar": []}
    assert (await grace.get(CHECK, name="Something Else")).json()["similar"] == []
    assert (await market.nobody().get(CHECK, name="x")).status_code == 401
    for name in ("", " ", "x" * 121, "a\nb"):
        assert (await grace.get(CHECK, name=name)).status_code == 400, name
    assert (await grace.get(CHECK)).status_code == 400
