"""The marketplace in a browser: searching, reading, publishing, and two who change one project at once."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.e2e.conftest import Stage
from tests.e2e.house import House, Office
from tests.e2e.person import Person
from tests.e2e.test_pages import CALM, accessible
from tests.e2e.test_phone import fits_across

Project = dict[str, Any]
# Chromium without a window calls itself headless, and what robots do is counted apart.
A_PERSON: dict[str, Any] = {**CALM, "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36"}
PHONE: dict[str, Any] = {**A_PERSON, "viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
MOST_SCRIPT_BYTES = 120_000
MANY = 230


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def catalogue(office: Office) -> AsyncIterator[str]:
    """Many projects that all have the tag it answers with."""
    lines = [
        {
            "title": f"Rowboat {number:03}",
            "summary": "Moves bytes across the lake, slowly and surely",
            "technologies": ["Python", "SQLite"] if number % 3 else ["Rust"],
            "license": "MIT" if number % 2 else "Apache-2.0",
            "price": {"amount_minor": 900, "currency": "EUR"} if number % 50 == 1 else None,
            "tags": ["lake"],
            "stars": MANY - number,
        }
        for number in range(MANY)
    ]
    body = "\n".join(map(json.dumps, lines)).encode()
    begun = await office.client.post("/api/v1/projects/import", content=body)
    assert begun.status_code == 202, begun.text
    while (job := await office.get(f"projects/import/{begun.json()['id']}"))["state"] == "running":
        pass
    assert job["imported"] == MANY, job
    yield "lake"


def _rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Projects", exact=True).get_by_role("listitem")


async def _finds(person: Person, count: str) -> None:
    await expect(person.page.get_by_role("heading", name=count, exact=True)).to_be_visible()


async def _project(office: Office, house: House, title: str, **fields: Any) -> Project:
    given = {"summary": "A boat", "status": "published", "repository_url": f"{house.url}/docs", **fields}
    return await office.post("projects", title=title, **given)


async def test_from_signing_up_to_an_archived_project(stage: Stage, house: House) -> None:
    ada = await stage.somebody(**A_PERSON)
    page = ada.page
    await ada.goes_to("/projects")
    await page.get_by_role("link", name="New project", exact=True).click()
    await page.get_by_role("link", name="Create one").click()
    await page.get_by_label("Your name").fill("Ada Lovelace")
    await page.get_by_label("E-mail").fill("ada.publishes@example.org")
    await page.get_by_label("Password", exact=True).fill("analytical engine of brass")
    await page.keyboard.press("Enter")

    # Everything that is wrong is told at once.
    await expect(page.get_by_role("heading", name="New project")).to_be_visible()
    await page.get_by_label("Repository").fill("not an address")
    await page.keyboard.press("Control+s")
    await expect(page.get_by_label("Title")).to_be_focused()
    await expect(page.get_by_text("Repository must begin with https://")).to_be_visible()
    ada.expects_failures()
    await page.get_by_label("Title").fill("Jacquard Loom")
    await page.get_by_label("Repository").fill(f"{house.url}/docs")
    await page.get_by_label("Summary").fill("Weaves algebraic patterns")
    technologies = page.get_by_role("combobox", name="Technologies")
    await technologies.fill("Brass")
    await technologies.press("Enter")
    await expect(page.get_by_role("button", name="Remove Brass")).to_be_visible()
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_role("heading", name="Jacquard Loom", level=1)).to_be_visible()

    # Somebody who is not signed in finds it, misspelt, and downloads it.
    visitor = await stage.somebody(**A_PERSON)
    await visitor.goes_to("/projects")
    await expect(_rows(visitor.page).first).to_be_visible()
    await visitor.page.keyboard.press("/")
    await visitor.page.keyboard.type("jaquard")
    await expect(visitor.page.get_by_text("Nothing has “jaquard”")).to_be_visible()
    await visitor.page.keyboard.press("ArrowDown")
    await expect(visitor.page.get_by_role("link", name="Jacquard Loom")).to_be_focused()
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.get_by_role("heading", name="Jacquard Loom")).to_be_visible()
    async with visitor.page.expect_popup() as opened:
        await visitor.page.get_by_role("button", name="Download").click()
    await (await opened.value).close()
    await expect(visitor.page.locator("dl div", has_text="Downloads")).to_contain_text("1")

    # Its author stars it, sees that it was downloaded, and archives it.
    star = page.get_by_role("button", name=re.compile("^Star"))
    async with ada.is_answered("PUT"):
        await star.click()
        await expect(star).to_have_attribute("aria-pressed", "true")
    await expect(star).to_have_accessible_name("Starred, 1 star")
    await expect(page.locator("dl div", has_text="Stars")).to_contain_text("1")
    await page.reload()
    await expect(star).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("dl div", has_text="Downloads")).to_contain_text("1")
    await page.get_by_role("link", name="Edit").click()
    await page.get_by_role("button", name="Archive").click()
    await expect(page.get_by_text("It is no longer in the catalogue")).to_be_visible()
    await visitor.goes_to("/projects?q=jacquard+loom")
    await expect(visitor.page.get_by_role("heading", name="Nothing fits")).to_be_visible()


async def test_filters_are_chosen_removed_and_in_the_address(stage: Stage, catalogue: str) -> None:
    person = await stage.somebody(**A_PERSON)
    page = person.page
    await person.goes_to(f"/projects?tags={catalogue}")
    await _finds(person, f"{MANY} projects")
    filters = page.get_by_role("complementary", name="Filters")
    await filters.get_by_role("link", name=re.compile("^Rust, 77")).click()
    await _finds(person, "77 projects")
    await filters.get_by_role("link", name=re.compile("^MIT, ")).click()
    await page.wait_for_url(re.compile("license=MIT"))
    await expect(_rows(page).first).to_contain_text("MIT · Rust")
    await page.get_by_role("link", name="Remove the filter Rust").click()
    await _finds(person, "115 projects")
    await page.go_back()
    await expect(page.get_by_role("link", name="Remove the filter Rust")).to_be_visible()
    await page.get_by_role("link", name="Clear all").click()
    await expect(page.get_by_role("list", name="Chosen filters")).to_have_count(0)
    await page.get_by_label("Order").select_option("name")
    await expect(page).to_have_url(re.compile(r"\?sort=name$"))
    await person.goes_to(f"/projects?tags={catalogue}&technologies=Rust&technologies=SQLite")
    await expect(page.get_by_role("heading", name="Nothing fits")).to_be_visible()
    await page.get_by_role("link", name="Without SQLite").click()
    await _finds(person, "77 projects")


async def test_back_leads_to_the_row_that_was_left(stage: Stage, catalogue: str) -> None:
    person = await stage.somebody(**A_PERSON)
    page = person.page
    await person.goes_to(f"/projects?tags={catalogue}&sort=name")
    await _finds(person, f"{MANY} projects")
    far = page.get_by_role("link", name="Rowboat 180")
    while await far.count() == 0:
        assert await _rows(page).count() < 60
        await page.mouse.wheel(0, 2000)
        await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    await far.scroll_into_view_if_needed()
    before = await page.evaluate("scrollY")
    await far.click()
    await expect(page.get_by_role("heading", name="Rowboat 180")).to_be_visible()
    await page.go_back()
    await expect(far).to_be_in_viewport()
    assert abs(await page.evaluate("scrollY") - before) < 2
    await page.reload()
    await expect(far).to_be_in_viewport()
    await page.keyboard.press("k")
    await page.keyboard.press("j")
    await expect(page.locator("li[data-row] a:focus")).to_have_count(1)


async def test_two_tabs_change_one_project_and_nothing_is_lost(stage: Stage, office: Office, house: House) -> None:
    made = await _project(office, house, "Twin Hulls")
    grace = await stage.interviewer(**A_PERSON)
    one, other = grace.page, await grace.context.new_page()
    for page in (one, other):
        await page.goto(f"{house.url}/projects/{made['slug']}/edit")
        await expect(page.get_by_label("Title")).to_have_value("Twin Hulls")
    await other.get_by_label("Title").fill("Twin Hulls of Steel")
    await other.get_by_label("Demo").fill("https://example.org/demo")
    await other.keyboard.press("Control+s")
    await expect(other.get_by_text("Saved", exact=True)).to_be_visible()

    await one.get_by_label("Title").fill("Twin Hulls of Wood")
    await one.keyboard.press("Control+s")
    await expect(one.get_by_role("heading", name="It was changed elsewhere while you wrote")).to_be_visible()
    grace.expects_failures()
    await expect(one.get_by_text("Twin Hulls of Steel")).to_be_visible()
    await expect(one.get_by_label("Title")).to_have_value("Twin Hulls of Wood")
    await expect(one.get_by_label("Demo")).to_have_value("https://example.org/demo")
    await accessible(grace)
    await one.get_by_role("button", name="Take theirs").click()
    await expect(one.get_by_label("Title")).to_have_value("Twin Hulls of Steel")
    await one.get_by_role("button", name="Keep mine").click()
    await one.keyboard.press("Control+s")
    await expect(one.get_by_text("Saved", exact=True)).to_be_visible()
    assert (await office.get(f"projects/{made['slug']}"))["title"] == "Twin Hulls of Wood"


async def test_text_that_was_not_saved_is_there_again(stage: Stage, office: Office, house: House) -> None:
    made = await _project(office, house, "Forgotten Oar")
    grace = await stage.interviewer(**A_PERSON)
    page = grace.page
    await grace.goes_to(f"/projects/{made['slug']}/edit")
    await page.get_by_label("Summary").fill("Half a sentence about")
    await page.get_by_role("link", name=made["slug"]).click()
    await expect(page.get_by_role("dialog", name="Leave without saving?")).to_be_visible()
    await grace.confirms("Leave")
    await expect(page.get_by_role("heading", name="Forgotten Oar")).to_be_visible()
    await page.get_by_role("link", name="Edit").click()
    await expect(page.get_by_label("Summary")).to_have_value("Half a sentence about")
    await page.get_by_role("button", name="Discard it").click()
    await expect(page.get_by_label("Summary")).to_have_value("A boat")


async def test_an_old_address_of_a_project_becomes_the_present_one(stage: Stage, office: Office, house: House) -> None:
    made = await _project(office, house, "Old Name")
    await office.patch(f"projects/{made['slug']}", name="new-name")
    person = await stage.somebody(**A_PERSON)
    await person.goes_to(f"/projects/{made['slug']}")
    await expect(person.page.get_by_role("heading", name="Old Name")).to_be_visible()
    await expect(person.page).to_have_url(re.compile(r"\.new-name$"))


@pytest.mark.parametrize("signed_in", [False, True])
async def test_the_search_page_is_for_everybody_and_light(stage: Stage, catalogue: str, *, signed_in: bool) -> None:
    person = await (stage.interviewer(**A_PERSON) if signed_in else stage.somebody(**A_PERSON))
    await person.goes_to("/projects")
    await expect(_rows(person.page).first).to_contain_text("Rowboat")
    await accessible(person)
    await person.nothing_jumped()
    # What is fetched for the one who is signed in has been fetched by now.
    await expect(person.page.get_by_role("button", name=re.compile("^Account of"))).to_have_count(int(signed_in))
    scripts = await person.page.evaluate(
        "performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.endsWith('.js'))"
    )
    # As every browser can take it; most take Brotli, which is smaller.
    async with httpx.AsyncClient(headers={"accept-encoding": "gzip"}) as client:
        sizes = [int((await client.get(script)).headers["content-length"]) for script in set(scripts)]
    assert len(sizes) > 5
    assert sum(sizes) <= MOST_SCRIPT_BYTES


async def test_filters_on_a_phone_are_a_sheet(stage: Stage, catalogue: str) -> None:
    person = await stage.somebody(**PHONE)
    page = person.page
    await person.goes_to(f"/projects?tags={catalogue}")
    await page.get_by_role("button", name="Filters (1)").click()
    sheet = page.get_by_role("dialog", name="Filters")
    await sheet.get_by_role("link", name=re.compile("^Rust, 77")).click()
    await accessible(person)
    await sheet.get_by_role("button", name="Show 77 projects").click()
    await expect(sheet).to_be_hidden()
    await _finds(person, "77 projects")
    await fits_across(person)
    await person.goes_to(f"/projects?tags={catalogue}&q=rowbot")
    await expect(page.get_by_role("button", name=re.compile("^Why here")).first).to_be_visible()
    await accessible(person)


async def test_the_pages_of_one_who_publishes(stage: Stage, office: Office, house: House) -> None:
    text = "# Why\n\nBecause lakes are wide."
    made = await _project(office, house, "Wide Lake", license="MIT", tags=["lake"], description=text)
    grace = await stage.interviewer(**A_PERSON)
    page, handle = grace.page, made["owner"]["handle"]
    for path, heading in [
        (f"/projects/{made['slug']}", "Wide Lake"),
        ("/projects/new", "New project"),
        ("/projects/mine", "My projects"),
        (f"/people/{handle}", "Grace Hopper"),
    ]:
        await grace.goes_to(path)
        await expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        await expect(page.locator("[aria-busy=true]")).to_have_count(0)
        await accessible(grace)
        await grace.nothing_jumped()
    await page.get_by_role("button", name="Edit profile").click()
    await page.get_by_label("About you").fill("Compilers, and boats.")
    await accessible(grace)
    await page.get_by_role("button", name="Save profile").click()
    await expect(page.get_by_text("Compilers, and boats.")).to_be_visible()
