"""The main job of the product, from the printed link to the downloaded record."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.conftest import DESK, PATIENCE_MS
from tests.e2e.house import MANY_PEOPLE, House
from tests.e2e.person import Person

SLOW_COUNT = """import time

for n in range(3):
    print("step", n, flush=True)
    time.sleep(0.4)
"""
PASTED = "# " + "pasted from elsewhere " * 5


@pytest.fixture
def new_house(tmp_path: Path) -> House:
    """A server on an empty folder."""
    return House(tmp_path / "data", MANY_PEOPLE)


async def test_an_interview_from_the_printed_link_to_the_downloaded_record(browser: Browser, new_house: House) -> None:
    new_house.start()
    try:
        grace = await _somebody(browser, new_house)
        ada = await _somebody(browser, new_house)

        await _becomes_administrator(grace, new_house)
        code = await _creates_an_interview(grace)
        await _joins(ada, code)
        await _is_let_in(grace, ada)
        await _both_write_and_see_each_other(grace, ada)
        await _they_switch_language_and_back(grace, ada)
        await _both_watch_a_run(grace, ada)
        await _they_talk(grace, ada)
        await _the_monitor_tells(grace, ada)
        await _the_editor_is_frozen_and_freed(grace, ada)
        record = await _ends_and_downloads(grace, ada)

        assert record["sessions"][code]["state"] == "ended"
        texts = record["code"][code]
        assert "step" in texts["python"]["content"]
        assert "javascript" in texts
        [run] = record["executions"][code]["results"]
        assert run["output"] == "step 0\nstep 1\nstep 2\n"
        assert "Shall we start?" in json.dumps(record)
        for person in (grace, ada):
            person.saw_no_trouble()
            await person.context.close()
    finally:
        new_house.kill()


async def _somebody(browser: Browser, house: House) -> Person:
    context = await browser.new_context(viewport=DESK, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    return await Person.at(context, house.url)


async def _becomes_administrator(grace: Person, house: House) -> None:
    while "/setup#" not in (line := house.server.next_line()):
        pass
    [link] = re.findall(r"http\S+/setup#\S+", line)
    page = grace.page
    await page.goto(link)
    await page.get_by_label("Your name").fill("Grace Hopper")
    assert "#" not in page.url, "a used secret stays in the address"
    await page.get_by_label("E-mail").fill("grace@example.org")
    await page.get_by_label("Password", exact=True).fill("amazing grace of code")
    await page.get_by_role("button", name="Save and go on").click()
    await page.wait_for_url("**/interviews")


async def _creates_an_interview(grace: Person) -> str:
    page = grace.page
    await (
        page.get_by_role("link", name="New interview")
        .or_(page.get_by_role("link", name=re.compile("interview", re.IGNORECASE)))
        .last.click()
    )
    await page.get_by_label("Title").fill("Backend engineer, first round")
    await page.get_by_role("button", name="Create interview").click()
    shown = page.get_by_text(re.compile(r"^\d{3}\s\d{3}$"))
    code = re.sub(r"\D", "", await shown.inner_text())
    await page.get_by_role("link", name="Open the room").click()
    await page.get_by_role("button", name="Start interview").click()
    await grace.is_saved()
    return code


async def _joins(ada: Person, code: str) -> None:
    await ada.goes_to("/join")
    await ada.page.get_by_label("Interview code").press_sequentially(code)
    await ada.page.get_by_label("Your name").fill("Ada Lovelace")
    await ada.page.get_by_role("button", name="Join interview").click()
    await expect(ada.page.get_by_role("heading", name="Grace Hopper will let you in")).to_be_visible()


async def _is_let_in(grace: Person, ada: Person) -> None:
    await expect(grace.page.get_by_text("Ada Lovelace waits to be let in")).to_be_visible()
    await grace.page.get_by_role("button", name="Let in", exact=True).first.click()
    await ada.is_saved()
    await expect(ada.page.get_by_text("Backend engineer, first round")).to_be_visible()


async def _both_write_and_see_each_other(grace: Person, ada: Person) -> None:
    await ada.replaces_all("")
    await ada.types("# Ada")
    await grace.reads("# Ada")
    await expect(grace.page.locator(".ocp-peer-name")).to_have_text("Ada Lovelace")
    await grace.types_at_end(" and Grace")
    await ada.reads("# Ada and Grace")
    await expect(ada.page.locator(".ocp-peer-name")).to_have_text("Grace Hopper")


async def _they_switch_language_and_back(grace: Person, ada: Person) -> None:
    await grace.picks_language("JavaScript")
    await expect(ada.page.get_by_text("main.js")).to_be_visible()
    template = await ada.text()
    assert template, "the new language starts with its template"
    await grace.reads(template)
    await ada.picks_language("Python")
    await grace.reads("# Ada and Grace")
    await ada.picks_language("JavaScript")
    await grace.reads(template)
    await ada.reads(template)
    await grace.picks_language("Python")
    await ada.reads("# Ada and Grace")


async def _both_watch_a_run(grace: Person, ada: Person) -> None:
    await ada.replaces_all(SLOW_COUNT)
    await grace.reads(SLOW_COUNT)
    await ada.runs()
    for person in (grace, ada):
        # It is still running when its first line is here.
        await expect(person.output.get_by_text("step 0")).to_be_visible()
    for person in (grace, ada):
        await expect(person.output.get_by_text("step 2")).to_be_visible()
        await expect(person.output.get_by_text("exit 0")).to_be_visible()


async def _they_talk(grace: Person, ada: Person) -> None:
    await grace.opens_tab("Chat")
    await grace.page.get_by_label("Message", exact=True).fill("Shall we start?")
    await grace.page.keyboard.press("Enter")
    await expect(ada.page.get_by_role("tab", name=re.compile("Chat.*1 new"))).to_be_visible()
    await ada.opens_tab("Chat")
    await expect(ada.page.get_by_role("log", name="Messages")).to_contain_text("Shall we start?")


async def _the_monitor_tells(grace: Person, ada: Person) -> None:
    await ada.opens_tab("People")
    await expect(ada.page.get_by_text(re.compile("leaving this tab", re.IGNORECASE))).to_be_visible()
    await ada.editor.focus()
    await ada.page.keyboard.press("Control+End")
    await ada.pastes(PASTED)
    await _leaves_the_tab_for_a_moment(ada.page)
    await grace.opens_tab("Monitor")
    monitor = grace.page.get_by_role("tabpanel", name=re.compile("^Monitor"))
    await expect(monitor).to_contain_text(f"Pasted {len(PASTED)} characters")
    await expect(monitor).to_contain_text("Was away for")


async def _leaves_the_tab_for_a_moment(page: Page) -> None:
    # A browser without windows never hides a page, so the page is told that it is hidden.
    tell = """(state) => {
        Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
        Object.defineProperty(document, 'hidden', { value: state === 'hidden', configurable: true });
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
        window.dispatchEvent(new Event(state === 'hidden' ? 'blur' : 'focus'));
    }"""
    await page.evaluate(tell, "hidden")
    await page.evaluate(tell, "visible")


async def _the_editor_is_frozen_and_freed(grace: Person, ada: Person) -> None:
    await grace.page.get_by_role("button", name="Freeze").click()
    await expect(ada.page.get_by_text("The interviewer has frozen the editor")).to_be_visible()
    await expect(ada.editor).to_have_attribute("aria-readonly", "true")
    before = await ada.text()
    await ada.types_at_end("not taken")
    await ada.reads(before)
    await grace.page.get_by_role("button", name="Unfreeze").click()
    await expect(ada.editor).to_have_attribute("aria-readonly", "false")


async def _ends_and_downloads(grace: Person, ada: Person) -> dict[str, Any]:
    await grace.page.get_by_role("button", name="End", exact=True).click()
    await grace.confirms("End interview")
    await expect(ada.page.get_by_role("heading", name="Thank you, Ada Lovelace")).to_be_visible()
    async with grace.page.expect_download() as download:
        await grace.page.get_by_role("button", name="Download record").click()
    file = await download.value
    assert file.suggested_filename.startswith("backend-engineer-first-round")
    return json.loads((await file.path()).read_text())
