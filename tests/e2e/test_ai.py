"""The pages of AI: a provider is added, models are asked, and what is in force is seen."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from tests.e2e.conftest import Stage
from tests.e2e.house import EMAIL, INTERVIEWER, MANY_PEOPLE, House, Office
from tests.e2e.person import Person
from tests.e2e.test_pages import CALM, accessible
from tests.modules.ai.upstreams import KEY, MockUpstream, Mode, running_upstream


@pytest_asyncio.fixture(loop_scope="session")
async def upstream() -> AsyncIterator[MockUpstream]:
    async with running_upstream(wants_key=True) as upstream:
        yield upstream


async def _adds_the_provider(admin: Person, upstream: MockUpstream) -> None:
    page = admin.page
    await admin.goes_to("/ai")
    await expect(page.get_by_role("heading", name="No model yet")).to_be_visible()
    await accessible(admin)
    await page.get_by_role("link", name="Add a provider").click()
    await page.get_by_label("Name", exact=True).fill("a b")
    await page.get_by_role("button", name="Add provider").click()
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    await expect(page.get_by_text("Address is needed for a service that has no preset.")).to_be_visible()
    await accessible(admin)
    await page.get_by_label("Name", exact=True).fill("lab")
    await page.get_by_label("Address").fill(upstream.openai_url)
    await page.get_by_label("Key").fill(KEY)
    await page.get_by_label("Models", exact=True).fill("small\nsmall")
    await page.get_by_role("button", name="Add provider").click()
    await expect(page.get_by_text("is here twice")).to_be_visible()
    admin.expects_failures()
    await page.get_by_label("Models", exact=True).fill("small")
    await page.get_by_role("button", name="Add provider").click()
    row = page.get_by_role("list", name="Providers").get_by_role("listitem")
    await expect(row).to_contain_text("Healthy")
    await expect(row).to_contain_text("2 models")
    assert KEY not in await page.content()
    await accessible(admin)


async def test_an_administrator_adds_a_provider_and_an_interviewer_talks_to_its_models(
    stage: Stage, new_office: Office, upstream: MockUpstream
) -> None:
    admin = await stage.interviewer(**CALM)
    await _adds_the_provider(admin, upstream)
    ada = await stage.interviewer(new_office, **CALM)
    page = ada.page
    await ada.goes_to("/interviews")
    await page.get_by_role("link", name="AI", exact=True).click()
    await page.get_by_role("button", name="Model: lab/large").click()
    await page.get_by_placeholder("Search models").fill("SMALL")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Model: lab/small")).to_be_visible()
    await page.get_by_role("button", name="Parameters").click()
    await page.get_by_label("System text").fill("Answer in one sentence.")
    await page.get_by_label("Temperature").fill("0.5")
    await accessible(ada)
    await ada.nothing_jumped()

    # Its words are there while it speaks.
    pieces = asyncio.Queue[None]()
    upstream.pause = pieces.get
    message = page.get_by_label("Message")
    await message.fill("Say")
    await message.press("Shift+Enter")
    await message.press_sequentially("hello")
    await message.press("Enter")
    await expect(message).to_have_value("")
    for _ in range(2):
        pieces.put_nowait(None)
    turn = page.get_by_role("article", name="Question 1")
    await expect(turn.get_by_text("Hello", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Stop")).to_be_visible()
    for _ in range(20):
        pieces.put_nowait(None)
    await expect(turn.get_by_text("Hello, world.")).to_be_visible()
    await expect(turn).to_contain_text(re.compile(r"First word after .* · 5 tokens in, 4 out"))
    said = upstream.seen[-1].body
    assert [each["role"] for each in said["messages"]] == ["system", "user"]
    assert (said["messages"][1]["content"], said["temperature"]) == ("Say\nhello", 0.5)
    await accessible(ada)

    # One that is stopped ends at the provider, too; one that fails says so, and is asked again.
    let_go = asyncio.Event()
    upstream.pause = lambda: _waits_until_it_is_let_go(let_go)
    asked = upstream.count("/v1/chat/completions")
    await message.fill("Go on")
    await page.get_by_role("button", name="Send").click()
    while upstream.count("/v1/chat/completions") == asked:
        upstream.arrived.clear()
        await upstream.arrived.wait()
    await page.get_by_role("button", name="Stop").click()
    await let_go.wait()
    await expect(page.get_by_text("Stopped.")).to_be_visible()
    upstream.pause, upstream.mode = (lambda: asyncio.sleep(0)), Mode.FAILS
    await page.get_by_role("button", name="Ask again").click()
    await expect(page.get_by_text("The model could not answer.")).to_be_visible()
    ada.expects_failures()
    await accessible(ada)
    upstream.mode = Mode.FINE
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("article", name="Question 2").get_by_text("Hello, world.")).to_be_visible()

    # Other pages leave it as it is; what is cleared comes back.
    await page.get_by_role("navigation", name="AI").get_by_role("link", name="Models").click()
    await page.get_by_label("Filter by name").fill("large")
    await expect(page.get_by_role("list", name="Models").get_by_role("listitem")).to_have_count(1)
    await expect(page.get_by_text(f"{ada.url}/ai/v1", exact=True)).to_be_visible()
    await accessible(ada)
    await page.get_by_role("link", name="Playground").click()
    await page.get_by_role("button", name="Clear").click()
    await expect(page.get_by_role("article")).to_have_count(0)
    # What is said of it lies in nobody's way.
    await message.fill("Go on")
    await page.get_by_role("button", name="Send").click(trial=True)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("article")).to_have_count(2)
    await expect(page.get_by_role("link", name="Providers")).to_have_count(0)
    await ada.goes_to("/ai/providers")
    await expect(page.get_by_role("heading", name="This page is for administrators")).to_be_visible()

    await _sees_what_is_in_force_and_deletes_the_provider(admin, stage.office, upstream)
    await ada.goes_to("/interviews")
    await expect(page.get_by_role("link", name="Projects")).to_be_visible()
    await expect(page.get_by_role("link", name="AI", exact=True)).to_have_count(0)


async def test_while_models_are_on_their_way_nobody_is_told_to_choose_one(stage: Stage) -> None:
    admin = await stage.interviewer(**CALM)
    known = asyncio.Event()

    async def answer_late(route: Route) -> None:
        await known.wait()
        await route.continue_()

    await admin.page.route("**/api/v1/ai/models**", answer_late)
    await admin.goes_to("/ai")
    await expect(admin.page.get_by_label("Message")).to_have_accessible_description("Models are on their way.")
    known.set()
    await expect(admin.page.get_by_role("heading", name="No model yet")).to_be_visible()


async def test_somebody_who_may_not_ask_models_learns_who_may(stage: Stage, new_office: Office) -> None:
    me = await new_office.get("me")
    given = await stage.office.client.patch(f"/api/v1/users/{me['id']}/roles", json={"roles": ["moderator"]})
    assert given.is_success, given.text
    person = await stage.interviewer(new_office, **CALM)
    await person.goes_to("/ai")
    await expect(person.page.get_by_role("heading", name="Models are for interviewers")).to_be_visible()
    await expect(person.page).to_have_title("AI · OpenCode")
    await accessible(person)


TABLE = ("| Kind | Lookup |\n", "|---|--:|\n", "| `dict` | **O(1)** |\n", "| list | O(n) |\n", "\nBoth are built in.")


@pytest_asyncio.fixture(loop_scope="session")
async def shop(office: Office) -> AsyncIterator[MockUpstream]:
    """For one test only: others begin without a provider."""
    async with running_upstream(words=TABLE) as upstream:
        yield upstream
        await office.client.delete("/api/v1/ai/providers/shop")


async def test_what_is_said_of_a_model_is_shown_and_the_table_that_it_writes_is_a_table(
    stage: Stage, new_office: Office, shop: MockUpstream
) -> None:
    admin = await stage.interviewer(**CALM)
    await admin.goes_to("/ai/providers?new")
    await _says_what_is_known_of_a_model(admin, shop)
    ada = await stage.interviewer(new_office, **CALM)
    page = ada.page
    await ada.goes_to("/ai")
    await page.get_by_label("Message").fill("Which is quicker?")
    await page.get_by_role("button", name="Send").click()
    turn = page.get_by_role("article", name="Question 1")
    await expect(turn.get_by_role("columnheader")).to_have_text(["Kind", "Lookup"])
    await expect(turn.get_by_role("cell")).to_have_text(["dict", "O(1)", "list", "O(n)"])
    await expect(turn.get_by_role("strong")).to_have_text("O(1)")
    await expect(turn.get_by_text("Both are built in.")).to_be_visible()
    await accessible(ada)


@pytest_asyncio.fixture(loop_scope="session")
async def remembering(browser: Browser, tmp_path: Path) -> AsyncIterator[Stage]:
    """A server of its own whose answers are kept, also for questions that are alike."""
    async with running_upstream() as upstream:
        # Further apart with each word that only one of two questions has.
        upstream.vector = lambda text: [float(word in text) for word in ("reverse", "list", "map", "How", "do", "can")]
        lab = {"type": "custom", "base_url": upstream.openai_url, "discover": False}
        model = {"name": "small", "price": {"input": 1, "output": 2}}
        semantic = {"embedding_model": "lab/e5", "least_similarity": 0.7}
        configuration = tmp_path / "opencode.json"
        configuration.write_text(
            json.dumps(
                {
                    "providers": {"lab": {**lab, "models": [model, {"name": "e5", "capabilities": ["embeddings"]}]}},
                    "cache": {"enabled": True, "semantic": semantic},
                }
            )
        )
        house = House(tmp_path / "data", {**MANY_PEOPLE, "OCP_AI_CONFIG": str(configuration)})
        house.start()
        office = await Office.opened(house.url, EMAIL, INTERVIEWER)
        stage = Stage(browser, house.url, office)
        yield stage
        for person in stage.people:
            await person.context.close()
            person.saw_no_trouble()
        await office.client.aclose()
        house.kill()


async def test_an_answer_says_when_it_was_made_for_the_same_question_or_for_one_like_it(remembering: Stage) -> None:
    grace = await remembering.interviewer(**CALM)
    page = grace.page
    await grace.goes_to("/ai")
    await expect(page.get_by_role("button", name="Model: lab/small")).to_be_visible()
    message = page.get_by_label("Message")
    answer = page.get_by_role("article")
    for question, told in [
        ("How do I reverse a list?", r"tokens in, \d+ out · \$0\.0000"),
        ("How do I reverse a list?", "From the cache: the same was asked before, so the answer cost nothing"),
        ("How can I reverse a list?", r"From the cache: the answer to a question like it \(75 % alike\)"),
    ]:
        await message.fill(question)
        await message.press("Enter")
        await expect(answer).to_contain_text(re.compile(told))
        await expect(answer.get_by_text("Hello, world.")).to_be_visible()
        await accessible(grace)
        if "alike" not in told:
            await page.get_by_role("button", name="Clear").click()
    await page.get_by_role("button", name="Ask again").click()
    await expect(answer).to_contain_text("$0.0000")
    await expect(answer).not_to_contain_text("From the cache")


async def _says_what_is_known_of_a_model(admin: Person, upstream: MockUpstream) -> None:
    page = admin.page
    await page.get_by_label("Name", exact=True).fill("shop")
    await page.get_by_label("Address").fill(upstream.openai_url)
    await page.get_by_label("Models", exact=True).fill("small\nlarge")
    await page.get_by_text("Windows, prices and capabilities").click()
    await page.get_by_label("Model", exact=True).click()
    await page.get_by_role("option", name="large").click()
    await page.get_by_label("Window").fill("much")
    await page.get_by_label("Price of input").fill("0.15")
    await page.get_by_label("Price of output").fill("0.6")
    await page.get_by_label("Say what it can do").click()
    await page.get_by_label("Tools").click()
    await page.get_by_role("button", name="Add provider").click()
    await expect(page.get_by_text("window must be a whole number of tokens")).to_be_visible()
    await accessible(admin)
    await page.get_by_label("Window").fill("32768")
    await page.get_by_role("button", name="Add provider").click()
    await admin.goes_to("/ai/models")
    row = page.get_by_role("list", name="Models").get_by_role("listitem").filter(has_text="shop/large")
    await expect(row).to_contain_text("33k")
    await expect(row).to_contain_text("$0.15")
    await expect(row).to_contain_text("Tools")
    await accessible(admin)


async def _waits_until_it_is_let_go(let_go: asyncio.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        let_go.set()


async def _sees_what_is_in_force_and_deletes_the_provider(
    admin: Person, office: Office, upstream: MockUpstream
) -> None:
    page = admin.page
    upstream.mode = Mode.REFUSES_KEY
    await page.get_by_role("button", name="Test lab").click()
    row = page.get_by_role("list", name="Providers").get_by_role("listitem")
    await expect(row).to_contain_text("Failing")
    await accessible(admin)

    upstream.mode = Mode.FINE

    # Somebody else saves while the form is open; both changes go together.
    await page.get_by_role("button", name="Change lab").click()
    body = {"type": "custom", "base_url": upstream.openai_url, "models": ["small"], "discover": True, "weight": 2.0}
    changed = await office.client.put("/api/v1/ai/providers/lab", json=body)
    assert changed.is_success, changed.text
    await page.get_by_label("Models", exact=True).fill("small\nother")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Taken over from there: weight.")).to_be_visible()
    admin.expects_failures()
    await page.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("3 models")

    await page.get_by_role("link", name="Configuration").click()
    await page.get_by_label("Filter values").fill("lab.weight")
    value = page.get_by_role("list", name="Values").get_by_role("listitem")
    await expect(value).to_have_text(re.compile(r"providers\.lab\.weight\s*2\.?0?\s*database"))
    assert KEY not in await page.content()
    await accessible(admin)
    await page.get_by_role("link", name="Providers").click()
    await page.get_by_role("button", name="Delete lab").click()
    await admin.confirms("Delete provider")
    await expect(page.get_by_role("heading", name="Name who answers")).to_be_visible()
