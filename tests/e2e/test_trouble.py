"""Reloads, lost lines and killed servers: nothing lost, nothing doubled, and the page says what is so."""

import asyncio
import time
from typing import Any

from playwright.async_api import expect

from tests.e2e.conftest import Stage
from tests.e2e.house import House, Office
from tests.e2e.person import Person

Interview = dict[str, Any]
OFFLINE_S = 10


async def test_after_a_reload_all_is_there_and_nothing_twice(stage: Stage, interview: Interview) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all('print("once")')
    await grace.reads('print("once")')
    await ada.runs()
    await grace.opens_tab("Chat")
    await grace.page.get_by_label("Message", exact=True).fill("Well done")
    await grace.page.keyboard.press("Enter")
    await expect(ada.page.get_by_role("tab", name="Chat 1 new")).to_be_visible()
    await expect(grace.output.get_by_text("exit 0")).to_be_visible()
    await ada.is_saved()
    for person in (grace, ada):
        await person.page.reload()
        await person.is_saved()
        await person.reads('print("once")')
        await expect(person.output.get_by_text("once", exact=True)).to_have_count(1)
        await person.opens_tab("History")
        await expect(person.output.get_by_role("listitem")).to_have_count(1)
        await person.opens_tab("Chat")
        await expect(person.page.get_by_role("log", name="Messages").get_by_text("Well done")).to_have_count(1)
    await grace.types_at_end("  # still together")
    await ada.reads('print("once")  # still together')


async def test_what_is_typed_offline_arrives_when_the_line_is_back(stage: Stage, interview: Interview) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all("")
    await grace.reads("")
    await ada.is_saved()
    await ada.context.set_offline(True)
    lost_at = time.monotonic()
    await expect(ada.light).to_have_text("Offline")
    await ada.types("written offline")
    await expect(ada.page.get_by_text("No line to the server")).to_be_visible()
    await grace.types("meanwhile ")
    await grace.is_saved()
    await ada.reads("written offline")
    await asyncio.sleep(OFFLINE_S - (time.monotonic() - lost_at))
    await expect(ada.light).to_have_text("Offline")
    await ada.context.set_offline(False)
    await ada.is_saved()
    for person in (grace, ada):
        await person.reads_within("written offline", "meanwhile ")
    await grace.reads(await ada.text())
    ada.expects_failures()


async def test_a_page_closed_while_offline_keeps_what_was_typed_for_its_next_visit(
    stage: Stage, interview: Interview
) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all("")
    await grace.reads("")
    await ada.context.set_offline(True)
    await ada.types("kept in this tab")
    await ada.page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    await ada.context.set_offline(False)
    ada.page.on("dialog", lambda dialog: dialog.accept())
    await ada.page.reload()
    await ada.is_saved()
    await grace.reads("kept in this tab")
    await ada.reads("kept in this tab")
    ada.expects_failures()


async def test_a_killed_server_costs_nobody_a_letter(
    stage: Stage, house: House, interview: Interview, office: Office
) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all("\n")
    await grace.reads("\n")
    await ada.types_at_start("acknowledged")
    await ada.is_saved()

    typing = asyncio.gather(_keeps_typing(grace, at_start=False), _keeps_typing(ada, at_start=True))
    await expect(ada.light).to_have_text("Saving")
    house.kill()
    for person in (grace, ada):
        await expect(person.light).to_have_text("Offline")
    house.start()
    await typing
    for person in (grace, ada):
        await person.is_saved()
        await person.reads(f"{'a' * 80}acknowledged\n{'g' * 80}")
        person.expects_failures()
    assert await office.code(interview) == f"{'a' * 80}acknowledged\n{'g' * 80}"


async def _keeps_typing(person: Person, *, at_start: bool) -> None:
    if at_start:
        await person.types_at_start("a" * 80, delay_ms=20)
    else:
        await person.types_at_end("g" * 80, delay_ms=20)


async def test_a_run_under_way_when_the_server_is_killed_ends_for_everyone(
    stage: Stage, house: House, interview: Interview
) -> None:
    grace, ada = await stage.room(interview)
    await ada.replaces_all('import time\nprint("before", flush=True)\ntime.sleep(60)')
    await ada.is_saved()
    await ada.runs()
    await expect(grace.output.get_by_text("before")).to_be_visible()
    house.kill()
    house.start()
    for person in (grace, ada):
        await person.is_saved()
        await expect(person.page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
        person.expects_failures()
    await ada.replaces_all('print("after")')
    await ada.runs()
    for person in (grace, ada):
        await expect(person.output.get_by_text("after", exact=True)).to_be_visible()


async def test_the_waiting_room_opens_although_the_server_was_restarted(
    stage: Stage, house: House, interview: Interview, office: Office
) -> None:
    ada = await stage.somebody()
    seat = await office.candidate(interview, "Ada Lovelace", admitted=False)
    await ada.sits_down(seat)
    await ada.goes_to(f"/interviews/{interview['id']}")
    await expect(ada.page.get_by_text("This page opens by itself")).to_be_visible()
    house.kill()
    await expect(ada.page.get_by_text("You keep your place")).to_be_visible()
    house.start()
    await office.decide(seat, "admit")
    await ada.is_saved()
    ada.expects_failures()
