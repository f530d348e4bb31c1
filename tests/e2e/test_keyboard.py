"""Everything without a mouse."""

import re
from typing import Any

from playwright.async_api import expect

from tests.e2e.conftest import Stage
from tests.e2e.house import EMAIL
from tests.ocp import PASSWORD

Interview = dict[str, Any]


async def test_from_signing_in_to_a_run_with_the_keyboard_alone(stage: Stage) -> None:
    grace = await stage.somebody()
    page, keys = grace.page, grace.page.keyboard
    await grace.goes_to("/sign-in")
    await expect(page.get_by_label("E-mail")).to_be_focused()
    await keys.type(EMAIL)
    await keys.press("Tab")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await page.wait_for_url("**/interviews")
    await expect(page.get_by_role("heading", name="Interviews")).to_be_visible()

    await keys.press("n")
    await expect(page.get_by_label("Title")).to_be_focused()
    await keys.type("With keys alone")
    await keys.press("Enter")
    await expect(page.get_by_role("heading", name="Invite the candidate")).to_be_focused()
    for _ in range(3):
        await keys.press("Tab")
    await expect(page.get_by_role("link", name="Open the room")).to_be_focused()
    await keys.press("Enter")
    await expect(grace.editor).to_be_visible()

    await keys.press("F6")
    await expect(grace.editor).to_be_focused()
    await keys.press("Control+a")
    await keys.type('print("no mouse")')
    await keys.press("Control+Enter")
    await expect(grace.output.get_by_text("no mouse", exact=True)).to_be_visible()

    await keys.press("Escape")
    await expect(page.get_by_role("button", name="Run", exact=True)).to_be_focused()


async def test_a_question_mark_shows_the_keys_and_escape_puts_them_away(stage: Stage, interview: Interview) -> None:
    grace = await stage.interviewer()
    await grace.enters(interview)
    await grace.editor.focus()
    await grace.page.keyboard.press("End")
    await grace.page.keyboard.type("?")
    await grace.reads_some("?")
    await grace.page.keyboard.press("Escape")
    await grace.page.keyboard.press("?")
    sheet = grace.page.get_by_role("dialog", name="Keys")
    await expect(sheet).to_contain_text("Leave the editor")
    await grace.page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()


async def test_the_palette_does_what_it_lists(stage: Stage, interview: Interview) -> None:
    grace, ada = await stage.room(interview)
    await grace.editor.focus()
    await grace.page.keyboard.press("Control+k")
    await expect(grace.page.get_by_placeholder("What do you want to do?")).to_be_focused()
    await grace.page.keyboard.type("freeze")
    await grace.page.keyboard.press("Enter")
    await expect(ada.page.get_by_text("The interviewer has frozen the editor")).to_be_visible()
    await expect(grace.page.get_by_role("dialog")).to_have_count(0)
    await grace.page.keyboard.press("Control+k")
    await grace.page.keyboard.type("xyzzy")
    await expect(grace.page.get_by_text("No action of that name")).to_be_visible()
    await grace.page.keyboard.press("Escape")
    await ada.page.keyboard.press("Control+k")
    await expect(ada.page.get_by_role("option", name=re.compile("End interview"))).to_have_count(0)
    await ada.page.keyboard.type("javascript")
    await expect(ada.page.get_by_role("option", name="Switch to JavaScript")).to_have_count(0)
