"""Releases with files, drafts by address, and proof of ownership, in a browser."""

import hashlib
import re
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.e2e.conftest import Stage
from tests.e2e.house import House, Office
from tests.e2e.person import Person
from tests.e2e.test_catalogue import A_PERSON, PHONE
from tests.e2e.test_pages import accessible
from tests.e2e.test_phone import fits_across

CONTENT = bytes(range(256)) * 4_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


async def _is_fine(person: Person) -> None:
    await expect(person.page.locator("main [aria-busy=true]")).to_have_count(0)
    await accessible(person)
    await fits_across(person)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "beacon-1.0.0.zip"
    path.write_bytes(CONTENT)
    return path


async def test_from_an_upload_to_a_download_with_the_same_checksum_and_proof_of_the_repository(
    stage: Stage, new_office: Office, house: House, archive: Path, tmp_path: Path
) -> None:
    fields = {"summary": "Keeps the light", "status": "published", "repository_url": f"{house.url}/docs"}
    # Wider than a phone, and than the column of a desk.
    code = f"```python\nlight({'1, ' * 80})\n```"
    wide = {"documentation_url": f"{house.url}/docs/{'far/' * 20}", "description": code}
    slug = (await new_office.post("projects", title="Signal Beacon", **fields, **wide))["slug"]
    katherine = await stage.interviewer(new_office, **A_PERSON)
    page = katherine.page
    await katherine.goes_to(f"/projects/{slug}/releases")
    await expect(page.get_by_role("heading", name="Nothing is released yet")).to_be_visible()
    await _is_fine(katherine)
    await page.get_by_role("button", name="New release").click()
    await page.get_by_label("Version").fill("one")
    await page.get_by_role("textbox", name="Notes").fill("Now **brighter**.")
    await page.get_by_role("button", name="Make the release").click()
    await expect(page.get_by_label("Version")).to_be_focused()
    katherine.expects_failures()
    await page.get_by_label("Version").fill("1.0.0")
    await page.get_by_role("tab", name="Preview").click()
    await expect(page.locator(".readme strong")).to_have_text("brighter")
    await page.get_by_role("button", name="Make the release").click()

    # It is open already: its files come next.
    await page.get_by_label("Files for 1.0.0").set_input_files(archive)
    own_files = page.get_by_role("list", name="Files of 1.0.0")
    await expect(own_files.get_by_role("link", name=archive.name)).to_be_visible()
    await expect(page.get_by_role("list", name="Uploads to 1.0.0")).to_be_hidden()
    await page.get_by_label("Files for 1.0.0").set_input_files(
        {"name": archive.name, "mimeType": "application/zip", "buffer": b"other"}
    )
    await expect(page.get_by_text("files never change")).to_be_visible()
    katherine.expects_failures()
    await _is_fine(katherine)
    await page.get_by_role("button", name=re.compile("^Leave it")).click()
    await page.get_by_label("Files for 1.0.0").set_input_files(
        {"name": "mistake.txt", "mimeType": "text/plain", "buffer": b"oops"}
    )
    await page.get_by_role("button", name="Delete mistake.txt").click()
    await katherine.confirms("Delete file")
    await expect(own_files.get_by_role("listitem")).to_have_count(1)

    grace = await stage.interviewer(**PHONE)
    await grace.goes_to(f"/projects/{slug}")
    section = grace.page.get_by_role("region", name="Releases")
    await expect(section.locator(".readme strong")).to_have_text("brighter")
    await expect(section.get_by_text(f"SHA-256 {SHA256}")).to_be_attached()
    async with grace.page.expect_download() as begun:
        await section.get_by_role("link", name=archive.name).click()
    taken = tmp_path / "taken"
    await (await begun.value).save_as(taken)
    assert hashlib.sha256(taken.read_bytes()).hexdigest() == SHA256
    await expect(grace.page.locator("dl div", has_text="Downloads")).to_contain_text("1")
    await expect(grace.page.get_by_text("1 download by people, 0 by robots")).to_be_visible()
    await expect(grace.page.get_by_role("button", name="Write a review")).to_be_visible()
    await _is_fine(grace)

    await page.reload()
    await page.get_by_role("button", name=re.compile("^1.0.0")).click()
    await expect(page.get_by_text("Somebody has downloaded it, so it stays.")).to_be_visible()
    await page.get_by_role("button", name="Yank 1.0.0").click()
    await expect(page.get_by_role("button", name="Unyank 1.0.0")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("button", name="Yank 1.0.0", exact=True)).to_be_visible()

    await page.get_by_role("link", name="Ownership").click()
    await page.get_by_role("button", name="Show me what to do").first.click()
    panel = page.locator("section", has=page.get_by_role("heading", name="A file in the repository"))
    await expect(panel.get_by_text(".well-known/opencode.txt", exact=True)).to_be_visible()
    await expect(panel.get_by_role("button", name="Copy the token")).to_be_visible()
    await panel.get_by_role("button", name="Check now").click()
    await expect(panel.get_by_text("Last check")).to_be_visible()
    await _is_fine(katherine)
    await katherine.nothing_jumped()
    await panel.get_by_role("button", name="Remove").click()
    await expect(panel.get_by_role("button", name="Show me what to do")).to_be_visible()


async def test_a_project_is_read_from_where_it_is_only_if_the_operator_has_named_a_place(
    stage: Stage, new_office: Office
) -> None:
    katherine = await stage.interviewer(new_office, **A_PERSON)
    page = katherine.page
    await katherine.goes_to("/projects/new")
    await expect(page.get_by_label("Title")).to_be_visible()
    await expect(page.get_by_role("heading", name="Is it somewhere already?")).to_be_hidden()

    async def answer(route: Route) -> None:
        told = {"title": "Fast lines", "summary": "", "description": "# Fast", "technologies": ["Rust"], "tags": []}
        links = {"license": "MIT", "repository_url": None, "documentation_url": None, "demo_url": None}
        problems = [{"pointer": "/summary", "detail": "was not told"}]
        is_asking = route.request.method == "GET"
        await route.fulfill(
            json={"hosts": ["code.example.org"]} if is_asking else {**told, **links, "problems": problems}
        )

    await page.route("**/api/v1/projects/drafts", answer)
    await page.reload()
    await page.get_by_label("Its address").fill("https://code.example.org/ada/fast-lines")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Summary was not told.")).to_be_visible()
    await _is_fine(katherine)
    await page.get_by_role("button", name="Take it over").click()
    await expect(page.get_by_label("Title")).to_have_value("Fast lines")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_label("Title")).to_have_value("")


async def test_a_project_is_read_again_from_its_repository_and_an_undo_brings_the_old_words_back(
    stage: Stage, new_office: Office
) -> None:
    repository = "https://code.example.org/ada/beacon"
    fields = {"summary": "Keeps the light", "description": "Old words.", "status": "published"}
    slug = (await new_office.post("projects", title="Lamp Beacon", repository_url=repository, **fields))["slug"]
    fresh = "# Fresh\n\nBurns on. ![The lamp](https://pictures.example.org/lamp.png)"
    katherine = await stage.interviewer(new_office, **A_PERSON)
    page = katherine.page

    # The places are settings of the whole server, which here has none: what they tell is put in between.
    async def name_hosts(route: Route) -> None:
        await route.fulfill(json={"hosts": ["code.example.org"]})

    async def preview(route: Route) -> None:
        offer = {"field": "description", "mine": "Old words.", "told": fresh, "by_hand": True}
        licence = {"field": "license", "mine": "", "told": "MIT", "by_hand": False}
        await route.fulfill(json={"revision": 1, "offers": [offer, licence], "problems": []})

    async def sync(route: Route) -> None:
        assert route.request.post_data_json == {"take": ["description"]}
        project = await new_office.patch(f"projects/{slug}", description=fresh)
        await route.fulfill(json={"changed": ["description"], "kept": [], "problems": [], "project": project})

    await page.route("**/api/v1/projects/drafts", name_hosts)
    await page.route("**/sync/preview", preview)
    await page.route("**/sync", sync)
    await katherine.goes_to(f"/projects/{slug}/edit")
    refresh = page.get_by_role("button", name="Refresh from the repository")
    words = page.get_by_role("textbox", name="Description")
    await page.get_by_label("Title").fill("Half a")
    await expect(refresh).to_be_disabled()
    await page.get_by_label("Title").fill("Lamp Beacon")
    await refresh.click()
    # What somebody has worded is theirs until they choose otherwise.
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Description")).not_to_be_checked()
    await expect(dialog.get_by_label("Licence")).to_be_checked()
    await _is_fine(katherine)
    await dialog.get_by_label("Licence").click()
    await expect(dialog.get_by_role("button", name="Take over")).to_be_disabled()
    await dialog.get_by_label("Description").click()
    await dialog.get_by_role("button", name="Take over").click()
    await expect(dialog).to_have_count(0)
    await expect(words).to_have_value(fresh)
    # While somebody reaches for it, it stays.
    await page.get_by_role("button", name="Undo").hover()
    await _is_fine(katherine)

    # As others read it: one title, and a picture that is not shown is a link.
    grace = await stage.interviewer(**PHONE)
    await grace.goes_to(f"/projects/{slug}")
    await expect(grace.page.get_by_role("heading", name="Fresh", level=2)).to_be_visible()
    await expect(grace.page.get_by_role("heading", level=1)).to_have_count(1)
    await expect(grace.page.locator(".readme").get_by_role("link", name="The lamp")).to_be_visible()
    await expect(grace.page.locator(".readme img")).to_have_count(0)
    await _is_fine(grace)

    await page.get_by_role("button", name="Undo").click()
    await expect(words).to_have_value("Old words.")
    await expect(page.get_by_text("The project is as it was.")).to_be_visible()
