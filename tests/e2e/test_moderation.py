"""A report, from whoever files it to the owner who is heard: the queue, a case, quarantine, appeal, and back again."""

import itertools

from playwright.async_api import Page, expect

from tests.e2e.conftest import Stage
from tests.e2e.house import House, Office
from tests.e2e.person import Person
from tests.e2e.test_pages import CALM, accessible

_numbers = itertools.count(1)
REASON = "It has no code, only links to a shop."
APPEAL = "The code was pushed this morning."


async def _member(house: House, name: str) -> Office:
    return await Office.opened(house.url, f"bystander{next(_numbers)}@example.org", name)


async def _moderator(house: House, office: Office) -> Office:
    minerva = await _member(house, "Minerva McGonagall")
    me = await minerva.get("me")
    given = await office.client.patch(f"/api/v1/users/{me['id']}/roles", json={"roles": ["moderator"]})
    assert given.is_success, given.text
    return minerva


async def _decides(page: Page, decision: str, reason: str) -> None:
    await page.get_by_role("radio", name=decision).check()
    await page.get_by_role("textbox", name="Reason").fill(reason)
    await page.get_by_role("button", name=decision, exact=True).click()


async def _reports(mel: Person, slug: str) -> None:
    page = mel.page
    await mel.goes_to(f"/projects/{slug}")
    await page.get_by_role("button", name="More for Shady Engine").click()
    await page.get_by_role("menuitem", name="Report project").click()
    dialog = page.get_by_role("dialog", name="Report this project")
    await expect(dialog.get_by_text("The owner never learns who reported it.")).to_be_visible()
    await dialog.get_by_role("button", name="Send report").click()
    await expect(dialog.get_by_text("Choose what is wrong.")).to_be_visible()
    await dialog.get_by_role("radio", name="Spam").check()
    await dialog.get_by_role("textbox", name="What did you see?").fill("Every link leads to a shop.")
    await accessible(mel)
    await dialog.get_by_role("button", name="Send report").click()
    await expect(page.get_by_role("dialog", name="Thank you, moderators will look at it")).to_be_visible()
    await page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    await page.get_by_role("button", name="More for Shady Engine").click()
    await page.get_by_role("menuitem", name="Report project").click()
    await expect(page.get_by_role("dialog", name="You have reported it already")).to_be_visible()


async def test_a_report_is_decided_appealed_and_decided_anew(
    stage: Stage, house: House, office: Office, new_office: Office
) -> None:
    made = await new_office.client.post(
        "/api/v1/projects", json=_project("Shady Engine", "Finds whatever you are looking for.")
    )
    assert made.status_code == 201, made.text
    slug = made.json()["slug"]
    await _reports(await stage.interviewer(await _member(house, "Mel"), **CALM), slug)

    moderator = await stage.interviewer(await _moderator(house, office), **CALM)
    page = moderator.page
    await moderator.goes_to("/projects")
    await page.get_by_role("button", name="Account of Minerva McGonagall").click()
    await page.get_by_role("menuitem", name="Moderation").click()
    row = page.get_by_role("link", name=slug)
    await expect(row).to_be_visible()
    await accessible(moderator)
    await row.click()
    await expect(page.get_by_text("Every link leads to a shop.")).to_be_visible()
    await accessible(moderator)
    await _decides(page, "Quarantine", REASON)
    await expect(page.get_by_text("In quarantine", exact=True)).to_be_visible()

    owner = await stage.interviewer(new_office, **CALM)
    await owner.goes_to(f"/projects/{slug}")
    note = owner.page.get_by_role("region", name="Held by moderators")
    await expect(note.get_by_text(REASON)).to_be_visible()
    await note.get_by_role("button", name="Appeal").click()
    await note.get_by_role("textbox", name="Why should it be decided otherwise?").fill(APPEAL)
    await accessible(owner)
    await note.get_by_role("button", name="Send appeal").click()
    await expect(note.get_by_text("Your appeal waits for a moderator")).to_be_visible()
    # The page as everybody gets it is not there; what the owner sees is drawn from the API.
    owner.expects_failures()

    # The notice leads the moderator back, who has decided before: another one does it, the administrator.
    await moderator.goes_to("/inbox")
    await page.get_by_role("link", name=f"There is an appeal for {slug}").click()
    await expect(page.get_by_text(APPEAL).first).to_be_visible()
    await _decides(page, "Restore", "It has code now.")
    await expect(page.get_by_text("Another moderator, who has no part in it, decides.")).to_be_visible()
    moderator.expects_failures()
    chief = await stage.interviewer(**CALM)
    await chief.goes_to(page.url.removeprefix(house.url))
    await _decides(chief.page, "Restore", "It has code now.")
    await expect(chief.page.get_by_text("Everybody sees it", exact=True)).to_be_visible()

    await owner.goes_to(f"/projects/{slug}")
    await expect(owner.page.get_by_role("heading", name="Shady Engine")).to_be_visible()
    await expect(note).to_have_count(0)


async def test_a_profile_says_what_its_reputation_is_made_of(stage: Stage, new_office: Office) -> None:
    handle = (await new_office.get("me/profile"))["handle"]
    reader = await stage.somebody(**CALM)
    await reader.goes_to(f"/people/{handle}")
    why = reader.page.get_by_role("button", name="Why this number?")
    await why.click()
    await expect(reader.page.get_by_text("Stars of trusted people")).to_be_visible()
    await expect(reader.page.get_by_text("no repository is proved")).to_be_visible()
    await accessible(reader)


def _project(title: str, summary: str) -> dict[str, object]:
    return {"title": title, "summary": summary, "status": "published", "license": "MIT", "price": None}
