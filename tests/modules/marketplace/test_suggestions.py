"""What a model suggests for a README: never more than a person could have written, and never written by itself."""

import json
from typing import Any

import pytest

from opencode.kernel.errors import Unavailable
from opencode.modules.marketplace.domain.suggestions import FORM, MOST_README_BYTES, suggestion_of
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.doubles.assistants import MODEL
from tests.modules.marketplace.conftest import PROJECTS, Json, Market, Person

SUGGESTIONS = f"{PROJECTS}/suggestions"
README = "# Engine\n\nIt weaves algebraic patterns."


def says(market: Market, answer: Any, *, fenced: bool = False) -> None:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    market.assistants.models = [MODEL, "mock/large"]
    market.assistants.pieces = ("```json\n", text, "\n```") if fenced else (text[:10], text[10:])


def author(market: Market, name: str = "Ada") -> Person:
    return market.member(name, "projects:write", "ai:use")


async def suggested(by: Person, text: str = README) -> Json:
    answer = await by.post(SUGGESTIONS, {"text": text})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("fenced", [False, True])
async def test_an_author_gets_a_summary_and_tags_with_those_that_others_have_first(
    market: Market, *, fenced: bool
) -> None:
    await market.member("Charles").create(tags=["math", "weaving"])
    await market.deliver()
    says(market, {"summary": "Weaves  patterns.", "tags": ["Looms", "math", "#weaving", "math"]}, fenced=fenced)
    ada = author(market)
    assert (await ada.get(SUGGESTIONS)).json() == {"available": True}
    assert await suggested(ada) == {
        "summary": "Weaves patterns.",
        "tags": [
            {"tag": "math", "known": True},
            {"tag": "weaving", "known": True},
            {"tag": "looms", "known": False},
        ],
        "model": MODEL,
    }
    asked = market.assistants.asked[-1]
    assert (asked.on_behalf_of, asked.model, asked.form) == (ada.id, MODEL, FORM)
    assert [turn.text for turn in asked.turns] == [README]
    assert "math, weaving" in asked.system
    assert (await ada.get(f"{PROJECTS}?q=")).json()["total"] == 1


@pytest.mark.parametrize(
    ("answer", "summary", "tags"),
    [
        ({"summary": "x" * 301, "tags": ["fine"]}, None, ["fine"]),
        ({"summary": "Fine.", "tags": ["x" * 41, "two words", "ok"]}, "Fine.", ["two-words", "ok"]),
        ({"summary": "One\nline.", "tags": []}, "One line.", []),
        ({"summary": "Turned \u202eround.", "tags": ["a"]}, None, ["a"]),
        ({"summary": "Fine.", "tags": [f"tag{n}" for n in range(500)]}, "Fine.", [f"tag{n}" for n in range(5)]),
        ({"summary": "Fine.", "tags": ["a"], "license": "MIT", "publish": True}, "Fine.", ["a"]),
    ],
)
def test_what_no_project_may_have_is_not_suggested(answer: Json, summary: str | None, tags: list[str]) -> None:
    suggestion = suggestion_of(json.dumps(answer), [], MODEL)
    assert suggestion
    assert suggestion.summary == (summary or "")
    assert [each.tag for each in suggestion.tags] == tags


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I will not.",
        "{",
        '{"summary": 7, "tags": []}',
        "[]",
        '{"summary": "", "tags": []}',
        "}{",
        '{"tags": "math"}',
    ],
)
async def test_an_answer_that_is_no_suggestion_is_told_as_that(market: Market, answer: str) -> None:
    says(market, answer)
    refused = await author(market).post(SUGGESTIONS, {"text": README})
    assert (refused.status_code, refused.json()["title"]) == (503, "The model had no suggestion")


async def test_an_answer_without_end_is_broken_off(market: Market) -> None:
    says(market, "x" * 20_000)
    market.assistants.pieces = ("x" * 10_000,) * 4
    refused = await author(market).post(SUGGESTIONS, {"text": README})
    assert (refused.status_code, market.assistants.left.is_set()) == (503, True)


async def test_what_the_provider_says_of_its_failure_is_told(market: Market) -> None:
    says(market, "{")
    market.assistants.failure = Unavailable("The provider is away.", action="Ask again.")
    refused = await author(market).post(SUGGESTIONS, {"text": README})
    assert (refused.status_code, refused.json()["detail"]) == (503, "The provider is away.")


async def test_only_the_beginning_of_a_long_readme_leaves_the_house(market: Market) -> None:
    says(market, {"summary": "Long.", "tags": []})
    await suggested(author(market), "ä" * 60_000)
    sent = market.assistants.asked[-1].turns[0].text
    assert len(sent.encode()) == MOST_README_BYTES
    too_long = await author(market, "Bea").post(SUGGESTIONS, {"text": "x" * 200_001})
    assert (too_long.status_code, too_long.json()["errors"][0]["pointer"]) == (400, "/text")
    for body in ({"text": ""}, {}, {"text": README, "model": MODEL}, {"text": ["x"]}):
        assert (await author(market, "Cem").post(SUGGESTIONS, body)).status_code == 400


@pytest.mark.parametrize(
    ("who", "offered", "asked"),
    [
        ("author", 200, 200),
        ("member without leave to use models", 200, 404),
        ("token for projects only", 200, 404),
        ("token for models only", 403, 403),
        ("nobody", 401, 401),
    ],
)
async def test_who_may_have_something_suggested(market: Market, who: str, offered: int, asked: int) -> None:
    says(market, {"summary": "Fine.", "tags": []})
    ada = author(market)
    narrowed = {"token for projects only": "projects:write", "token for models only": "ai:use"}
    person = {
        "author": ada,
        "member without leave to use models": market.member("Max"),
        "nobody": market.nobody(),
    }.get(who) or market.guest(market.identity.narrowed(ada.token or "", frozenset({narrowed[who]})))
    look = await person.get(SUGGESTIONS)
    assert look.status_code == offered
    assert look.status_code != 200 or look.json() == {"available": who == "author"}
    assert (await person.post(SUGGESTIONS, {"text": README})).status_code == asked
    assert len(market.assistants.asked) == (asked == 200)


async def test_without_a_provider_nothing_is_offered(market: Market) -> None:
    ada = author(market)
    assert (await ada.get(SUGGESTIONS)).json() == {"available": False}
    assert (await ada.post(SUGGESTIONS, {"text": README})).status_code == 404


@pytest.mark.parametrize("settings", [MarketplaceSettings(suggestions_per_minute=2)])
async def test_suggestions_are_asked_for_only_so_often(market: Market) -> None:
    says(market, {"summary": "Fine.", "tags": []})
    ada = author(market)
    for _ in range(2):
        await suggested(ada)
    assert (await ada.post(SUGGESTIONS, {"text": README})).status_code == 429
    await suggested(author(market, "Bea"))
