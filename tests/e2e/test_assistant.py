"""The assistant in a room: allowed by the interviewer, asked by the candidate, read by both."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.conftest import Stage
from tests.e2e.house import Office
from tests.e2e.test_pages import CALM, accessible
from tests.modules.ai.upstreams import MockUpstream, running_upstream

PROVIDER = "/api/v1/ai/providers/room"


@pytest_asyncio.fixture(loop_scope="session")
async def upstream(office: Office) -> AsyncIterator[MockUpstream]:
    """A provider that is there for one test only: other rooms have no assistant."""
    async with running_upstream() as upstream:
        provider = {"type": "custom", "base_url": upstream.openai_url, "models": ["small"]}
        added = await office.client.put(PROVIDER, json=provider)
        assert added.is_success, added.text
        yield upstream
        await office.client.delete(PROVIDER)


async def test_an_interviewer_lets_a_candidate_ask_and_both_read_the_answer(
    stage: Stage, interview: dict[str, Any], upstream: MockUpstream
) -> None:
    grace, ada = await stage.room(interview, **CALM)
    await expect(ada.page.get_by_role("tab", name="Assistant")).to_have_count(0)
    await grace.page.get_by_role("tab", name="Assistant").click()
    await accessible(grace)
    await grace.page.get_by_label("Who may ask the assistant").select_option("everyone")
    await expect(grace.page.get_by_label("Model", exact=True)).to_have_value("room/small")
    await ada.page.get_by_role("tab", name="Assistant").click()
    question = ada.page.get_by_label("Question", exact=True)
    await question.fill("What does this do?")
    await question.press("Enter")
    for person in (grace, ada):
        log = person.page.get_by_role("log", name="Questions and answers")
        await expect(log).to_contain_text("What does this do?")
        await expect(log).to_contain_text("Hello, world.")
        await expect(log).to_contain_text("with the code")
        await accessible(person)
    await grace.page.get_by_label("Who may ask the assistant").select_option("forbidden")
    await expect(question).to_have_count(0)


async def test_whoever_comes_in_while_the_assistant_answers_sees_the_answer_so_far(
    stage: Stage, interview: dict[str, Any], upstream: MockUpstream
) -> None:
    pieces = asyncio.Queue[None]()
    upstream.pause = pieces.get
    grace, ada = await stage.room(interview, **CALM)
    await grace.page.get_by_role("tab", name="Assistant").click()
    await grace.page.get_by_label("Who may ask the assistant").select_option("everyone")
    await ada.page.get_by_role("tab", name="Assistant").click()
    question = ada.page.get_by_label("Question", exact=True)
    await question.fill("What does this do?")
    await question.press("Enter")
    # The role, and the first word.
    for _ in range(2):
        pieces.put_nowait(None)
    log = grace.page.get_by_role("log", name="Questions and answers")
    await expect(log).to_contain_text("Hello")
    await grace.page.reload()
    await grace.page.get_by_role("tab", name="Assistant").click()
    await expect(log).to_contain_text("Hello")
    for _ in range(20):
        pieces.put_nowait(None)
    for person in (grace, ada):
        words = person.page.get_by_role("log", name="Questions and answers").get_by_text("Hello, world.", exact=True)
        await expect(words).to_be_visible()
