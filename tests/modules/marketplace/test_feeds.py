"""Atom feeds: for programs that look again and again."""

from datetime import timedelta
from email.utils import format_datetime
from xml.etree import ElementTree

import httpx
import pytest

from tests.conftest import PUBLIC_URL
from tests.modules.marketplace.conftest import PROJECTS, Market, Person

NEWEST = "/feeds/projects.atom"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
async def ada(market: Market) -> Person:
    ada = market.member("Ada")
    await ada.create("Engine", tags=["math"], technologies=["Python"])
    market.clock.advance(60)
    await ada.create("Loom", tags=["weaving"], technologies=["Rust"], license="MIT", summary="Weaves.")
    await ada.create("Secret", tags=["math"], status="draft")
    await ada.create("Old", tags=["math"], status="archived")
    return ada


def parsed(answer: httpx.Response) -> ElementTree.Element:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(answer.content)


def text(element: ElementTree.Element, name: str) -> str:
    found = element.find(f"{ATOM}{name}")
    assert found is not None
    return found.text or ""


def titles(answer: httpx.Response) -> list[str]:
    return [text(entry, "title") for entry in parsed(answer).findall(f"{ATOM}entry")]


async def test_a_feed_tells_what_a_reader_needs_with_absolute_addresses(market: Market, ada: Person) -> None:
    feed = parsed(await market.nobody().get(NEWEST))
    assert text(feed, "id") == f"{PUBLIC_URL}{NEWEST}"
    assert text(feed, "updated") == text(feed.findall(f"{ATOM}entry")[0], "updated")
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links == {"self": f"{PUBLIC_URL}{NEWEST}", "alternate": f"{PUBLIC_URL}/projects"}
    loom, engine = feed.findall(f"{ATOM}entry")
    assert (text(loom, "title"), text(loom, "summary"), text(loom, "rights")) == ("Loom", "Weaves.", "MIT")
    assert text(engine, "updated") < text(loom, "updated")
    link = loom.find(f"{ATOM}link")
    assert link is not None
    assert link.get("href") == f"{PUBLIC_URL}/projects/ada.loom"
    author = loom.find(f"{ATOM}author")
    assert author is not None
    assert (text(author, "name"), text(author, "uri")) == ("Ada", f"{PUBLIC_URL}/people/ada")
    assert [category.get("term") for category in loom.findall(f"{ATOM}category")] == ["Rust", "weaving"]


async def test_each_feed_has_what_is_public_of_its_person_tag_or_search(market: Market, ada: Person) -> None:
    grace, nobody = market.member("Grace"), market.nobody()
    market.clock.advance(60)
    await grace.create("Compiler", tags=["math"], technologies=["COBOL"])
    assert titles(await nobody.get(NEWEST)) == ["Compiler", "Loom", "Engine"]
    assert titles(await ada.get("/feeds/users/ada.atom")) == ["Loom", "Engine"]
    assert titles(await nobody.get("/feeds/tags/math.atom")) == ["Compiler", "Engine"]
    assert titles(await nobody.get("/feeds/tags/unheard-of.atom")) == []
    assert titles(await nobody.get("/feeds/search.atom", q="loom")) == ["Loom"]
    assert titles(await nobody.get("/feeds/search.atom", technologies=["Python"], tags=["math"])) == ["Engine"]
    assert titles(await nobody.get("/feeds/search.atom", license="MIT", price="free")) == ["Compiler", "Loom", "Engine"]
    for path in ("users/nobody.atom", "users/ada", "users/%00.atom", "tags/.atom", f"tags/{'x' * 41}.atom", "x.atom"):
        assert (await nobody.get(f"/feeds/{path}")).status_code == 404, path
    assert (await nobody.get("/feeds/search.atom", q="x" * 201)).status_code == 400


async def test_an_entry_stays_the_same_entry_when_everything_about_it_changes(market: Market, ada: Person) -> None:
    def ids(answer: httpx.Response) -> list[str]:
        return [text(entry, "id") for entry in parsed(answer).findall(f"{ATOM}entry")]

    before = ids(await ada.get("/feeds/users/ada.atom"))
    assert all(name.startswith("tag:opencode.invalid,2026:prj_") for name in before)
    await ada.patch(f"{PROJECTS}/ada.loom", {"title": "Motor", "name": "motor"})
    await ada.patch("/api/v1/users/ada", {"handle": "countess"})
    moved = await ada.get("/feeds/users/ada.atom")
    assert (moved.status_code, moved.headers["location"]) == (308, "/feeds/users/countess.atom")
    assert ids(await ada.get("/feeds/users/countess.atom")) == before


async def test_who_has_the_feed_already_gets_no_second_copy(market: Market, ada: Person) -> None:
    nobody = market.nobody()
    first = await nobody.get(NEWEST)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    assert modified == format_datetime(market.clock.now(), usegmt=True)
    for headers, status in (
        ({"if-none-match": etag}, 304),
        ({"if-none-match": f'"other", W/{etag}'}, 304),
        ({"if-none-match": '"other"', "if-modified-since": modified}, 200),
        ({"if-modified-since": modified}, 304),
        ({"if-modified-since": format_datetime(market.clock.now() - timedelta(days=1), usegmt=True)}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-modified-since": "Mon, 99 Jan 99999 00:00:00 GMT"}, 200),
    ):
        answer = await nobody.call("GET", NEWEST, headers=headers)
        assert answer.status_code == status, headers
        assert answer.headers["etag"] == etag
        assert bool(answer.content) is (status == 200)
    market.clock.advance(60)
    await ada.patch(f"{PROJECTS}/ada.engine", {"summary": "Other."})
    again = await nobody.call("GET", NEWEST, headers={"if-none-match": etag})
    assert again.status_code == 200
    assert titles(again) == ["Engine", "Loom"]


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "]]>&amp;&#0;", "a\ufffeb\uffff", "😀 ½ \u200d"])
async def test_whatever_a_title_holds_the_feed_is_well_formed(market: Market, title: str) -> None:
    ada = market.member('A"d<a>&')
    await ada.create(title, summary=title, technologies=[f"T{title[:30]}"])
    (shown,) = titles(await market.nobody().get(NEWEST))
    assert shown == title.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")


@pytest.mark.parametrize("asked", ["\0\x1b<&", "\ufffe", "\u202e", "%0d%0a"])
async def test_whatever_is_searched_for_the_feed_is_well_formed(market: Market, ada: Person, asked: str) -> None:
    parsed(await market.nobody().get("/feeds/search.atom", q=asked, tags=[asked]))


async def test_a_feed_has_the_fifty_latest(market: Market) -> None:
    ada = market.member("Ada")
    for number in range(52):
        await ada.create(f"Project {number}")
        market.clock.advance(1)
    found = titles(await ada.get(NEWEST))
    assert (len(found), found[0], found[-1]) == (50, "Project 51", "Project 2")
    assert len(titles(await ada.get("/feeds/users/ada.atom"))) == 50
