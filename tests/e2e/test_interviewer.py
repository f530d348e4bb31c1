"""What an interviewer decides holds at once, in the middle of typing too."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Stage
from tests.e2e.house import Office

Interview = dict[str, Any]


async def test_freezing_in_the_middle_of_typing_leaves_the_same_text_everywhere(
    stage: Stage, interview: Interview, office: Office
) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all("")
    await grace.reads("")
    typing = asyncio.create_task(ada.types("a" * 120, delay_ms=15))
    await grace.reads_some("aaaaaaaaaa")
    await grace.page.get_by_role("button", name="Freeze").click()
    await expect(ada.editor).to_have_attribute("aria-readonly", "true")
    await expect(ada.page.get_by_text("The interviewer has frozen the editor")).to_be_visible()
    await typing
    await ada.is_saved()
    text = await office.code(interview)
    assert 10 <= len(text) < 120
    await ada.reads(text)
    await grace.reads(text)

    await grace.types_at_end(" frozen")
    await ada.reads(f"{text} frozen")
    await grace.page.get_by_role("button", name="Unfreeze").click()
    await expect(ada.editor).to_have_attribute("aria-readonly", "false")
    await ada.types_at_end(" free")
    await grace.reads(f"{text} frozen free")


async def test_who_is_removed_while_typing_is_told_at_once_and_cannot_come_back(
    stage: Stage, interview: Interview, office: Office
) -> None:
    grace, ada = await stage.room(interview)
    alan = await stage.candidate(interview, "Alan Turing")
    await ada.replaces_all("")
    await grace.reads("")
    typing = asyncio.create_task(ada.page.keyboard.type("a" * 60, delay=15))
    await grace.reads_some("aaa")
    await grace.page.get_by_role("button", name="Remove Ada Lovelace").click()
    await grace.confirms("Remove")
    await expect(ada.page.get_by_role("heading", name="You are no longer in this interview")).to_be_visible()
    await typing

    await ada.page.reload()
    await expect(ada.page.get_by_role("heading", name="You are no longer in this interview")).to_be_visible()
    refused = await ada.page.evaluate(
        """async ({ id, document }) => {
            const { token } = JSON.parse(sessionStorage.getItem(`ocp.seat.${id}`) ?? '{}');
            const call = (path, method) =>
                fetch(path, { method, headers: { authorization: `Bearer ${token ?? 'none'}` } });
            const answers = await Promise.all([
                call(`/api/v1/interviews/${id}`, 'GET'),
                call(`/api/v1/documents/${document}/tickets`, 'POST'),
                call(`/api/v1/interviews/${id}/runs`, 'GET'),
            ]);
            return answers.map(({ status }) => status);
        }""",
        {"id": interview["id"], "document": interview["document_id"]},
    )
    assert all(status in {401, 403, 404} for status in refused), refused
    ada.expects_failures()

    await alan.types_at_end(" Alan")
    await grace.reads(await alan.text())
    people = grace.page.get_by_role("list", name="People in the room")
    await expect(people.get_by_text("Ada Lovelace")).to_have_count(0)


async def test_who_is_declined_at_the_door_is_told_kindly(stage: Stage, interview: Interview, office: Office) -> None:
    grace = await stage.interviewer()
    await grace.enters(interview)
    ada = await stage.somebody()
    await ada.goes_to(f"/join/{interview['code']}")
    await ada.page.get_by_label("Your name").fill("Ada Lovelace")
    await ada.page.keyboard.press("Enter")
    await grace.page.get_by_role("button", name="Decline", exact=True).click()
    await expect(ada.page.get_by_role("heading", level=1)).to_contain_text("not let in")
    await ada.page.reload()
    await expect(ada.page.get_by_role("heading", level=1)).to_contain_text("not let in")
    ada.expects_failures()


async def test_who_leaves_is_gone_for_the_others_and_can_knock_again(
    stage: Stage, interview: Interview, office: Office
) -> None:
    grace, ada = await stage.room(interview)
    await ada.page.get_by_role("button", name="Leave").click()
    await ada.confirms("Leave")
    await expect(ada.page.get_by_role("heading", name="You have left")).to_be_visible()
    people = grace.page.get_by_role("list", name="People in the room")
    await expect(people.get_by_text("Ada Lovelace")).to_have_count(0)
    await ada.goes_to(f"/join/{interview['code']}")
    await ada.page.get_by_label("Your name").fill("Ada Lovelace")
    await ada.page.keyboard.press("Enter")
    await grace.page.get_by_role("button", name="Let in", exact=True).first.click()
    await ada.is_saved()


async def test_a_wrong_code_says_so_and_what_to_do(stage: Stage) -> None:
    ada = await stage.somebody()
    await ada.goes_to("/join")
    await ada.page.get_by_label("Interview code").press_sequentially("000000")
    await ada.page.get_by_label("Your name").fill("Ada Lovelace")
    await ada.page.keyboard.press("Enter")
    await expect(ada.page.get_by_role("alert").first).to_be_visible()
    ada.expects_failures()


@pytest.mark.parametrize("language", ["javascript", "bash"])
async def test_programs_read_the_input_that_was_given(stage: Stage, office: Office, language: str) -> None:
    interview = await office.interview(language=language)
    grace = await stage.interviewer()
    await grace.enters(interview)
    programs = {
        "javascript": 'console.log("got", require("fs").readFileSync(0, "utf8"), process.argv[2])',
        "bash": 'read line; echo "got $line $1"',
    }
    await grace.replaces_all(programs[language])
    await grace.page.get_by_role("button", name="Standard input and arguments").click()
    await grace.page.get_by_label("What the program reads").fill("forty")
    await grace.page.get_by_label("Arguments", exact=True).fill("two")
    await grace.runs()
    await expect(grace.output.get_by_text("got forty two")).to_be_visible()


async def test_a_program_that_hangs_is_stopped_by_hand_and_keeps_its_output(stage: Stage, interview: Interview) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all('print("begun", flush=True)\nwhile True: pass')
    await ada.runs()
    await expect(grace.output.get_by_text("begun")).to_be_visible()
    await grace.page.get_by_role("button", name="Stop", exact=True).click()
    for person in (grace, ada):
        await expect(person.output.get_by_text(re.compile("Stopped by hand"))).to_be_visible()
        await expect(person.output.get_by_text("begun")).to_be_visible()
