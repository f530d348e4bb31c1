"""What models are for in the product, with the provider of `ocp ai mock`: a draft summary, and words for a listing."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.conftest import Stage
from tests.e2e.house import Office
from tests.e2e.test_pages import CALM, accessible
from tests.modules.ai.gateway.test_mock_provider import mock_provider

PROVIDER = "/api/v1/ai/providers/aviary"
MODEL = "aviary/parrot"


@pytest_asyncio.fixture(loop_scope="session")
async def parrot(office: Office) -> AsyncIterator[str]:
    """A provider that is there for one test only: elsewhere there is nothing to ask."""
    async with mock_provider() as address:
        provider = {"type": "custom", "base_url": f"{address}/v1", "models": ["parrot"]}
        added = await office.client.put(PROVIDER, json=provider)
        assert added.is_success, added.text
        yield MODEL
        await office.client.delete(PROVIDER)


async def _ended(office: Office) -> dict[str, Any]:
    interview = await office.interview("Word count")
    await office.candidate(interview, "Ada Lovelace", admitted=True)
    await office.post(f"interviews/{interview['id']}/messages", text="Please count the words.")
    return await office.post(f"interviews/{interview['id']}/end")


async def test_a_draft_is_corrected_and_accepted_and_stays(stage: Stage, office: Office, parrot: str) -> None:
    interview = await _ended(office)
    grace = await stage.interviewer(**CALM)
    page = grace.page
    await grace.goes_to(f"/interviews/{interview['id']}/ended")
    await expect(page.get_by_role("button", name="Draft a summary")).to_be_visible()
    await accessible(grace)
    await page.get_by_role("button", name="Draft a summary").click()
    text = page.get_by_label("Summary", exact=True)
    await expect(text).to_have_value(re.compile("the interviewer: Please count the words"))
    await expect(page.get_by_text("Draft by a machine")).to_be_visible()
    await expect(page.get_by_text(f"Written by {parrot}.")).to_be_visible()
    assert "Ada" not in await text.input_value()
    await accessible(grace)
    await text.fill("## What was done\n\nA word count that works.")
    await page.get_by_role("radio", name="Preview").click()
    await expect(page.get_by_text("A word count that works.")).to_be_visible()
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await _discards_with_a_question(page)
    await page.get_by_role("button", name="Accept").click()
    await expect(page.get_by_text("Accepted by Grace Hopper")).to_be_visible()
    await page.get_by_text("What was changed of the draft").click()
    await expect(page.get_by_text("drafted: ").first).to_be_attached()
    await accessible(grace)
    await page.reload()
    await expect(page.get_by_text("A word count that works.").first).to_be_visible()
    await expect(page.get_by_role("button", name="Discard")).to_have_count(0)
    tree = (await office.export(interview))["sessions"]
    summary = next(iter(tree.values()))["summary"]
    assert (summary["text"], summary["written_by"]) == ("## What was done\n\nA word count that works.", parrot)


async def _discards_with_a_question(page: Page) -> None:
    """What a person has put into a draft does not go without a word."""
    await page.get_by_role("button", name="Discard").click()
    dialog = page.get_by_role("dialog", name="Discard this draft?")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_have_count(0)


async def test_what_another_tab_has_changed_is_not_overwritten(stage: Stage, office: Office, parrot: str) -> None:
    interview = await _ended(office)
    asked = await office.post(f"interviews/{interview['id']}/summary", model=parrot)
    tabs = [await stage.interviewer(**CALM) for _ in range(2)]
    texts = [tab.page.get_by_label("Summary", exact=True) for tab in tabs]
    for tab, text in zip(tabs, texts, strict=True):
        await tab.goes_to(f"/interviews/{interview['id']}/ended")
        await expect(text).to_have_value(re.compile("count the words"))
    await texts[0].fill("Theirs")
    await tabs[0].page.get_by_role("radio", name="Preview").click()
    await expect(tabs[0].page.get_by_text("Saved", exact=True)).to_be_visible()
    await texts[1].fill("Mine")
    await tabs[1].page.get_by_role("button", name="Accept").click()
    await expect(tabs[1].page.get_by_text("Somebody changed this summary meanwhile.")).to_be_visible()
    await expect(texts[1]).to_have_value("Mine")
    await accessible(tabs[1])
    await tabs[1].page.get_by_role("button", name="Show what is there now").click()
    await expect(texts[1]).to_have_value("Theirs")
    tabs[1].expects_failures()
    assert (await office.get(f"interviews/{interview['id']}/summary"))["summary"]["id"] == asked["id"]


async def test_without_a_provider_there_is_no_word_of_summaries_or_suggestions(stage: Stage, office: Office) -> None:
    interview = await _ended(office)
    grace = await stage.interviewer(**CALM)
    await grace.goes_to(f"/interviews/{interview['id']}/ended")
    await expect(grace.page.get_by_role("heading", name="People")).to_be_visible()
    await expect(grace.page.get_by_role("heading", name="Summary")).to_have_count(0)
    await grace.goes_to("/interviews/new")
    await expect(grace.page.get_by_text("Length", exact=True)).to_be_visible()
    await expect(grace.page.get_by_text("Assistant", exact=True)).to_have_count(0)
    await grace.goes_to("/projects/new")
    await expect(grace.page.get_by_label("Title")).to_be_visible()
    await expect(grace.page.get_by_role("button", name="Suggest from the README")).to_have_count(0)


async def test_an_interview_is_made_with_an_assistant_and_its_report_says_so(
    stage: Stage, office: Office, parrot: str
) -> None:
    grace = await stage.interviewer(**CALM)
    page = grace.page
    await grace.goes_to("/interviews/new")
    await page.get_by_label("Title").fill("With an assistant")
    await page.get_by_label("Assistant").click()
    await page.get_by_role("option", name="Everyone asks").click()
    await expect(page.get_by_label("Model")).to_be_visible()
    await accessible(grace)
    await page.get_by_role("button", name="Create interview").click()
    await expect(page.get_by_role("link", name="Open the room")).to_be_visible()
    interview = (await office.get("interviews"))["items"][0]
    assert interview["assistant"]["mode"] == "everyone"
    await office.post(f"interviews/{interview['id']}/end")
    await grace.goes_to(f"/interviews/{interview['id']}/ended")
    await expect(page.get_by_text(f"Assistant: everyone could ask {parrot}")).to_be_visible()


async def test_an_author_takes_what_is_suggested_one_by_one(stage: Stage, parrot: str) -> None:
    grace = await stage.interviewer(**CALM)
    page = grace.page
    await grace.goes_to("/projects/new")
    button = page.get_by_role("button", name="Suggest from the README")
    await expect(button).to_be_disabled()
    await page.get_by_role("textbox", name="Description").fill("# Loom\n\nWeaves patterns of words.")
    await button.click()
    suggestions = page.get_by_role("region", name="Suggestions")
    await expect(suggestions).to_contain_text("Loom Weaves patterns of words")
    await expect(suggestions).to_contain_text(f"Suggested by {parrot}.")
    summary = page.get_by_role("textbox", name="Summary")
    await expect(summary).to_have_value("")
    await accessible(grace)
    await suggestions.get_by_role("button", name="Use as summary").click()
    await expect(summary).to_have_value("Loom Weaves patterns of words")
    await suggestions.get_by_role("button", name="Add the tag weaves").click()
    await expect(suggestions.get_by_role("button", name="weaves is a tag")).to_be_disabled()
    await expect(page.get_by_role("button", name="Remove weaves")).to_be_visible()
    await expect(page.get_by_role("button", name="Remove loom")).to_have_count(0)
    await suggestions.get_by_role("button", name="Close").click()
    await expect(suggestions).to_have_count(0)
    await accessible(grace)
