"""The API's description, for programs and for people."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


class Page(HTMLParser):
    """Which elements a page has, what it links to, and the names that can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.ids: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href" and tag == "a":
                self.links.add(value or "")
            if name in {"src", "srcset", "data", "action"} or (name == "href" and tag != "a"):
                self.fetched.append(value or "")


def test_the_committed_description_is_that_of_this_version(person: httpx.Client) -> None:
    committed = (ROOT / "openapi.json").read_text(encoding="utf-8")
    assert json.loads(committed) == person.get("/openapi.json").json(), "run make openapi"


def test_the_page_shows_every_call(person: httpx.Client) -> None:
    page = Page(person.get("/docs").text)
    for item in person.get("/openapi.json").json()["paths"].values():
        for operation in item.values():
            assert operation["operationId"] in page.ids


def test_every_link_of_the_page_leads_somewhere(person: httpx.Client) -> None:
    page = Page(person.get("/docs").text)
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        assert link.startswith("#") or person.get(link).status_code == 200


def test_the_page_needs_no_script_and_fetches_nothing(person: httpx.Client) -> None:
    text = person.get("/docs").text
    page = Page(text)
    assert page.fetched == []
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert not re.search(r"url\(|@import", text)


def test_the_policy_of_the_page_allows_its_style_sheet_and_nothing_else(person: httpx.Client) -> None:
    answer = person.get("/docs")
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_errors_are_described_as_the_problem_documents_that_they_are(person: httpx.Client) -> None:
    description = person.get("/openapi.json").json()
    for path, item in description["paths"].items():
        for operation in item.values():
            assert "400" not in operation["responses"]
            if path.startswith("/api/"):
                content = operation["responses"]["default"]["content"]
                assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    problem = person.get("/api/v1/me").json()
    assert set(description["components"]["schemas"]["Problem"]["required"]) <= set(problem)


def test_operation_ids_are_unique_and_read_as_verb_and_noun(person: httpx.Client) -> None:
    ids = [
        operation["operationId"]
        for item in person.get("/openapi.json").json()["paths"].values()
        for operation in item.values()
    ]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", each) for each in ids)


def test_no_name_in_the_description_tells_our_folders(person: httpx.Client) -> None:
    assert "opencode.modules" not in person.get("/openapi.json").text
