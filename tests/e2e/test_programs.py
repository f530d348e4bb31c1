"""Programs in the room: their stages, their terminals, their tests."""

import re
from typing import Any

from playwright.async_api import Route, expect

from tests.e2e.conftest import Stage
from tests.e2e.house import Office
from tests.e2e.person import Person
from tests.e2e.test_pages import CALM, accessible
from tests.e2e.test_phone import PHONE, fits

Interview = dict[str, Any]

SHELL = 'stty size\nwhile read -r line; do echo "got $line"; done\necho over\n'
WARNS = '#include <stdio.h>\n#warning mind the gap\nint main(void) { printf("%d\\n", 6 * 7); return 0; }\n'
DOUBLE = "print(int(input()) * 2)\n"


def screen(person: Person) -> Any:
    """What the terminal shows, as a screen reader finds it."""
    return person.output.locator(".xterm-accessibility-tree")


async def has_terminal(person: Person) -> None:
    await expect(person.page.locator('[data-terminal="live"]')).to_be_visible()


async def test_the_compiler_and_the_program_speak_apart(stage: Stage, office: Office) -> None:
    interview = await office.interview(language="c")
    grace = await stage.interviewer(**CALM)
    await grace.enters(interview)
    await grace.replaces_all(WARNS)
    await grace.runs()
    await expect(grace.output.get_by_text(re.compile(r"Finished in \d+"))).to_be_visible()
    await expect(grace.output.get_by_role("heading", name=re.compile("^Compile"))).to_contain_text("Compiled in")
    await expect(grace.output.get_by_text("42", exact=True)).to_be_visible()
    await accessible(grace)
    await grace.page.reload()
    await expect(grace.output.get_by_role("heading", name=re.compile("^Compile"))).to_be_visible()
    await expect(grace.output.get_by_role("log")).to_contain_text("mind the gap")
    await grace.replaces_all("int main(void) { return 0 }\n")
    await grace.runs()
    await expect(grace.output.get_by_role("heading", name=re.compile("Did not compile"))).to_be_visible()


async def test_everybody_sees_the_same_terminal_and_types_into_it(stage: Stage, office: Office) -> None:
    interview = await office.interview(language="bash")
    grace, ada = await stage.room(interview, **CALM)
    await ada.replaces_all(SHELL)
    await grace.reads(SHELL)
    await ada.page.get_by_role("button", name="Terminal", exact=True).click()
    await ada.runs()
    for person in (grace, ada):
        await has_terminal(person)
    terminal = ada.page.get_by_role("textbox", name=re.compile("^Terminal"))
    await expect(terminal).to_be_focused()
    await ada.page.keyboard.type("hello\n")
    for person in (grace, ada):
        await expect(screen(person)).to_contain_text("got hello")
    await accessible(ada)

    await grace.page.get_by_role("textbox", name=re.compile("^Terminal")).focus()
    await grace.page.keyboard.type("from Grace\n")
    await expect(screen(ada)).to_contain_text("got from Grace")

    await grace.page.get_by_role("button", name="Freeze").click()
    await expect(ada.page.get_by_text("You can watch, not type")).to_be_visible()
    await grace.page.get_by_role("button", name="Unfreeze").click()
    await expect(ada.page.get_by_text(re.compile("Everybody in the room sees this"))).to_be_visible()

    await ada.page.keyboard.press("F6")
    await expect(terminal).not_to_be_focused()
    await terminal.focus()
    await ada.page.keyboard.press("Control+d")
    for person in (grace, ada):
        await expect(screen(person)).to_contain_text("over")
        await expect(person.output.get_by_text(re.compile("Finished in"))).to_be_visible()
    export = await office.export(interview)
    assert "got from Grace" in export["executions"][interview["code"]]["results"][0]["output"]

    await grace.page.reload()
    await expect(screen(grace)).to_contain_text("got from Grace")


async def test_a_terminal_follows_its_pane_and_is_stopped_by_a_key(stage: Stage, office: Office) -> None:
    interview = await office.interview(language="bash")
    grace = await stage.interviewer(**CALM)
    await grace.enters(interview)
    await grace.replaces_all("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done\n")
    await grace.page.get_by_role("button", name="Terminal", exact=True).click()
    await grace.runs()
    await expect(screen(grace)).to_contain_text("ready")
    await grace.page.set_viewport_size({"width": 1100, "height": 700})
    await expect(screen(grace)).to_contain_text(re.compile(r"\d+ \d+"))
    await grace.page.keyboard.press("Control+Shift+Enter")
    await expect(grace.output.get_by_text(re.compile("Stopped by hand after"))).to_be_visible()
    await grace.page.reload()
    await expect(grace.page.get_by_role("button", name="Terminal", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


async def test_tests_pass_and_fail_line_by_line_and_are_there_again(stage: Stage, interview: Interview) -> None:
    grace = await stage.interviewer(**CALM)
    await grace.enters(interview)
    page = grace.page
    await grace.replaces_all(DOUBLE)
    await grace.opens_tab("Tests")
    await accessible(grace)
    for number, (typed, expected) in enumerate([("2", "4"), ("3", "7"), ("4", "8")]):
        await page.get_by_role("button", name="Add a test").click()
        await page.get_by_label("Standard input", exact=True).nth(number).fill(typed)
        await page.get_by_label("Expected output").nth(number).fill(expected)
    await page.get_by_role("button", name="Run tests").click()
    await expect(grace.output.get_by_text("2 of 3 passed")).to_be_visible()
    rows = page.get_by_role("list", name="Tests")
    assert await rows.get_by_text("Passed", exact=True).count() == 2
    await expect(rows).to_contain_text("−expected: 7")
    await expect(rows).to_contain_text("+printed: 6")
    await accessible(grace)

    await page.get_by_label("Stop at the first failure").click()
    await page.get_by_role("button", name="Run tests").click()
    await expect(grace.output.get_by_text("1 of 3 passed, 1 not run")).to_be_visible()
    await page.reload()
    await grace.opens_tab("Tests")
    await expect(rows.get_by_role("button", name=re.compile("^Test"))).to_have_count(3)


async def test_a_frozen_candidate_is_told_why_nothing_runs(stage: Stage, interview: Interview) -> None:
    grace, ada = await stage.room(interview, **CALM)
    await grace.page.get_by_role("button", name="Freeze").click()
    await expect(ada.page.get_by_role("button", name="Run", exact=True)).to_be_disabled()
    await expect(ada.page.get_by_role("contentinfo")).to_contain_text("frozen")
    await ada.opens_tab("Tests")
    await ada.page.get_by_role("button", name="Add a test").click()
    await expect(ada.page.get_by_role("button", name="Run tests")).to_be_disabled()


async def test_terminal_and_tests_fit_on_a_phone(stage: Stage, office: Office) -> None:
    interview = await office.interview(language="bash")
    ada = await stage.candidate(interview, **PHONE)
    await ada.replaces_all("read -r line; echo got $line\n")
    panes = ada.page.get_by_role("navigation", name="Panes")
    await panes.get_by_role("button", name="Output").tap()
    await ada.page.get_by_role("button", name="Terminal", exact=True).tap()
    await ada.runs()
    await has_terminal(ada)
    await fits(ada)
    await ada.page.keyboard.type("hi\n")
    await expect(screen(ada)).to_contain_text("got hi")
    await ada.page.get_by_role("tab", name="Tests").tap()
    await ada.page.get_by_role("button", name="Add a test").tap()
    await fits(ada)


async def test_keys_go_to_the_terminal_that_one_has_started_also_when_its_news_overtakes_the_answer(
    stage: Stage, office: Office
) -> None:
    interview = await office.interview(language="bash")
    grace = await stage.interviewer(**CALM)
    await grace.enters(interview)

    async def answer_late(route: Route) -> None:
        answer = await route.fetch()
        await has_terminal(grace)
        await route.fulfill(response=answer)

    await grace.replaces_all("read -r line; echo got $line\n")
    await grace.page.get_by_role("button", name="Terminal", exact=True).click()
    await grace.page.route(re.compile(r"/interviews/\w+/runs$"), answer_late)
    await grace.runs()
    await expect(grace.output.locator(".xterm-helper-textarea")).to_be_focused()
    await grace.page.keyboard.type("hi\n")
    await expect(screen(grace)).to_contain_text("got hi")


async def test_the_terminal_is_not_loaded_before_it_is_needed(stage: Stage, interview: Interview) -> None:
    grace = await stage.interviewer()
    scripts: list[str] = []
    grace.page.on("response", lambda answer: scripts.append(answer.url))
    await grace.enters(interview)
    bodies = [await (await grace.context.request.get(url)).text() for url in scripts if url.endswith(".js")]
    assert bodies
    assert not [body for body in bodies if "xterm-helper-textarea" in body]
