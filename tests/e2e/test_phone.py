"""A candidate whose only screen is a phone."""

import re
from typing import Any

from playwright.async_api import expect

from tests.e2e.conftest import Stage
from tests.e2e.house import Office

Interview = dict[str, Any]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


async def test_a_phone_is_enough_to_join_wait_write_run_and_see_who_is_there(
    stage: Stage, interview: Interview, office: Office
) -> None:
    ada = await stage.somebody(**PHONE)
    page = ada.page
    await ada.goes_to("/join")
    await page.get_by_label("Interview code").press_sequentially(interview["code"])
    await page.get_by_label("Your name").fill("Ada Lovelace")
    await page.get_by_role("button", name="Join interview").tap()
    await expect(page.get_by_text("This page opens by itself")).to_be_visible()
    await fits(ada)
    [_, waiting] = (await office.get(f"interviews/{interview['id']}/participants"))["items"]
    await office.decide({"interview_id": interview["id"], "participant": waiting}, "admit")

    await expect(ada.editor).to_be_visible()
    await fits(ada)
    await ada.replaces_all('print("from a phone")')
    await page.get_by_role("button", name="Run", exact=True).tap()
    await expect(ada.output.get_by_text("from a phone", exact=True)).to_be_visible()
    await expect(ada.editor).to_be_hidden()
    await fits(ada)

    panes = page.get_by_role("navigation", name="Panes")
    await panes.get_by_role("button", name=re.compile("^People")).tap()
    await expect(page.get_by_role("list", name="People in the room")).to_contain_text("Grace Hopper")
    await fits(ada)
    await page.get_by_role("tab", name="Chat").tap()
    await page.get_by_label("Message", exact=True).fill("I am on my phone")
    await page.get_by_role("button", name="Send").tap()
    await expect(page.get_by_role("log", name="Messages")).to_contain_text("I am on my phone")
    await panes.get_by_role("button", name="Code").tap()
    await expect(ada.editor).to_be_visible()

    await page.get_by_role("button", name="More").tap()
    await page.get_by_role("menuitem", name="Leave the interview").tap()
    await ada.confirms("Leave")
    await expect(page.get_by_role("heading", name="You have left")).to_be_visible()


async def fits(person: Any) -> None:
    """Nothing reaches beyond the screen's edge, and nothing to tap is smaller than a fingertip wants."""
    await fits_across(person)
    small = await person.page.evaluate(
        """() => [...document.querySelectorAll('button, [role=tab]')]
            .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 24)
            .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert not small, f"too small to tap: {small}"


async def fits_across(person: Any) -> None:
    """Nothing reaches beyond the screen's edge."""
    # A phone's `innerWidth` grows with what is too wide.
    wide = await person.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{person.page.url} is {wide} px too wide"
