"""Buying and selling in a browser: ordering, paying by invoice, a licence key, and money that goes back."""

import re
from typing import Any

import httpx
from playwright.async_api import expect

from tests.e2e.conftest import Stage
from tests.e2e.house import House, Office
from tests.e2e.test_catalogue import A_PERSON, PHONE
from tests.e2e.test_pages import accessible
from tests.e2e.test_phone import fits_across

ROBOT = {"user-agent": "ExampleBot/1.0 (+https://example.org/bot)"}


async def _for_sale(office: Office, house: House, title: str, **fields: Any) -> dict[str, Any]:
    price = {"amount_minor": 900, "currency": "EUR"}
    given = {"summary": "A boat with oars", "license": "MIT", "status": "published", "price": price, **fields}
    return await office.post("projects", title=title, repository_url=f"{house.url}/docs", **given)


async def test_from_a_price_to_a_licence_key_and_all_the_money_back(
    stage: Stage, office: Office, new_office: Office, house: House
) -> None:
    project = await _for_sale(office, house, "Paid Rowboat")
    seller = await stage.interviewer(**A_PERSON)
    buyer = await stage.interviewer(new_office, **A_PERSON)
    page, other = buyer.page, seller.page

    # Somebody who is not signed in is led to it, and back.
    visitor = await stage.somebody(**A_PERSON)
    await visitor.goes_to(f"/projects/{project['slug']}")
    await visitor.page.get_by_role("link", name="Sign in to buy").click()
    await expect(visitor.page).to_have_url(re.compile(r"sign-in\?next=%2Fprojects%2F"))

    await buyer.goes_to(f"/projects/{project['slug']}")
    await page.get_by_role("button", name="Buy for €9.00").click()
    await expect(page.get_by_text("You have ordered it")).to_be_visible()
    await expect(page.get_by_text(re.compile(r"^INV-\d{4}-\d{6}$"))).to_be_visible()
    await accessible(buyer)
    await page.get_by_role("link", name="See the order").click()
    await expect(page.get_by_text("Waiting for the payment")).to_be_visible()
    await expect(page.get_by_role("heading", name="Ledger")).to_have_count(0)
    await accessible(buyer)

    await seller.goes_to("/sales")
    await other.get_by_role("link", name="Paid Rowboat").click()
    await other.get_by_role("button", name="Mark as paid").click()
    await expect(other.get_by_label("Reference")).to_be_focused()
    seller.expects_failures()
    await other.get_by_label("Reference").fill("Transfer of Monday")
    await other.keyboard.press("Enter")
    await expect(other.get_by_text("It balances: debits and credits are equal.")).to_be_visible()
    await accessible(seller)

    await page.reload()
    await page.get_by_role("link", name="Download and licence key").click()
    await expect(page.get_by_role("button", name="Download")).to_be_visible()
    await page.get_by_role("button", name="Make a licence key").click()
    await expect(page.locator("code", has_text=re.compile("^OCL-"))).to_be_visible()
    await accessible(buyer)
    key = await page.locator("code", has_text=re.compile("^OCL-")).inner_text()
    await page.get_by_role("button", name="Done").click()
    await expect(page.get_by_text(f"…{key[-4:]}")).to_be_visible()

    # A part goes back first, then the rest; too much never.
    await other.get_by_role("radio", name="A part").click()
    await other.get_by_label("Amount").fill("12")
    await other.get_by_role("button", name="Give back…").click()
    await expect(other.get_by_text("€9.00 at the most")).to_be_visible()
    await other.get_by_label("Amount").fill("4,00")
    await other.get_by_role("button", name="Give back…").click()
    await accessible(seller)
    await seller.confirms("Give €4.00 back")
    await expect(other.get_by_text("€5.00 can be given back.")).to_be_visible()
    await other.get_by_role("button", name="Give back…").click()
    await seller.confirms("Give €5.00 back")
    await expect(other.get_by_text("All given back")).to_be_visible()

    await buyer.goes_to("/licences")
    await expect(page.get_by_text("Revoked")).to_be_visible()
    await accessible(buyer)
    await buyer.goes_to("/orders")
    await expect(page.get_by_text("Refunded")).to_be_visible()
    await accessible(buyer)
    for person in (buyer, seller):
        await person.nothing_jumped()


async def test_somebody_who_has_not_bought_or_sold_learns_how(stage: Stage, new_office: Office) -> None:
    person = await stage.interviewer(new_office, **PHONE)
    for path, heading in [
        ("/orders", "Nothing ordered yet"),
        ("/sales", "Nothing sold yet"),
        ("/licences", "No licences yet"),
    ]:
        await person.goes_to(path)
        await expect(person.page.get_by_role("heading", name=heading)).to_be_visible()
        await accessible(person)
        await fits_across(person)


async def test_whoever_looks_for_an_order_that_is_not_theirs_learns_where_theirs_are(
    stage: Stage, new_office: Office
) -> None:
    person = await stage.interviewer(new_office, **A_PERSON)
    await person.goes_to("/orders/ord_of_somebody_else")
    await expect(person.page.get_by_text("Yours are on the page Orders")).to_be_visible()
    person.expects_failures()
    await accessible(person)
    await person.page.get_by_role("main").get_by_role("link", name="Orders").click()
    await expect(person.page.get_by_role("heading", name="Nothing ordered yet")).to_be_visible()


async def test_downloads_are_drawn_read_out_and_in_a_table(stage: Stage, office: Office, house: House) -> None:
    made = await _for_sale(office, house, "Counted Rowboat", price=None, tags=["counted"])
    path = f"{house.url}/api/v1/projects/{made['slug']}/downloads"
    async with httpx.AsyncClient() as client:
        for number in range(4):
            headers = ROBOT if number == 3 else {"user-agent": A_PERSON["user_agent"]}
            answer = await client.post(path, headers={**headers, "idempotency-key": f"counted-{number}"})
            assert answer.status_code == 201, answer.text
    person = await stage.somebody(**A_PERSON)
    page = person.page
    await person.goes_to(f"/projects/{made['slug']}")
    await expect(page.get_by_text("3 downloads by people, 1 by robots")).to_be_visible()
    plot = page.get_by_role("slider", name="Day")
    await plot.focus()
    await page.keyboard.press("ArrowLeft")
    await expect(plot).to_have_attribute("aria-valuetext", re.compile(": 0 downloads by people, 0 by robots$"))
    await page.keyboard.press("End")
    await expect(plot).to_have_attribute("aria-valuetext", re.compile(": 3 downloads by people, 1 by robots$"))
    await page.get_by_text("As a table").click()
    await expect(page.get_by_role("region", name="Downloads by day").get_by_role("row").nth(1)).to_contain_text("3")
    await page.get_by_role("radio", name="30 days").click()
    await expect(page.get_by_role("region", name="Downloads by day").get_by_role("row")).to_have_count(31)
    await accessible(person)
    await person.goes_to("/projects?tags=counted")
    await expect(page.get_by_role("img", name="3 downloads in 12 weeks")).to_be_visible()
    await accessible(person)
    await person.nothing_jumped()
