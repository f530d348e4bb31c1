"""Public pages over HTTP: what the server says beside them, to browsers, to caches in front of it and to robots."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from tests.html import ReadPage
from tests.ocp import PASSWORD, Server, register, serving

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def project(server: Server) -> str:
    """The slug of a project that is published."""
    with server.client() as author:
        signed_in = author.post("/api/v1/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
        assert signed_in.status_code == 200
        body = {"title": "Analytical Engine", "summary": "Computes.", "description": "# Engine\n\nIt weaves."}
        rest = {"technologies": ["Python"], "license": "MIT", "price": None, "tags": ["math"], "status": "published"}
        made = author.post("/api/v1/projects", json={**body, **rest})
        assert made.status_code == 201, made.text
        return made.json()["slug"]


def test_a_project_is_in_the_html_that_the_server_sends(person: httpx.Client, project: str) -> None:
    answer = person.get(f"/projects/{project}", headers=HTML)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = ReadPage(answer.text)
    assert "It weaves." in page.body
    assert page.data[0]["@type"] == "SoftwareApplication"
    # The application is still on it, and takes over.
    assert "/_app/immutable/entry/start." in answer.text


def test_a_cache_in_front_may_keep_a_page_and_asks_with_its_tag(person: httpx.Client, project: str) -> None:
    first = person.get(f"/projects/{project}", headers=HTML)
    assert first.headers["cache-control"] == "public, max-age=0, s-maxage=60, stale-while-revalidate=600"
    assert first.headers["vary"] == "accept-encoding"
    assert [key.partition("_")[0] for key in first.headers["surrogate-key"].split()] == ["project/prj", "user/usr"]
    assert not first.headers["etag"].startswith("W/")
    again = person.get(f"/projects/{project}", headers={**HTML, "if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"]


def test_a_page_is_packed_for_those_who_take_it_and_its_tag_says_so(person: httpx.Client, project: str) -> None:
    plain = person.get(f"/projects/{project}", headers={**HTML, "accept-encoding": "identity"})
    with person.stream("GET", f"/projects/{project}", headers={**HTML, "accept-encoding": "br, gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content
        assert packed.headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'


def test_whoever_is_signed_in_gets_the_same_page(server: Server, person: httpx.Client, project: str) -> None:
    with server.client() as author:
        author.post("/api/v1/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
        own = author.get(f"/projects/{project}", headers=HTML)
    assert own.content == person.get(f"/projects/{project}", headers=HTML).content
    assert "set-cookie" not in own.headers


def test_the_host_that_somebody_claims_is_nowhere_on_the_page(person: httpx.Client, project: str) -> None:
    forged = {"host": "evil.example.org", "x-forwarded-host": "evil.example.org", "x-forwarded-proto": "https"}
    for path in (f"/projects/{project}", "/projects", "/", "/people/ada", "/robots.txt", "/sitemap.xml"):
        answer = person.get(path, headers={**HTML, **forged})
        assert answer.status_code == 200
        assert "evil" not in answer.text + str(answer.headers)


def test_a_query_that_is_too_long_is_refused(person: httpx.Client) -> None:
    refused = person.get("/projects", headers=HTML, params={"unknown": "a" * 2_001})
    assert refused.status_code == 400
    assert refused.headers["cache-control"] == "no-store"


def test_nothing_is_there_in_words_and_by_its_status(person: httpx.Client, project: str) -> None:
    answer = person.get("/projects/ada.nothing", headers=HTML)
    assert answer.status_code == 404
    assert "s-maxage=15" in answer.headers["cache-control"]
    assert "The project was not found" in ReadPage(answer.text).body
    # Programs are told in their own way.
    assert person.get(f"/projects/{project}", headers={"accept": "application/json"}).status_code == 404


def test_the_sheet_of_a_public_page_is_kept_for_ever(person: httpx.Client) -> None:
    page = ReadPage(person.get("/projects", headers=HTML).text)
    sheets = [each.attributes["href"] for each in page.all("link", rel="stylesheet")]
    (own,) = [sheet for sheet in sheets if sheet.startswith("/public-page.")]
    answer = person.get(own)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]


def test_feeds_are_named_only_where_there_are_any(person: httpx.Client, project: str) -> None:
    for path in ("/projects?tags=math", f"/projects/{project}", "/people/ada", "/"):
        feeds = ReadPage(person.get(path, headers=HTML).text).all("link", type="application/atom+xml")
        assert feeds, path
        for feed in feeds:
            answer = person.get(feed.attributes["href"])
            assert answer.headers["content-type"].startswith("application/atom+xml")


def test_robots_are_told_where_to_go(person: httpx.Client, project: str) -> None:
    answer = person.get("/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert "Disallow: /api/" in lines
    sitemap = next(line.removeprefix("Sitemap: ") for line in lines if line.startswith("Sitemap: "))
    index = ElementTree.fromstring(httpx.get(sitemap).text)
    (first,) = [each.text or "" for each in index.iter() if each.tag.endswith("}loc")]
    assert f"/projects/{project}" in httpx.get(first).text


@pytest.fixture
def hidden(tmp_path: Path) -> Iterator[httpx.Client]:
    with serving(tmp_path / "data", settings={"OCP_INDEXABLE": "0"}) as server, server.client() as client:
        yield client


def test_a_private_installation_says_no_to_all_robots(hidden: httpx.Client) -> None:
    assert register(hidden).status_code == 201
    assert hidden.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"
    page = ReadPage(hidden.get("/projects", headers=HTML).text)
    assert page.meta("robots") == "noindex, nofollow"
