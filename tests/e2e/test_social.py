"""What people do around projects, in a browser: follow, review, reply, and keep collections."""

import re
from typing import Any

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.conftest import Stage
from tests.e2e.house import House, Office
from tests.e2e.person import Person
from tests.e2e.test_catalogue import A_PERSON, PHONE
from tests.e2e.test_pages import accessible
from tests.e2e.test_phone import fits_across

Project = dict[str, Any]


@pytest_asyncio.fixture(loop_scope="session")
async def projects(new_office: Office, house: House) -> list[Project]:
    """Three published projects of somebody who has just come."""
    fields = {"summary": "Keeps the light", "status": "published", "repository_url": f"{house.url}/docs"}
    titles = ("Beacon", "Lantern", "Foghorn")
    return [await new_office.post("projects", title=title, tags=["coast"], **fields) for title in titles]


async def _is_fine(person: Person, *, calm: bool = True) -> None:
    await expect(person.page.locator("main [aria-busy=true]")).to_have_count(0)
    await accessible(person)
    if calm:
        await person.nothing_jumped()
    await fits_across(person)


async def test_people_follow_projects_people_and_searches(stage: Stage, projects: list[Project]) -> None:
    grace = await stage.interviewer(**A_PERSON)
    page, made = grace.page, projects[0]
    await grace.goes_to(f"/projects/{made['slug']}")
    follow = page.get_by_role("button", name=re.compile("^Follow(ing)? "))
    await follow.click()
    await expect(follow).to_have_attribute("aria-pressed", "true")
    await expect(follow).to_have_accessible_name("Following 1 follower")
    await grace.goes_to(f"/people/{made['owner']['handle']}")
    await follow.click()
    await expect(follow).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("link[rel=alternate]")).to_have_attribute("href", re.compile(r"/feeds/users/.*\.atom$"))
    await grace.goes_to("/projects?q=foghorn&tags=coast")
    search = page.get_by_role("button", name=re.compile("^Follow(ing)? this search"))
    async with grace.is_answered("POST"):
        await search.click()
        await expect(search).to_have_attribute("aria-pressed", "true")
    await accessible(grace)
    feed = await page.get_by_role("link", name=re.compile("^Feed of")).get_attribute("href")
    answer = await page.request.get(f"{grace.url}{feed}")
    assert "Foghorn" in await answer.text()
    await page.reload()
    await expect(search).to_have_attribute("aria-pressed", "true")

    # All of it is in one place, and what is taken back can be had again.
    await grace.goes_to("/following")
    await expect(page.get_by_role("link", name="Katherine Johnson")).to_be_visible()
    await _is_fine(grace)
    await page.get_by_role("tab", name="Projects").click()
    stop = page.get_by_role("button", name="Unfollow Beacon")
    await stop.click()
    await expect(stop).to_be_hidden()
    await expect(page.get_by_role("heading", name="You follow no project yet")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(stop).to_be_visible()
    await page.get_by_role("tab", name="Searches").click()
    await page.get_by_role("link", name=re.compile("^foghorn")).click()
    await expect(page.get_by_role("heading", name="1 project", exact=True)).to_be_visible()


async def test_who_has_used_a_project_reviews_it_and_its_owner_replies(
    stage: Stage, new_office: Office, projects: list[Project]
) -> None:
    path = f"/projects/{projects[0]['slug']}"
    grace = await stage.interviewer(**A_PERSON)
    page = grace.page
    await grace.goes_to(path)
    await expect(page.get_by_text("You have not used")).to_be_visible()
    async with page.expect_popup() as opened:
        await page.get_by_role("button", name="Download").click()
    await (await opened.value).close()
    await page.get_by_role("button", name="Write a review").click()
    form = page.locator("form", has=page.get_by_role("button", name="Publish review"))
    await form.get_by_role("button", name="Publish review").click()
    await expect(form.get_by_text("Choose 1 to 5 stars.")).to_be_visible()
    grace.expects_failures()
    await accessible(grace)
    await form.get_by_role("radio", name="3 stars").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("ArrowRight")
    await expect(form.get_by_role("radio", name="4 stars")).to_be_checked()
    await form.get_by_label("Title").fill("Seen from afar")
    await form.get_by_label("Review", exact=True).fill("Our boats found home.\nTwice.")
    await form.get_by_role("button", name="Publish review").click()
    own = page.get_by_role("article", name="Review by Grace Hopper")
    await expect(own).to_contain_text("Twice.")
    facts = page.get_by_role("complementary", name="About it")
    await expect(page.get_by_role("region", name="Reviews").get_by_text("1 review", exact=True)).to_be_visible()
    await expect(facts.get_by_role("definition").filter(has_text="1 review")).to_contain_text("4.0")

    katherine = await stage.interviewer(new_office, **PHONE)
    theirs = katherine.page.get_by_role("article", name="Review by Grace Hopper")
    await katherine.goes_to(f"{path}#reviews")
    await theirs.get_by_role("button", name=re.compile("^Helpful")).click()
    await expect(theirs.get_by_role("button", name="Helpful to 1 person")).to_be_visible()
    await theirs.get_by_role("button", name="Reply").click()
    await theirs.get_by_label("Your reply").fill("That is what it is for.")
    await theirs.get_by_role("button", name="Reply").click()
    await expect(theirs.get_by_text("That is what it is for.")).to_be_visible()
    await _is_fine(katherine, calm=False)

    await page.reload()
    await expect(own).to_contain_text("That is what it is for.")
    await expect(own).to_contain_text("Helpful to 1 person")
    await _is_fine(grace)
    await own.get_by_role("button", name="Delete").click()
    await grace.confirms("Delete review")
    await expect(own).to_be_hidden()
    await expect(page.get_by_role("button", name="Write a review")).to_be_visible()


async def test_a_collection_is_put_together_ordered_and_shown(stage: Stage, projects: list[Project]) -> None:
    grace = await stage.interviewer(**A_PERSON)
    page = grace.page
    await grace.goes_to(f"/projects/{projects[0]['slug']}")
    await page.get_by_role("button", name="Add to collection").click()
    popup = page.get_by_role("dialog", name="Your collections")
    await popup.get_by_role("button", name="New collection").click()
    await popup.get_by_label("Title").fill("For sailors")
    await popup.get_by_role("button", name="Create and add").click()
    await expect(popup.get_by_role("checkbox", name="For sailors")).to_be_checked()
    await accessible(grace)
    for other in projects[1:]:
        await grace.goes_to(f"/projects/{other['slug']}")
        await page.get_by_role("button", name="Add to collection").click()
        await popup.get_by_role("checkbox", name="For sailors").click()
        await expect(popup.get_by_role("link", name="Open")).to_be_visible()
    await popup.get_by_role("link", name="Open").click()

    await expect(page.get_by_role("heading", name="For sailors")).to_be_visible()
    await _is_in_order(page, "Beacon", "Lantern", "Foghorn")
    await page.get_by_role("button", name="Move Foghorn up").click()
    await _is_in_order(page, "Beacon", "Foghorn", "Lantern")
    await page.get_by_role("link", name="Beacon").focus()
    await page.keyboard.press("Alt+ArrowDown")
    await _is_in_order(page, "Foghorn", "Beacon", "Lantern")
    await expect(page.get_by_role("link", name="Beacon")).to_be_focused()
    await page.get_by_role("button", name="Add note on Lantern").click()
    await page.get_by_label("Note on Lantern").fill("Needs oil.")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Needs oil.")).to_be_visible()
    await page.get_by_role("button", name="Remove Lantern").click()
    await _is_in_order(page, "Foghorn", "Beacon")
    async with grace.is_answered("PUT"):
        await page.get_by_role("button", name="Undo").click()
        await _is_in_order(page, "Foghorn", "Beacon", "Lantern")
    await page.reload()
    await _is_in_order(page, "Foghorn", "Beacon", "Lantern")
    await expect(page.get_by_text("Needs oil.")).to_be_visible()
    await _is_fine(grace)

    # Everybody sees it, on the profile too, until it is private.
    address = page.url.removeprefix(grace.url)
    visitor = await stage.somebody(**PHONE)
    await visitor.goes_to(address)
    await visitor.page.get_by_role("link", name="Grace Hopper").click()
    await visitor.page.get_by_role("link", name="For sailors").click()
    await expect(visitor.page.get_by_text("Needs oil.")).to_be_visible()
    await expect(visitor.page.get_by_role("button", name=re.compile("^(Move|Remove|Edit)"))).to_have_count(0)
    await _is_fine(visitor, calm=False)
    await page.get_by_role("button", name="Edit", exact=True).click()
    await page.get_by_label("Title").fill("For old sailors")
    await page.get_by_role("radio", name="Private").click()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="For old sailors")).to_be_visible()
    await expect(page.get_by_text("Private", exact=True)).to_be_visible()
    await visitor.goes_to(address)
    await expect(visitor.page.get_by_role("heading", name="The collection was not found")).to_be_visible()
    visitor.expects_failures()
    await grace.goes_to("/collections")
    await expect(page.get_by_role("link", name="For old sailors")).to_be_visible()
    await _is_fine(grace)
    await page.get_by_role("link", name="For old sailors").click()
    await page.get_by_role("button", name="Delete").click()
    await grace.confirms("Delete collection")
    await expect(page.get_by_role("heading", name="My collections")).to_be_visible()
    await expect(page.get_by_role("link", name="For old sailors")).to_have_count(0)


async def _is_in_order(page: Page, *titles: str) -> None:
    rows = page.get_by_role("list", name="Projects in it").get_by_role("listitem")
    await expect(rows).to_contain_text(list(titles))
