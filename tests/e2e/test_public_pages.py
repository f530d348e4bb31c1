"""Public pages in a browser: read without scripts, and handed over to the application where there are any."""

import asyncio
import re
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.e2e.conftest import Stage
from tests.e2e.house import Office
from tests.e2e.test_pages import examine
from tests.e2e.test_phone import PHONE

ONE_LINE_PX = 45
_SCRIPTS = re.compile("<script.*?</script>|<link[^>]*modulepreload.*?>", re.DOTALL)
_STYLE_SHEETS = re.compile("<link[^>]*stylesheet[^>]*>")
_FONTS = re.compile("@font-face *{[^}]*}")
# As over a slow network: each piece is painted before the next one comes.
_WRITE_BY_PIECES = """async (html) => {
  document.open();
  const body = html.indexOf('<body');
  document.write(html.slice(0, body));
  for (let start = body; start < html.length; start += 400) {
    document.write(html.slice(start, start + 400));
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
  }
  document.close();
}"""
LONG = "what came before it to what comes behind it, " * 5
README = (
    "# How it works\n\nIt weaves *patterns*.\n\n"
    f"| `--card` | does | to |\n|---|---|---|\n| 1 | adds | {LONG} |\n\n```python\nrun()\n```\n"
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(office: Office) -> dict[str, Any]:
    """The last of thirty projects."""
    made: dict[str, Any] = {}
    for number in range(30):
        body = {"title": f"Loom {number}", "summary": "Weaves what you ask of it.", "description": README}
        rest = {"technologies": ["Python"], "license": "MIT", "price": None, "tags": ["looms"], "status": "published"}
        answer = await office.client.post("/api/v1/projects", json={**body, **rest})
        assert answer.status_code == 201, answer.text
        made = answer.json()
    return made


async def test_a_project_is_found_and_read_without_scripts(stage: Stage, project: dict[str, Any]) -> None:
    reader = await stage.somebody(java_script_enabled=False)
    page = reader.page
    await reader.goes_to("/")
    await page.get_by_role("searchbox").fill("loom")
    await page.get_by_role("button", name="Search").click()
    await expect(page).to_have_title("“loom” in all projects · OpenCode")
    await expect(page.get_by_role("main").get_by_role("listitem").filter(has_text="Weaves")).to_have_count(20)
    await page.get_by_role("link", name="Next page").click()
    await page.get_by_role("link", name="Loom 0", exact=True).click()
    await expect(page.get_by_role("heading", name="Loom 0")).to_be_visible()
    await expect(page.get_by_role("heading", name="How it works")).to_be_visible()
    await expect(page.get_by_role("cell", name="adds")).to_be_visible()
    await expect(page.get_by_text("OpenCode needs JavaScript")).to_have_count(0)
    await page.get_by_role("link", name=project["owner"]["display_name"]).click()
    await expect(page.get_by_role("heading", name="Projects")).to_be_visible()


@pytest.mark.parametrize(("scheme", "words"), [("dark", "light"), ("light", "dark")])
async def test_a_page_without_scripts_has_the_colours_of_the_system(
    stage: Stage, project: dict[str, Any], scheme: Literal["dark", "light"], words: str
) -> None:
    reader = await stage.somebody(java_script_enabled=False, color_scheme=scheme)
    await reader.goes_to(f"/projects/{project['slug']}")
    colour = await reader.page.locator("h1").evaluate("(heading) => getComputedStyle(heading).color")
    lightness = float(re.findall(r"[\d.]+", colour)[0])
    assert ("light" if lightness > 0.5 else "dark") == words, colour


async def _with_styles(office: Office, html: str) -> str:
    """A browser paints no page before its style sheets are there, but does not wait for them where a script writes."""

    async def styles(link: str) -> str:
        found = re.search('href="([^"]+)"', link)
        assert found
        return f"<style>{_FONTS.sub('', (await office.client.get(found[1])).text)}</style>"

    for link in _STYLE_SHEETS.findall(html):
        html = html.replace(link, await styles(link))
    return html


@pytest.mark.parametrize("path", ["/", "/projects?tags=looms"])
async def test_a_page_that_arrives_piece_by_piece_stays_where_it_is(
    stage: Stage, project: dict[str, Any], office: Office, path: str
) -> None:
    html = await _with_styles(office, _SCRIPTS.sub("", (await office.client.get(path)).text))
    reader = await stage.somebody()
    await reader.page.route("**/blank", lambda route: route.fulfill(content_type="text/html", body="<!doctype html>"))
    await reader.goes_to("/blank")
    await reader.page.evaluate(_WRITE_BY_PIECES, html)
    await expect(reader.page.get_by_role("link", name=project["title"], exact=True).first).to_be_visible()
    await reader.nothing_jumped()


async def test_a_page_without_scripts_fits_a_phone(stage: Stage, project: dict[str, Any]) -> None:
    reader = await stage.somebody(java_script_enabled=False, **PHONE)
    for path in ("/", "/projects", f"/projects/{project['slug']}"):
        await reader.goes_to(path)
        box = await reader.page.locator("#public-page").bounding_box()
        assert box
        assert box["width"] <= PHONE["viewport"]["width"]
    # A table that is too wide is scrolled, and no word in it is broken.
    for name in ("--card", "does"):
        cell = await reader.page.get_by_role("columnheader", name=name).bounding_box()
        assert cell
        assert cell["height"] < ONE_LINE_PX


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_until_the_application_is_there_the_page_is_read_by_everybody(
    stage: Stage, project: dict[str, Any], theme: str
) -> None:
    reader = await stage.somebody(color_scheme=theme)
    idle = "export const init = () => {}, start = () => {};"
    await reader.page.route(
        "**/_app/immutable/entry/*.js", lambda route: route.fulfill(body=idle, content_type="text/javascript")
    )
    for path in ("/", "/projects", f"/projects/{project['slug']}"):
        await reader.goes_to(path)
        await expect(reader.page.locator("#public-page")).to_be_visible()
        await examine(reader.page, {})


@pytest.mark.parametrize("signed_in", [False, True])
async def test_interviews_are_in_the_bar_only_for_those_who_are_signed_in_and_nothing_in_it_moves(
    stage: Stage, project: dict[str, Any], *, signed_in: bool
) -> None:
    person = await (stage.interviewer() if signed_in else stage.somebody())
    known = asyncio.Event()

    async def answer_late(route: Route) -> None:
        await known.wait()
        await route.continue_()

    await person.page.route("**/api/v1/auth/session", answer_late)
    links = person.page.get_by_role("navigation", name="Main").get_by_role("link")
    for path in ("/projects", f"/projects/{project['slug']}"):
        known.clear()
        await person.goes_to(path)
        await expect(links).to_have_text(["Projects"])
        before = await links.first.bounding_box()
        known.set()
        await expect(person.page.get_by_role("link", name="Sign in", exact=True)).to_have_count(int(not signed_in))
        await expect(links).to_have_text(["Projects", *(["Interviews", "AI", "Administration"] if signed_in else [])])
        assert await links.first.bounding_box() == before


async def test_the_application_draws_itself_in_its_place(stage: Stage, project: dict[str, Any]) -> None:
    person = await stage.somebody()
    for path in ("/", f"/projects/{project['slug']}", "/projects?q=loom"):
        await person.goes_to(path)
        await expect(person.page.locator("#public-page")).to_have_count(0)
        assert await person.page.locator("body > div > :not(script)").count()
