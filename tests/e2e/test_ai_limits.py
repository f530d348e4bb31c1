"""Limits in the browser: set for everybody and for one person, seen as they are used up, and keys of other people."""

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.conftest import Stage
from tests.e2e.house import Office
from tests.e2e.person import Person
from tests.e2e.test_pages import CALM, accessible
from tests.e2e.test_phone import PHONE, fits
from tests.modules.ai.upstreams import KEY, running_upstream

MODEL = "openai/gpt-4o-mini"
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "Say hello"}]}
LIMITS = "/api/v1/ai/limits"


@pytest_asyncio.fixture(loop_scope="session")
async def provider(office: Office) -> AsyncIterator[None]:
    """A provider on loopback, whose model has a price; afterwards nobody has limits."""
    async with running_upstream(wants_key=True) as upstream:
        body = {"type": "cloud", "preset": "openai", "base_url": upstream.openai_url, "api_key": KEY}
        added = await office.client.put(
            "/api/v1/ai/providers/openai", json={**body, "models": ["gpt-4o-mini"], "discover": False}
        )
        assert added.is_success, added.text
        yield
        for limits in (await office.get("ai/limits"))["items"]:
            await office.client.delete(f"{LIMITS}/{limits['whose']}")
        await office.client.delete("/api/v1/ai/providers/openai")


async def _token(office: Office) -> tuple[str, str]:
    made = await office.post("tokens", name="Nightly script", scopes=["ai"], expires_in_days=30)
    return made["id"], made["token"]


async def _asks(url: str, secret: str) -> int:
    async with httpx.AsyncClient(base_url=url) as program:
        headers = {"authorization": f"Bearer {secret}"}
        return (await program.post("/ai/v1/chat/completions", json=ASKED, headers=headers)).status_code


async def _limits_everybody(grace: Person) -> None:
    page = grace.page
    await grace.goes_to("/ai/limits")
    await expect(page.get_by_text("No limits: each person")).to_be_visible()
    await accessible(grace)
    await page.get_by_role("button", name="Change limits of everybody").click()
    await expect(page.get_by_label("Calls a minute")).to_be_focused()
    await page.get_by_label("Calls a minute").fill("many")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Calls a minute must be a whole number.")).to_be_visible()
    await page.get_by_label("Calls a minute").fill("60")
    await accessible(grace)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("60 calls a minute")).to_be_visible()
    # Whoever works with the keyboard goes on where they were.
    await expect(page.get_by_role("button", name="Change limits of everybody")).to_be_focused()


async def test_an_administrator_limits_everybody_and_one_person_and_it_holds_at_once(
    stage: Stage, office: Office, new_office: Office, provider: None
) -> None:
    grace = await stage.interviewer(office, **CALM)
    page = grace.page
    me = await new_office.get("me")
    _, secret = await _token(new_office)
    await _limits_everybody(grace)
    assert await _asks(stage.url, secret) == 200
    await page.get_by_role("button", name="Limit a person").first.click()
    address = page.get_by_label("E-mail address")
    await expect(address).to_be_focused()
    await address.fill("nobody@example.org")
    await page.get_by_label("Budget", exact=True).fill("0")
    await page.get_by_role("button", name="Save limits").click()
    await expect(page.get_by_text("E-mail address is of no account here.")).to_be_visible()
    grace.expects_failures()
    await address.fill(me["email"])
    await page.get_by_role("button", name="Save limits").click()
    row = page.get_by_role("listitem").filter(has_text=me["email"])
    await expect(row.get_by_role("meter", name="Budget")).to_be_visible()
    await expect(row.get_by_role("meter", name="Calls a minute")).to_be_visible()
    assert await _asks(stage.url, secret) in (413, 429), "the budget holds from the next call on"
    await accessible(grace)
    await row.get_by_role("button", name="Remove own limits").click()
    await expect(row.get_by_text("What everybody has holds now.")).to_be_visible()
    assert await _asks(stage.url, secret) == 200
    await row.get_by_role("button", name="Put limits of").click()
    await expect(row.get_by_role("meter", name="Budget")).to_be_visible()
    assert await _asks(stage.url, secret) in (413, 429)


async def test_of_two_administrators_who_change_one_limit_the_second_sees_what_the_first_has_set(
    stage: Stage, office: Office, provider: None
) -> None:
    await office.client.put(f"{LIMITS}/everybody", json={"concurrency": 5})
    grace = await stage.interviewer(office, **CALM)
    page = grace.page
    await grace.goes_to("/ai/limits")
    await page.get_by_role("button", name="Change limits of everybody").click()
    await page.get_by_label("Calls a minute").fill("60")
    await office.client.put(f"{LIMITS}/everybody", json={"concurrency": 7})
    await page.get_by_role("button", name="Save limits").click()
    await expect(page.get_by_text("These were changed elsewhere while you wrote")).to_be_visible()
    grace.expects_failures()
    await expect(page.get_by_role("textbox", name="Calls at once")).to_have_value("7")
    await page.get_by_role("button", name="Save limits").click()
    await expect(page.get_by_role("list", name="Limits of everybody")).to_contain_text("60 calls a minute")
    await expect(page.get_by_role("list", name="Limits of everybody")).to_contain_text("7 calls at once")


async def test_an_administrator_limits_and_revokes_the_key_of_somebody_else(
    stage: Stage, office: Office, new_office: Office, provider: None
) -> None:
    _, secret = await _token(new_office)
    grace = await stage.interviewer(office, **PHONE, **CALM)
    page = grace.page
    await grace.goes_to("/ai/keys")
    await page.get_by_role("radio", name="Everybody's").click()
    row = page.get_by_role("listitem").filter(has_text="Nightly script").first
    await expect(row.get_by_text("Katherine Johnson")).to_be_visible()
    await fits(grace)
    await accessible(grace)
    await row.get_by_role("button", name="Change limits of Nightly script").click()
    await page.get_by_label("Calls a minute").fill("1")
    await page.get_by_role("button", name="Save limits").click()
    await expect(page.get_by_role("meter", name="Calls")).to_be_visible()
    assert [await _asks(stage.url, secret) for _ in range(2)] == [200, 429]
    await page.get_by_role("button", name="Revoke Nightly script").first.click()
    await expect(page.get_by_text("It is a key of Katherine Johnson.")).to_be_visible()
    await page.get_by_role("button", name="Revoke key").click()
    await expect(page.get_by_role("meter", name="Calls")).to_have_count(0)
    assert await _asks(stage.url, secret) == 401
    await grace.goes_to("/ai/limits")
    await expect(page.get_by_text("Spent this month").first).to_be_visible()
    await fits(grace)
    await accessible(grace)


async def test_the_page_is_for_administrators(stage: Stage, new_office: Office) -> None:
    kate = await stage.interviewer(new_office)
    await kate.goes_to("/ai/limits")
    await expect(kate.page.get_by_role("heading", name="This page is for administrators")).to_be_visible()
    assert (await new_office.client.get(LIMITS)).status_code == 403
