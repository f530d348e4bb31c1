"""Two people, and more, in one editor."""

import asyncio
import re
from typing import Any

from playwright.async_api import expect

from tests.e2e.conftest import Stage
from tests.e2e.house import Office
from tests.e2e.person import Person

Interview = dict[str, Any]


async def test_what_one_types_the_other_sees_with_the_name_at_the_caret(stage: Stage, interview: Interview) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all("")
    await ada.types("total = 0")
    await grace.reads("total = 0")
    await expect(grace.page.locator(".ocp-peer-name")).to_have_text("Ada Lovelace")
    await grace.types_at_end("  # so far")
    await ada.reads("total = 0  # so far")
    await expect(ada.page.locator(".ocp-peer-name")).to_have_text("Grace Hopper")


async def test_typing_at_the_same_place_ends_in_the_same_text(
    stage: Stage, interview: Interview, office: Office
) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all("")
    await grace.reads("")
    await asyncio.gather(grace.types("gggggggggg", delay_ms=15), ada.types("aaaaaaaaaa", delay_ms=15))
    await _all_have_saved(grace, ada)
    text = await office.code(interview)
    assert sorted(text) == sorted("g" * 10 + "a" * 10)
    await grace.reads(text)
    await ada.reads(text)


async def test_undo_takes_back_only_what_one_has_written_oneself(stage: Stage, interview: Interview) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all("")
    await ada.types("mine ")
    await grace.reads("mine ")
    await grace.types_at_end("yours")
    await ada.reads("mine yours")
    await grace.page.keyboard.press("Control+z")
    await ada.reads("mine ")
    await grace.page.keyboard.press("Control+z")
    await grace.page.keyboard.press("Control+y")
    await ada.reads("mine yours")


async def test_emoji_and_rare_letters_arrive_as_they_were_typed(
    stage: Stage, interview: Interview, office: Office
) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all('cheer = "👩🏽‍💻 𝔘nicode ß 漢字"')
    await grace.reads('cheer = "👩🏽‍💻 𝔘nicode ß 漢字"')
    await grace.types_at_start("🎉")
    await grace.page.keyboard.press("ArrowRight")
    await grace.page.keyboard.press("Backspace")
    await ada.reads('🎉heer = "👩🏽‍💻 𝔘nicode ß 漢字"')
    await _all_have_saved(grace, ada)
    assert await office.code(interview) == '🎉heer = "👩🏽‍💻 𝔘nicode ß 漢字"'


async def test_lines_pasted_from_windows_become_plain_lines(stage: Stage, interview: Interview, office: Office) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all("")
    await ada.pastes("first\r\nsecond\r\n\rthird")
    await grace.reads("first\nsecond\n\nthird")
    await ada.is_saved()
    assert await office.code(interview) == "first\nsecond\n\nthird"


async def test_one_person_in_two_tabs_is_one_person(stage: Stage, interview: Interview) -> None:
    grace, ada = await stage.room(interview)
    again = await stage.interviewer()
    await again.enters(interview)
    await ada.replaces_all("")
    await grace.reads("")
    await again.types("from the second tab")
    await grace.reads("from the second tab")
    await grace.types_at_end(", and the first")
    await ada.reads("from the second tab, and the first")
    people = ada.page.get_by_role("list", name="People in the room").get_by_role("listitem")
    await expect(people).to_have_count(2)
    await again.page.close()
    await grace.types_at_end("!")
    await ada.reads("from the second tab, and the first!")
    await expect(people.filter(has_text="Grace Hopper")).not_to_contain_text("offline")


async def test_two_candidates_write_with_the_interviewer(stage: Stage, interview: Interview, office: Office) -> None:
    grace, ada = await stage.room(interview)
    alan = await stage.candidate(interview, "Alan Turing")
    await ada.replaces_all("# one\n# two\n# three")
    await alan.reads("# one\n# two\n# three")
    await grace.reads("# one\n# two\n# three")
    await asyncio.gather(ada.types_at_start("A" * 12), alan.types_at_end("T" * 12), grace.types_at_end(""))
    expected = f"{'A' * 12}# one\n# two\n# three{'T' * 12}"
    for person in (grace, ada, alan):
        await person.reads(expected)
    await expect(grace.page.locator(".ocp-peer-name")).to_have_count(2)


async def test_both_press_run_at_the_same_moment_and_see_the_same_runs(stage: Stage, interview: Interview) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all('print("ran")')
    await grace.reads('print("ran")')
    await asyncio.gather(grace.runs(), ada.runs())
    for person in (grace, ada):
        await expect(person.output.get_by_text("exit 0")).to_be_visible()
        await expect(person.page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    lists = [await _history(person) for person in (grace, ada)]
    assert lists[0] == lists[1]
    assert lists[0] in (["exit 0"], ["exit 0", "exit 0"])


async def test_both_switch_language_at_the_same_moment_and_end_in_the_same_one(
    stage: Stage, interview: Interview, office: Office
) -> None:
    grace, ada = await stage.room(interview)
    await asyncio.gather(_switches(grace, "JavaScript"), _switches(ada, "Bash"))
    after = await office.get(f"interviews/{interview['id']}")
    file_name = {"javascript": "main.js", "bash": "main.sh"}[after["language"]]
    for person in (grace, ada):
        await expect(person.editor).to_have_attribute("aria-label", f"Code editor, {file_name}")
    await grace.reads(await ada.text())
    await ada.types_at_end(" ")
    await grace.reads(await ada.text())


async def _switches(person: Person, language: str) -> None:
    async with person.is_answered("PATCH"):
        await person.picks_language(language)


async def _all_have_saved(*people: Person) -> None:
    for person in people:
        await person.is_saved()


async def _history(person: Person) -> list[str]:
    await person.opens_tab("History")
    rows = person.output.get_by_role("listitem")
    await expect(rows.first).to_be_visible()
    return [re.findall(r"exit \d+", await row.inner_text())[0] for row in await rows.all()]
