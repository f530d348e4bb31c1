"""What people are told: the bell, the inbox, what they choose, and their webhooks."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, Request, Route, expect

from tests.e2e.conftest import Stage
from tests.e2e.house import House, Office
from tests.e2e.person import Person
from tests.e2e.test_pages import CALM, accessible
from tests.e2e.test_phone import PHONE

_numbers = itertools.count(1)
ANSWER = "Thank you, but the harbour is closed today."


async def _follower(house: House, name: str) -> Office:
    return await Office.opened(house.url, f"follower{next(_numbers)}@example.org", name)


async def _follows(office: Office, handle: str) -> None:
    followed = await office.client.put(f"/api/v1/users/{handle}/follow")
    assert followed.is_success, followed.text


async def _bell_says(page: Page, name: str) -> None:
    await expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()


async def test_the_bell_counts_up_live_in_all_tabs_over_one_connection(
    stage: Stage, house: House, new_office: Office
) -> None:
    handle = (await new_office.get("me/profile"))["handle"]
    ada = await stage.interviewer(new_office, **CALM)
    streams: list[Request] = []
    ada.context.on("request", lambda request: streams.append(request) if request.url.endswith("/events") else None)
    page, other = ada.page, await ada.context.new_page()
    await ada.goes_to("/projects")
    await other.goto(f"{house.url}/inbox")
    await expect(other.get_by_role("heading", name="Nothing yet")).to_be_visible()
    await accessible(Person(ada.context, other, house.url))
    for tab in (page, other):
        await _bell_says(tab, "Inbox")

    # The first one shows at once, where there was nothing; the next ones move nothing.
    await _follows(await _follower(house, "Alan Turing"), handle)
    for tab in (page, other):
        await _bell_says(tab, "Inbox, 1 unread")
    await expect(other.get_by_role("link", name="Alan Turing follows you")).to_be_visible()
    moved = await other.evaluate("window.ocpShift")
    for name in ("Barbara Liskov", "Radia Perlman"):
        await _follows(await _follower(house, name), handle)
    for tab in (page, other):
        await _bell_says(tab, "Inbox, 3 unread")
    await expect(other.get_by_role("button", name="2 new")).to_be_visible()
    assert await other.evaluate("window.ocpShift") == moved
    assert len(streams) == 1
    rows = other.get_by_role("list", name="Notices").get_by_role("listitem")
    await expect(rows).to_have_count(1)
    await other.get_by_role("button", name="2 new").click()
    await expect(rows).to_have_count(3)
    await expect(rows.first).to_contain_text("Radia Perlman follows you")
    await accessible(Person(ada.context, other, house.url))

    # From the bell to what it is about.
    await page.get_by_role("button", name="Inbox, 3 unread").click()
    popup = page.get_by_role("dialog", name="Inbox")
    await expect(popup.get_by_role("listitem")).to_have_count(3)
    await accessible(ada)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Inbox, 3 unread")).to_be_focused()
    await page.keyboard.press("Enter")
    await popup.get_by_role("link", name="Barbara Liskov follows you").click()
    await expect(page.get_by_role("heading", name="Barbara Liskov", level=1)).to_be_visible()
    for tab in (page, other):
        await _bell_says(tab, "Inbox, 2 unread")

    # Deleted, taken back, read.
    await rows.first.get_by_role("button", name=re.compile("^Delete")).click()
    await expect(rows).to_have_count(2)
    await other.get_by_role("button", name="Undo").click()
    await expect(rows.first).to_contain_text("Radia Perlman follows you")
    await other.get_by_role("button", name="Mark all read").click()
    for tab in (page, other):
        await _bell_says(tab, "Inbox")
    await other.get_by_text("Unread", exact=True).click()
    await expect(other.get_by_role("heading", name="All read")).to_be_visible()
    assert (await new_office.get("me/notices/count"))["unread"] == 0


async def test_who_is_not_signed_in_has_no_bell_and_no_connection(stage: Stage) -> None:
    visitor = await stage.somebody(**CALM)
    asked: list[str] = []
    visitor.context.on("request", lambda request: asked.append(request.url))
    await visitor.goes_to("/projects")
    await expect(visitor.page.get_by_role("link", name="Sign in")).to_be_visible()
    await expect(visitor.page.get_by_role("button", name=re.compile("^Inbox"))).to_have_count(0)
    assert not [url for url in asked if "notices" in url]


@pytest_asyncio.fixture(loop_scope="session")
async def receiver() -> AsyncIterator[str]:
    """Where webhooks go; it takes none of them."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 503 Busy\r\nContent-Length: {len(ANSWER)}\r\nConnection: close\r\n\r\n"
        writer.write((head + ANSWER).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    server.close()


async def test_what_one_is_told_and_a_webhook_from_its_secret_to_its_history(
    stage: Stage, new_office: Office, receiver: str
) -> None:
    ada = await stage.interviewer(new_office, **CALM)
    page = ada.page
    await ada.goes_to("/settings/notifications")
    await expect(page.get_by_text("This server does not send e-mail")).to_be_visible()
    reviews = page.get_by_role("group", name="Your project is reviewed")
    await reviews.get_by_label("E-mail").select_option("daily")
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await accessible(ada)
    await ada.nothing_jumped()
    await page.reload()
    await expect(reviews.get_by_label("E-mail")).to_have_value("daily")
    await page.get_by_role("button", name="Back to the defaults").click()
    await expect(reviews.get_by_label("E-mail")).to_have_value("at_once")

    await page.get_by_role("navigation", name="Settings").get_by_role("link", name="Webhooks").click()
    await page.get_by_role("button", name="New webhook").click()
    await page.get_by_label("Address").fill("harbour")
    await page.get_by_role("button", name="Create webhook").click()
    await expect(page.get_by_label("Address")).to_be_focused()
    ada.expects_failures()
    await page.get_by_label("Address").fill(receiver)
    await page.get_by_label("What it is for").fill("Harbour")
    await page.get_by_role("checkbox", name="Somebody follows you").click()
    await accessible(ada)
    await page.get_by_role("button", name="Create webhook").click()
    await expect(page.get_by_text(re.compile("^whsec_"))).to_be_visible()
    await page.get_by_text("How a receiver verifies what it gets").click()
    await accessible(ada)
    await page.get_by_role("button", name="Done").click()
    await page.get_by_role("link", name="Harbour").click()

    await page.get_by_role("button", name="Send a test").click()
    # Until they are there, empty rows stand in their place.
    sent = page.get_by_role("list", name="Deliveries").get_by_role("listitem").filter(has_text="A test")
    await expect(sent).to_contain_text("Failed")
    await sent.get_by_text("A test").click()
    await expect(page.get_by_role("region", name="Beginning of the answer")).to_have_text(ANSWER)
    await accessible(ada)
    await sent.get_by_role("button", name="Send again").click()
    await expect(sent.locator("dl")).to_contain_text("Calls 2")

    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Nothing is sent now but tests.")).to_be_visible()
    await page.get_by_role("button", name="Resume").click()
    await page.get_by_role("button", name="Take another secret").click()
    await ada.confirms("Take another secret")
    await expect(page.get_by_text(re.compile("^whsec_"))).to_be_visible()
    await page.get_by_role("button", name="Delete webhook").click()
    await ada.confirms("Delete webhook")
    await expect(page.get_by_role("heading", name="Tell a program of yours")).to_be_visible()
    await accessible(ada)


async def test_on_a_phone_the_inbox_stays_in_its_place_when_it_turns_out_that_something_is_unread(
    stage: Stage, house: House, new_office: Office
) -> None:
    await _follows(await _follower(house, "Frances Allen"), (await new_office.get("me/profile"))["handle"])
    ada = await stage.interviewer(new_office, **CALM, **PHONE)
    page, known = ada.page, asyncio.Event()

    async def answer_late(route: Route) -> None:
        await known.wait()
        await route.continue_()

    await page.route("**/api/v1/me/notices**", answer_late)
    await ada.goes_to("/inbox")
    await expect(page.get_by_role("link", name="Settings")).to_be_visible()
    before = await page.get_by_role("list", name="Notices").bounding_box()
    known.set()
    await expect(page.get_by_role("button", name="Mark all read")).to_be_visible()
    await expect(page.get_by_role("link", name="Frances Allen follows you")).to_be_visible()
    after = await page.get_by_role("list", name="Notices").bounding_box()
    assert before
    assert after
    assert after["y"] == before["y"]
