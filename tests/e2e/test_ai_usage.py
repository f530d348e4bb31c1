"""What AI took, and keys of one's own: a key is made with limits, used by a program, seen in plots, and revoked."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.e2e.conftest import Stage
from tests.e2e.house import Office
from tests.e2e.person import Person
from tests.e2e.test_pages import CALM, accessible
from tests.e2e.test_phone import PHONE, fits
from tests.modules.ai.upstreams import KEY, running_upstream

MODEL = "openai/gpt-4o-mini"
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "Say hello"}]}


@pytest_asyncio.fixture(loop_scope="session")
async def provider(office: Office) -> AsyncIterator[None]:
    """A provider on loopback, whose model has a price."""
    async with running_upstream(wants_key=True) as upstream:
        body = {"type": "cloud", "preset": "openai", "base_url": upstream.openai_url, "api_key": KEY}
        body = {**body, "models": ["gpt-4o-mini"], "discover": False}
        added = await office.client.put("/api/v1/ai/providers/openai", json=body)
        assert added.is_success, added.text
        yield
        await office.client.delete("/api/v1/ai/providers/openai")


async def _makes_a_key(ada: Person) -> str:
    """The secret, as it is shown once."""
    page = ada.page
    await ada.goes_to("/ai/usage")
    await expect(page.get_by_role("heading", name="No call in the last 30 days")).to_be_visible()
    await accessible(ada)
    await page.get_by_role("link", name="Make a key for a program").click()
    await page.get_by_role("button", name="New key").click()
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    await page.get_by_label("Name", exact=True).fill("Review script")
    await page.get_by_label("Budget", exact=True).fill("a lot")
    await page.get_by_role("button", name="Make key").click()
    await expect(page.get_by_text("Budget must be a number, such as 12.50.")).to_be_visible()
    await expect(page.get_by_label("Budget", exact=True)).to_be_focused()
    await page.get_by_label("Budget", exact=True).fill("5")
    await page.get_by_label("Calls a minute").fill("60")
    await page.get_by_label("Only some models").check()
    models = page.get_by_role("combobox", name="Models")
    await models.fill("openai/*,")
    await expect(models).to_have_value("")
    await accessible(ada)
    await page.get_by_role("button", name="Make key").click()
    await expect(page.get_by_text("Copy the token now.")).to_be_visible()
    await accessible(ada)
    secret = await page.locator("code", has_text=re.compile("^oc")).inner_text()
    await page.get_by_role("button", name="Done").click()
    return secret


async def _asks(url: str, secret: str) -> int:
    async with httpx.AsyncClient(base_url=url) as program:
        headers = {"authorization": f"Bearer {secret}"}
        return (await program.post("/ai/v1/chat/completions", json=ASKED, headers=headers)).status_code


async def _lines(office: Office, count: int) -> list[dict[str, Any]]:
    """The calls of an account, once there are so many in the ledger."""
    while len(items := (await office.get("ai/calls"))["items"]) < count:
        pass
    return items


async def test_that_keys_cannot_be_told_is_said_once(stage: Stage, new_office: Office) -> None:
    ada = await stage.interviewer(new_office, **CALM)

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, json={"title": "The database does not answer", "status": 503})

    for path in ("**/api/v1/tokens**", "**/api/v1/ai/keys**"):
        await ada.page.route(path, fail)
    await ada.goes_to("/ai/keys")
    await expect(ada.page.get_by_text("The database does not answer")).to_have_count(1)
    ada.expects_failures()
    await accessible(ada)


async def test_a_key_is_made_used_seen_in_the_usage_and_revoked(
    stage: Stage, new_office: Office, provider: None
) -> None:
    ada = await stage.interviewer(new_office, **CALM)
    page = ada.page
    secret = await _makes_a_key(ada)
    assert [await _asks(ada.url, secret) for _ in range(3)] == [200] * 3
    await _lines(new_office, 3)

    # The key shows what is used of its limits, and is changed.
    await ada.goes_to("/ai/keys")
    row = page.get_by_role("list", name="Keys").get_by_role("listitem").filter(has_text="Review script")
    await expect(row.get_by_role("meter", name="Budget")).to_have_attribute(
        "aria-valuetext", re.compile(r"^\$0\.00000\d+ of \$5\.00 a month$")
    )
    await expect(row.get_by_role("meter", name="Calls")).to_have_attribute("aria-valuetext", re.compile("of 60$"))
    await expect(page.get_by_text(secret)).to_have_count(0)
    await accessible(ada)
    await page.get_by_role("button", name="Change limits of Review script").click()
    await expect(page.get_by_label("Calls a minute")).to_be_focused()
    await page.get_by_label("Calls a minute").fill("3")
    await page.get_by_role("button", name="Save limits").click()
    await expect(row.get_by_role("meter", name="Calls")).to_have_attribute("aria-valuetext", re.compile("of 3"))

    # What it took is drawn, told, and at an address.
    await row.get_by_role("link", name="for 3 calls").click()
    await expect(page.get_by_role("link", name="Key Review script: show all again")).to_be_visible()
    calls = page.get_by_role("list", name="Latest calls").get_by_role("listitem")
    await expect(calls).to_have_count(3)
    await expect(calls.first).to_contain_text(re.compile(f"Answered.*{MODEL}.*Review script", re.DOTALL))
    await page.get_by_role("button", name="Tokens").click()
    day = page.get_by_role("slider", name="Day")
    await expect(day).to_have_attribute("aria-valuetext", "30 days: 27 tokens")
    await day.focus()
    await page.keyboard.press("End")
    await expect(day).to_have_attribute("aria-valuetext", re.compile(r"^\d+ \w+: 27 tokens$"))
    await page.keyboard.press("ArrowLeft")
    await expect(day).to_have_attribute("aria-valuetext", re.compile(": 0 tokens$"))
    await page.get_by_role("radio", name="7 days").click()
    await page.get_by_label("Split").select_option(label="By day")
    await expect(page.get_by_role("list", name="Legend")).to_contain_text("Output")
    await page.reload()
    await expect(page.get_by_role("heading", name="Tokens by day")).to_be_visible()
    await expect(page.get_by_role("radio", name="7 days")).to_be_checked()
    table = page.get_by_role("region", name="Usage as a table")
    await expect(table.get_by_role("row", name=re.compile("^All"))).to_contain_text(re.compile(r"3\s*0\s*15\s*12"))
    await accessible(ada)
    await page.get_by_role("button", name="Latency").click()
    await expect(day).to_have_attribute("aria-valuetext", re.compile("^7 days: half within"))
    await accessible(ada)
    await ada.nothing_jumped()

    # A failure says so, leaves what is there, and is tried again.
    await page.route("**/api/v1/ai/usage?*", lambda route: route.fulfill(status=503, body="{}"))
    await page.get_by_role("radio", name="90 days").click()
    await expect(page.get_by_role("alert")).to_contain_text("The server could not do this.")
    await expect(page.get_by_role("heading", name="Latency by day")).to_be_visible()
    await page.unroute("**/api/v1/ai/usage?*")
    ada.expects_failures()
    await page.get_by_role("button", name="Try again").click()
    await expect(day).to_have_attribute("aria-valuetext", re.compile("^90 days"))

    await _is_seen_by_the_administrator(stage)
    await page.get_by_role("navigation", name="AI", exact=True).get_by_role("link", name="Keys").click()
    await page.get_by_role("button", name="Revoke Review script").click()
    await ada.confirms("Revoke key")
    await expect(page.get_by_role("heading", name="No key yet")).to_be_visible()
    await accessible(ada)
    assert await _asks(ada.url, secret) == 401


async def _is_seen_by_the_administrator(stage: Stage) -> None:
    """Everybody's is for administrators; and a phone is enough for it."""
    admin = await stage.interviewer(**{**CALM, **PHONE})
    page = admin.page
    await admin.goes_to("/ai/usage?by=person")
    table = page.get_by_role("region", name="Usage as a table")
    await expect(table.get_by_role("link", name="Katherine Johnson").first).to_be_visible()
    await fits(admin)
    await accessible(admin)
    await table.get_by_role("link", name="Katherine Johnson").first.tap()
    await expect(page.get_by_role("link", name="Person Katherine Johnson: show all again")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"/ai/usage\?person=usr_"))
    await page.get_by_role("link", name="Keys", exact=True).tap()
    await expect(page.get_by_role("heading", name="Keys", exact=True)).to_be_visible()
    await fits(admin)

    # What a phone has no room for in the bar is in the menu.
    main = page.get_by_role("navigation", name="Main")
    cut = await main.evaluate("(nav) => nav.scrollWidth - nav.clientWidth")
    assert cut <= 0
    tabs = await page.get_by_role("navigation", name="AI", exact=True).evaluate(
        "(nav) => nav.scrollWidth - nav.clientWidth"
    )
    assert tabs <= 0
    await page.get_by_role("button", name=re.compile("^Account of")).tap()
    await page.get_by_role("menuitem", name="Administration").tap()
    await expect(page.get_by_role("heading", name="Administration")).to_be_visible()
