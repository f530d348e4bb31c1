"""Every page, light and dark: for everybody's eyes and hands, quiet, and only ours."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.conftest import Stage
from tests.e2e.house import Office
from tests.e2e.person import Person

Interview = dict[str, Any]
AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
CALM: dict[str, Any] = {"reduced_motion": "reduce"}
COLOURFUL = 'print("\\x1b[31mred\\x1b[0m \\x1b[32mgreen\\x1b[0m")\nraise SystemExit(3)'


async def accessible(person: Person) -> None:
    """axe finds nothing, in the light and in the dark."""
    page = person.page
    # What the server wrote into the page has the same headings, and gives way to what is still being drawn.
    await expect(page.locator("#public-page")).to_have_count(0)
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    # The colours alone differ between the themes.
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await examine(page, {"runOnly": ["color-contrast"]})
    await page.emulate_media(color_scheme="light")
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await examine(page, {})


async def examine(page: Page, options: dict[str, Any]) -> None:
    """axe finds nothing on the page as it is."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text())
    # To name all that is right as well takes longer than to find what is wrong.
    asked = {**options, "resultTypes": ["violations"]}
    found = await page.evaluate("(options) => axe.run(document, options)", asked)
    told = [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
    assert not told, f"{page.url}\n" + "\n".join(told)


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/", "Write code together"),
        ("/sign-in", "Sign in"),
        ("/sign-up", "Create your account"),
        ("/setup", "Set up OpenCode"),
        ("/join", "Join an interview"),
        ("/no/such/page", "There is no such page"),
        ("/interviews", "Sign in"),
        ("/interviews/int_unknown", "Sign in to open this interview"),
    ],
)
async def test_a_page_for_everybody(stage: Stage, path: str, heading: str) -> None:
    person = await stage.somebody(**CALM)
    await person.goes_to(path)
    await expect(person.page.get_by_role("heading", level=1).filter(has_text=heading)).to_be_visible()
    await accessible(person)
    await person.nothing_jumped()


async def test_the_pages_of_an_interviewer_who_is_new(stage: Stage, new_office: Office) -> None:
    person = await stage.interviewer(new_office, **CALM)
    await person.goes_to("/interviews")
    await expect(person.page.get_by_role("heading", name="Interviews", exact=True)).to_be_visible()
    await expect(person.page.get_by_role("main").get_by_role("link").first).to_be_visible()
    await accessible(person)
    await person.nothing_jumped()
    await person.goes_to("/interviews/new")
    await expect(person.page.get_by_label("Title")).to_be_focused()
    await expect(person.page.get_by_role("main").get_by_label("Language")).to_be_visible()
    await accessible(person)
    await person.page.get_by_label("Title").fill("Backend engineer")
    await person.page.keyboard.press("Enter")
    await expect(person.page.get_by_role("link", name="Open the room")).to_be_visible()
    await accessible(person)
    await person.goes_to("/interviews")
    await expect(person.page.get_by_role("listitem").first).to_be_visible()
    await accessible(person)
    await person.nothing_jumped()


@pytest.mark.parametrize("path", ["/account", "/admin"])
async def test_a_page_of_the_administrator(stage: Stage, path: str) -> None:
    person = await stage.interviewer(**CALM)
    await person.goes_to(path)
    await expect(person.page.get_by_role("heading", level=1)).to_be_visible()
    await expect(person.page.locator("[aria-busy=true]")).to_have_count(0)
    await accessible(person)
    await person.nothing_jumped()


async def test_waiting_at_the_door(stage: Stage, interview: Interview, office: Office) -> None:
    ada = await stage.somebody(**CALM)
    await ada.sits_down(await office.candidate(interview, "Ada Lovelace", admitted=False))
    await ada.goes_to(f"/interviews/{interview['id']}/waiting")
    await expect(ada.page.get_by_role("textbox", name="Practice editor")).to_be_visible()
    await accessible(ada)
    await ada.nothing_jumped()


async def test_the_room_with_everything_in_it(stage: Stage, interview: Interview, office: Office) -> None:
    grace, ada = await stage.room(interview, **CALM)
    await accessible(grace)
    await ada.replaces_all(COLOURFUL)
    await grace.reads(COLOURFUL)
    await ada.runs()
    for person in (grace, ada):
        await expect(person.output.get_by_text("exit 3")).to_be_visible()
    await office.candidate(interview, "Alan Turing", admitted=False)
    await expect(grace.page.get_by_text("Alan Turing waits to be let in")).to_be_visible()
    for person in (grace, ada):
        await accessible(person)
    await grace.page.get_by_role("button", name="Freeze").click()
    await expect(ada.page.get_by_text("The interviewer has frozen the editor")).to_be_visible()
    await accessible(ada)
    for tab in ("Chat", "Monitor", "History"):
        await grace.opens_tab(tab)
    await accessible(grace)
    await grace.page.keyboard.press("Control+k")
    await expect(grace.page.get_by_placeholder("What do you want to do?")).to_be_focused()
    await accessible(grace)
    for person in (grace, ada):
        await person.nothing_jumped()


async def test_after_the_end(stage: Stage, interview: Interview, office: Office) -> None:
    grace, ada = await stage.room(interview, **CALM)
    await ada.replaces_all('print("done")')
    await ada.runs()
    await expect(grace.output.get_by_text("exit 0")).to_be_visible()
    await office.post(f"interviews/{interview['id']}/messages", text="Thank you")
    await office.post(f"interviews/{interview['id']}/end")
    await expect(ada.page.get_by_role("heading", name="Thank you, Ada Lovelace")).to_be_visible()
    await expect(grace.page.get_by_role("button", name="Download record")).to_be_visible()
    await expect(grace.page.get_by_text("Finished well")).to_be_visible()
    await expect(grace.page.get_by_role("region", name="Python text")).to_have_text('print("done")')
    await expect(grace.page.get_by_role("list", name="Messages")).to_contain_text("Thank you")
    for person in (grace, ada):
        await accessible(person)
    await grace.page.reload()
    await expect(grace.page.get_by_text("Finished well")).to_be_visible()
    await grace.nothing_jumped()


@pytest_asyncio.fixture(loop_scope="session")
async def busy_office(new_office: Office) -> AsyncIterator[Office]:
    """An interviewer with a thousand interviews."""

    async def some(numbers: range) -> None:
        for number in numbers:
            await new_office.post("interviews", title=f"Interview #{number:04}")

    await asyncio.gather(*(some(range(first, 1001, 8)) for first in range(1, 9)))
    yield new_office


async def test_a_thousand_interviews_scroll_with_a_screenful_of_rows(stage: Stage, busy_office: Office) -> None:
    person = await stage.interviewer(busy_office, **CALM)
    await person.goes_to("/interviews")
    rows = person.page.get_by_role("list", name="Interviews").get_by_role("listitem")
    await expect(rows.first).to_be_visible()
    newest = (await busy_office.get("interviews?limit=1"))["items"][0]["title"]
    await expect(rows.first).to_contain_text(newest)
    oldest = f"Interview #{1:04}"
    while await person.page.get_by_role("link", name=oldest).count() == 0:
        assert await rows.count() < 60
        await person.page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
        await person.page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert await rows.count() < 60
    await person.page.evaluate("window.scrollTo(0, 0)")
    await expect(person.page.get_by_role("link", name=newest, exact=True)).to_be_in_viewport()
    search = person.page.get_by_role("searchbox")
    await search.fill("interview #0500")  # a bare number may be part of some code as well
    await expect(rows).to_have_count(1)
    await person.nothing_jumped()
