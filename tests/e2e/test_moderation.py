"""A report, from whoever files it to the owner who is heard: the queue, a case, quarantine, appeal, and back again."""

import itertools
import re

from playwright.async_api import Page, expect

from tests.e2e.conftest import Stage
from tests.e2e.house import House, Office
from tests.e2e.person import Person
from tests.e2e.test_catalogue import PHONE
from tests.e2e.test_pages import CALM, accessible
from tests.e2e.test_phone import fits_across

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


async def test_a_review_and_a_profile_are_reported_and_one_moderator_handles_both(
    stage: Stage, house: House, office: Office, new_office: Office
) -> None:
    project = await new_office.post("projects", **_project("Harbour Lights", "Keeps boats off the rocks."))
    writer = await _member(house, "Gilderoy Lockhart")
    handle = (await writer.get("me/profile"))["handle"]
    await writer.patch(f"users/{handle}", bio="Buy my books at https://books.example.org.", skills=["selling"])
    await _reviews(writer, project["slug"])

    mel = await stage.interviewer(await _member(house, "Mel"), **PHONE)
    page = mel.page
    await mel.goes_to(f"/projects/{project['slug']}#reviews")
    theirs = page.get_by_role("article", name="Review by Gilderoy Lockhart")
    await theirs.get_by_role("button", name=re.compile("Report")).click()
    await _files(page, "Report this review", "Abuse", "It insults whoever made this.")
    await theirs.get_by_role("link", name="Gilderoy Lockhart").click()
    await page.get_by_role("button", name="More for Gilderoy Lockhart").click()
    await page.get_by_role("menuitem", name="Report profile").click()
    await _files(page, "Report this profile", "Spam", "It is there for its links.")
    await accessible(mel)

    moderator = await stage.interviewer(await _moderator(house, office), **CALM)
    await moderator.goes_to("/moderation")
    of_review = moderator.page.get_by_role("link", name=f"{handle}'s review of {project['slug']}")
    await expect(of_review).to_be_visible()
    await _is_fine(moderator)
    await of_review.focus()
    await moderator.page.keyboard.press("Enter")
    await expect(moderator.page.get_by_text("Only fools sail by this.")).to_be_visible()
    await expect(moderator.page.get_by_text("It insults whoever made this.")).to_be_visible()
    await _is_fine(moderator)
    await _decides(moderator.page, "Quarantine", "It insults people.")
    await expect(moderator.page.get_by_text("In quarantine", exact=True)).to_be_visible()
    await moderator.page.get_by_role("link", name="Moderation").first.click()
    await moderator.page.get_by_role("link", name=f"{handle}'s profile").click()
    await expect(moderator.page.get_by_text("Buy my books")).to_be_visible()
    await _decides(moderator.page, "Quarantine", "It is there for its links.")
    await expect(moderator.page.get_by_text("In quarantine", exact=True)).to_be_visible()
    await _is_fine(moderator)

    # Others see neither; whoever reported it reads what was decided.
    await mel.goes_to(f"/people/{handle}")
    await expect(page.get_by_role("heading", name="Gilderoy Lockhart")).to_be_visible()
    await expect(page.get_by_text("Buy my books")).to_have_count(0)
    await mel.goes_to(f"/projects/{project['slug']}#reviews")
    await expect(page.get_by_text("Nobody has reviewed it yet")).to_be_visible()
    await mel.goes_to("/inbox")
    for what in (f"{handle}'s review of {project['slug']}", f"{handle}'s profile"):
        await expect(page.get_by_role("link", name=f"Your report of {what} was decided")).to_be_visible()
    await accessible(mel)

    # Its author reads why, puts the profile right, and appeals.
    author = await stage.interviewer(writer, **CALM)
    await author.goes_to(f"/projects/{project['slug']}#reviews")
    note = author.page.get_by_role("region", name="Held by moderators")
    await expect(note.get_by_text("It insults people.")).to_be_visible()
    await _is_fine(author)
    await author.goes_to(f"/people/{handle}")
    await expect(note.get_by_text("It is there for its links.")).to_be_visible()
    await writer.patch(f"users/{handle}", bio="I write.")
    await note.get_by_role("button", name="Appeal").click()
    await note.get_by_role("textbox", name="Why should it be decided otherwise?").fill("The links are gone.")
    await note.get_by_role("button", name="Send appeal").click()
    await expect(note.get_by_text("Your appeal waits for a moderator")).to_be_visible()
    await _is_fine(author)

    chief = await stage.interviewer(**CALM)
    await chief.goes_to("/moderation")
    await chief.page.get_by_role("link", name=f"{handle}'s profile").click()
    await expect(chief.page.get_by_text("The links are gone.").first).to_be_visible()
    await expect(chief.page.get_by_text("I write.")).to_be_visible()
    await _decides(chief.page, "Restore", "The links are gone.")
    await expect(chief.page.get_by_text("Everybody sees it", exact=True)).to_be_visible()
    await mel.goes_to(f"/people/{handle}")
    await expect(page.get_by_text("I write.")).to_be_visible()


async def _reviews(writer: Office, slug: str) -> None:
    counted = await writer.client.post(f"/api/v1/projects/{slug}/downloads")
    assert counted.status_code == 201, counted.text
    said = {"rating": 1, "title": "Terrible", "body": "Only fools sail by this."}
    written = await writer.client.put(f"/api/v1/projects/{slug}/review", json=said)
    assert written.status_code == 201, written.text


async def _files(page: Page, title: str, reason: str, text: str) -> None:
    dialog = page.get_by_role("dialog", name=title)
    await dialog.get_by_role("radio", name=reason).check()
    await dialog.get_by_role("textbox", name="What did you see?").fill(text)
    await dialog.get_by_role("button", name="Send report").click()
    await page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def _is_fine(person: Person) -> None:
    await expect(person.page.locator("main [aria-busy=true]")).to_have_count(0)
    await accessible(person)
    await fits_across(person)


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
    links = {"repository_url": "https://code.example.org/a/b"}
    return {"title": title, "summary": summary, "status": "published", "license": "MIT", "price": None, **links}
