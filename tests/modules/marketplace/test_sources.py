"""A project that is told of elsewhere need not be typed again; what could not be told stays empty."""

import json
from base64 import b64encode
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencode.infra.fetching import AddressRefused, Fetcher, Reach
from opencode.infra.settings import SettingsError
from opencode.modules.marketplace.adapters.sources import (
    Importer,
    Place,
    Places,
    SourceKind,
    github,
    npm,
    pypi,
    recognise,
)
from opencode.modules.marketplace.adapters.sources.licences import spdx_of, spdx_of_classifiers
from opencode.modules.marketplace.domain.drafts import Draft
from opencode.modules.marketplace.domain.repositories import repository_of
from opencode.modules.marketplace.errors import (
    ProjectOutdated,
    SourceBusy,
    SourceMissing,
    SourcePrivate,
    SourceTooLarge,
    SourceUnknown,
    SourceUnreadable,
)
from opencode.modules.marketplace.service.base import Shared
from opencode.modules.marketplace.service.drafting import Drafting, ReadDraft
from opencode.modules.marketplace.service.publishing import Publishing
from opencode.modules.marketplace.service.syncing import Syncing
from opencode.modules.marketplace.service.tidying import KEEP_DRAFTS
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.modules.marketplace.conftest import PROJECTS, Json, Market, Person
from tests.web_server import WebServer, answer_of, serving

ANSWERS = Path(__file__).with_name("answers")


def settings_of(api: str = "", **more: Any) -> MarketplaceSettings:
    """A server that reads from three places, whose APIs are all at one address."""
    at = f"={api}" if api else ""
    return MarketplaceSettings(
        marketplace_sources_github=(f"code.test{at}",),
        marketplace_sources_pypi=(f"index.test{at}",),
        marketplace_sources_npm=(f"www.packages.test{at or '=https://registry.packages.test'}",),
        **more,
    )


PLACES = Places.of(settings_of())


def _repository_alone(body: bytes) -> Draft:
    return github.draft_of(body, None)


READERS = (_repository_alone, pypi.draft_of, npm.draft_of)


def _answer(name: str) -> bytes:
    return (ANSWERS / name).read_bytes()


def _importer(web: WebServer) -> Importer:
    return Importer(Fetcher(Reach(private_too=True)), Places.of(settings_of(web.url)))


GITHUB_DRAFT = Draft(
    title="fast-lines",
    name="fast-lines",
    summary='Reads lines faster than you can say "line" 🚀',
    description="# fast-lines\n\nReads lines. Quickly.\n\n![plot](docs/plot.png)",
    technologies=("Rust",),
    license="GPL-3.0-only",
    tags=("text", "fast", "command-line"),
    repository_url="https://gitlab.example.org/example/fast-lines",
    documentation_url="https://fast-lines.docs.test/",
)


async def test_a_repository_of_github_becomes_a_draft() -> None:
    says = {
        "/repos/example/fast-lines": answer_of(_answer("github-repository.json")),
        "/repos/example/fast-lines/readme": answer_of(_answer("github-readme.json")),
    }
    async with serving(says) as web:
        assert await _importer(web).draft("git@code.test:example/fast-lines.git") == GITHUB_DRAFT


async def test_a_repository_without_a_readme_has_no_description() -> None:
    async with serving({"/repos/example/fast-lines": answer_of(_answer("github-repository.json"))}) as web:
        draft = await _importer(web).draft("https://code.test/example/fast-lines")
        assert (draft.title, draft.description) == ("fast-lines", "")


async def test_a_project_of_pypi_becomes_a_draft() -> None:
    async with serving({"/pypi/fast-lines/json": answer_of(_answer("pypi-project.json"))}) as web:
        assert await _importer(web).draft("https://index.test/project/Fast_Lines/") == Draft(
            title="Fast_Lines",
            name="Fast_Lines",
            summary="Reads lines, fast.",
            description="# Fast_Lines\n\nReads *lines*.",
            technologies=("Python", "Django", "Rust"),
            license="Apache-2.0",
            tags=("text", "fast-lines", "io"),
            repository_url="https://gitlab.example.org/example/fast-lines",
            documentation_url="https://fast-lines.example/docs/",
        )


async def test_a_package_of_npm_becomes_a_draft() -> None:
    async with serving({"/@example%2Ffast-lines": answer_of(_answer("npm-package.json"))}) as web:
        assert await _importer(web).draft("https://packages.test/package/@example/fast-lines") == Draft(
            title="@example/fast-lines",
            name="fast-lines",
            summary="Reads lines, fast.",
            description="# fast-lines\n\nReads lines.",
            technologies=("TypeScript",),
            license="(MIT OR Apache-2.0)",
            tags=("text", "fast-lines", "stream"),
            repository_url="https://gitlab.example.org/example/fast-lines",
            demo_url="https://example.pages.test/fast-lines/playground",
        )


async def test_a_version_that_was_pasted_is_the_one_that_is_asked_for() -> None:
    old = json.dumps(json.loads(_answer("npm-package.json"))["versions"]["0.0.1"]).encode()
    says = {
        "/@example%2Ffast-lines/0.0.1": answer_of(old),
        "/pypi/fast-lines/2.1.0/json": answer_of(_answer("pypi-project.json")),
    }
    async with serving(says) as web:
        draft = await _importer(web).draft("https://packages.test/package/@example/fast-lines/v/0.0.1")
        assert (draft.technologies, draft.license, draft.tags) == (("JavaScript",), "", ("text", "stream"))
        assert draft.repository_url == repository_of("github:example/fast-lines").url  # pyright: ignore[reportOptionalMemberAccess]
        assert (await _importer(web).draft("https://index.test/project/fast-lines/2.1.0/#files")).name == "Fast_Lines"


async def test_of_a_package_with_too_many_versions_the_newest_alone_is_read() -> None:
    newest = json.dumps(json.loads(_answer("npm-package.json"))["versions"]["3.0.0"]).encode()
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{"
    async with serving({"/big": huge, "/big/latest": answer_of(newest)}) as web:
        draft = await _importer(web).draft("https://packages.test/package/big")
        assert (draft.summary, draft.description) == ("Reads lines, fast.", "")


@pytest.mark.parametrize(
    ("url", "kind", "name", "version"),
    [
        *(
            (url, SourceKind.GITHUB, "owner/name", "")
            for url in (
                *("https://code.test/owner/name", "code.test/owner/name/", "http://www.code.test/owner/name.git"),
                *(
                    "git@code.test:owner/name.git",
                    "ssh://git@code.test/owner/name.git",
                    "ssh://git@code.test:22/owner/name",
                ),
                *(
                    "git+https://code.test/owner/name",
                    " https://code.test/owner/name\n",
                    "https://CODE.test:443/owner/name",
                ),
                *("https://code.test/owner/name/tree/main/a/b", "https://code.test/owner/name/releases/tag/v1#x"),
                *("https://code.test/owner/name?tab=a", "https://code.test/api/v3/repos/owner/name/readme"),
            )
        ),
        *(
            (url, SourceKind.PYPI, "some-name", "")
            for url in (
                *("https://index.test/project/some-name/", "https://index.test/project/Some._Name"),
                *("https://index.test/p/some_name", "https://index.test/pypi/some-name/json"),
                *("https://index.test/simple/some-name/", "https://index.test/project/some-name/?a=b#history"),
            )
        ),
        ("https://index.test/project/a/1.0rc1/", SourceKind.PYPI, "a", "1.0rc1"),
        ("https://index.test/pypi/a/1.0/json", SourceKind.PYPI, "a", "1.0"),
        ("https://www.packages.test/package/a", SourceKind.NPM, "a", ""),
        ("packages.test/package/a?activeTab=versions", SourceKind.NPM, "a", ""),
        ("https://packages.test/package/@a/b/v/1.2.3-rc.1", SourceKind.NPM, "@a/b", "1.2.3-rc.1"),
        ("https://packages.test/package/%40a%2Fb", SourceKind.NPM, "@a/b", ""),
        ("https://registry.packages.test/@a%2fb/latest", SourceKind.NPM, "@a/b", ""),
        ("https://registry.packages.test/a/1.0.0", SourceKind.NPM, "a", "1.0.0"),
    ],
)
def test_a_pasted_address_is_recognised_in_all_its_forms(url: str, kind: SourceKind, name: str, version: str) -> None:
    found = recognise(url, PLACES)
    assert (found.place.kind, found.name, found.version) == (kind, name, version)


@pytest.mark.parametrize(
    "url",
    [
        *("", "  ", "hello", "https://code.test", "https://code.test/owner", "https://other.test/a/b", "http://[::1"),
        *("https://example.org/project/a", "https://index.test/search/?q=a", "https://index.test:99/project/a"),
        *("https://code.test.example.org/a/b", "https://code.test@example.org/a/b", "javascript:code.test/a/b"),
        *("https://index.test/project/..%2f..%2fa", "https://packages.test/package/../a", "https://a:b@code.test/a/b"),
        *("https://code.test/a/..", "ftp://code.test/a/b", "https://code.test/../b", "https://code.test:0/a/b"),
    ],
)
def test_other_addresses_are_refused_and_say_which_would_do(url: str) -> None:
    with pytest.raises(SourceUnknown) as refusal:
        recognise(url, PLACES)
    assert "code.test, index.test, www.packages.test" in refusal.value.detail


@given(st.text() | st.text(alphabet="@/.%2Fab-v1:?#").map("https://packages.test/package/".__add__))
def test_any_text_is_recognised_or_refused(url: str) -> None:
    try:
        found = recognise(url, PLACES)
    except SourceUnknown:
        return
    assert ".." not in found.name.split("/")


def test_a_host_alone_has_its_api_where_its_kind_has_it() -> None:
    assert PLACES.all[:2] == (
        Place(SourceKind.GITHUB, "code.test", "https://code.test/api/v3"),
        Place(SourceKind.PYPI, "index.test", "https://index.test"),
    )


@pytest.mark.parametrize("entry", ["https://code.test", "code.test=ftp://a", "code.test=", "a b", "code.test/x", "a=b"])
def test_a_source_that_is_written_wrong_stops_the_start_and_says_how_it_goes(entry: str) -> None:
    with pytest.raises(SettingsError, match=r"OCP_MARKETPLACE_SOURCES_PYPI .* host=address"):
        MarketplaceSettings(marketplace_sources_pypi=(entry,))


HALVES: list[Any] = [None, 1, True, "", "a", [], {}, [1, None], {"a": 1}, "\x00\x1b[2J\u202e", "a" * 300_000]


@pytest.mark.parametrize("name", ["github-repository", "pypi-project", "npm-package"])
@pytest.mark.parametrize("half", HALVES, ids=lambda half: repr(half)[:20])
def test_half_an_answer_makes_half_a_draft(name: str, half: Any) -> None:
    whole = json.loads(_answer(f"{name}.json"))
    newest = whole.get("info") or whole.get("versions", {}).get("3.0.0") or whole
    read = {"github-repository": READERS[0], "pypi-project": READERS[1], "npm-package": READERS[2]}[name]
    for field in list(newest):
        kept = newest[field]
        newest[field] = half
        try:
            draft = read(json.dumps(whole).encode())
            assert draft.title.isprintable()
            assert draft.summary.isprintable()
            assert len(draft.title) <= 100
            assert len(draft.summary) <= 200
            assert len(draft.description.encode()) <= 200_000
            assert all(tag.isprintable() and len(tag) <= 30 for tag in draft.tags)
        except SourceUnreadable:
            assert field == "name"
        newest[field] = kept


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b"1", b'"a"', b"{", b"{}", b"<html>Sign in</html>", b"\xff\xfe", b'{"info": []}', b"\0"),
        *(
            b'{"name": 1}',
            b'{"a":' * 100_000,
            b"[" * 1_000_000,
            b'{"name": "\\ud800"}',
            b"9" * 100_000,
            b'{"name": "\xff"}',
        ),
    ],
    ids=lambda body: repr(body[:20]),
)
@pytest.mark.parametrize("read", READERS, ids=["github", "pypi", "npm"])
def test_what_tells_of_no_project_is_a_clear_error(read: Any, body: bytes) -> None:
    with pytest.raises(SourceUnreadable) as failure:
        read(body)
    assert failure.value.action


FIELDS = ("info", "name", "license", "keywords", "readme", "versions", "dist-tags", "latest", "topics", "repository")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*FIELDS, "url"]) | st.text(max_size=5), inner, max_size=5)
    ),
)


@settings(deadline=None)
@given(_JSON)
def test_no_json_makes_anything_else_than_a_draft_or_a_clear_error(answer: Any) -> None:
    for read in READERS:
        try:
            read(json.dumps(answer).encode())
        except SourceUnreadable as failure:
            assert failure.detail


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "http://127.0.0.1/",
        "https://a:b@example.org/",
        "//example.org",
        "https://a b/",
        "data:,a",
    ],
)
def test_links_that_nobody_should_follow_are_left_out(link: str) -> None:
    info = {"name": "a", "project_urls": {"Source": link, "Documentation": link, "Demo": link}, "home_page": link}
    draft = pypi.draft_of(json.dumps({"info": info}).encode())
    assert (draft.repository_url, draft.documentation_url, draft.demo_url) == ("", "", "")


def test_a_readme_in_another_language_than_markdown_is_left_out() -> None:
    for name, encoding in (("README.rst", "base64"), ("README.md", "none"), ("README.md", "base64 ")):
        readme = json.loads(_answer("github-readme.json")) | {"name": name, "encoding": encoding}
        draft = github.draft_of(_answer("github-repository.json"), json.dumps(readme).encode())
        assert draft.description == ""


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        ("404 Not Found", {}, SourceMissing),
        ("410 Gone", {}, SourceMissing),
        ("401 Unauthorized", {}, SourcePrivate),
        ("403 Forbidden", {"X-RateLimit-Remaining": "12"}, SourcePrivate),
        ("403 Forbidden", {"X-RateLimit-Remaining": "0"}, SourceBusy),
        ("429 Too Many Requests", {"Retry-After": "99999999999"}, SourceBusy),
        ("429 Too Many Requests", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, SourceBusy),
    ],
)
async def test_what_the_source_refuses_is_told_in_words(
    status: str, headers: dict[str, str], error: type[Exception]
) -> None:
    async with serving({"/repos/a/b": answer_of(b"{}", status=status, headers=headers)}) as web:
        with pytest.raises(error, match=r"code\.test") as refusal:
            await _importer(web).draft("https://code.test/a/b")
    if isinstance(refusal.value, SourceBusy):
        assert 1 <= (refusal.value.retry_after_s or 0) <= 3_600


async def test_a_source_that_says_too_much_is_cut_off() -> None:
    async with serving({"/pypi/b/json": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{"}) as web:
        with pytest.raises(SourceTooLarge):
            await _importer(web).draft("https://index.test/project/b")


async def test_a_source_inside_the_own_network_is_refused_unless_the_operator_wants_it() -> None:
    async with serving() as web:
        with pytest.raises(AddressRefused, match=r"private network|port"):
            await Importer(Fetcher(), Places.of(settings_of(web.url))).draft("https://code.test/a/b")
        assert web.got == []


class TestOverHttp:
    @pytest.fixture
    def database_kind(self) -> str:
        return "sqlite"

    @pytest.fixture
    async def web(self) -> AsyncGenerator[WebServer]:
        async with serving({"/pypi/fast-lines/json": answer_of(_answer("pypi-project.json"))}) as web:
            yield web

    @pytest.fixture
    def settings(self, web: WebServer) -> MarketplaceSettings:
        return settings_of(web.url, marketplace_sources_private=True, drafts_per_minute=4)

    async def test_a_draft_is_read_edited_and_published(self, market: Market) -> None:
        ada = market.member()
        assert (await ada.get(f"{PROJECTS}/drafts")).json()["hosts"] == ["code.test", "index.test", "www.packages.test"]
        read = await ada.post(f"{PROJECTS}/drafts", {"url": "https://index.test/project/fast-lines/"})
        assert read.status_code == 200, read.text
        draft = read.json()
        assert (draft["title"], draft["license"], draft["problems"]) == ("Fast_Lines", "Apache-2.0", [])
        assert (await ada.get("/api/v1/me/projects")).json()["items"] == []
        del draft["problems"]
        made = await ada.post(PROJECTS, {**draft, "status": "published"})
        assert (made.status_code, made.json()["name"]) == (201, "fast-lines")

    async def test_what_could_not_be_told_is_named_and_empty(self, market: Market, web: WebServer) -> None:
        told = {"name": "a" * 3_000, "keywords": ["ok", "x" * 90], "license": "BSD", "description": "Title\n====="}
        web.says["/pypi/half/json"] = answer_of(json.dumps({"info": told}).encode())
        read = (await market.member().post(f"{PROJECTS}/drafts", {"url": "index.test/project/half"})).json()
        assert {problem["pointer"] for problem in read["problems"]} == {
            "/summary",
            "/description",
            "/license",
            "/repository_url",
        }
        assert (read["license"], read["description"], read["tags"]) == (None, "", ["ok"])
        del read["problems"]
        assert (await market.member("Grace").post(PROJECTS, read)).status_code == 201

    async def test_it_needs_an_account_a_known_place_and_patience(self, market: Market) -> None:
        body = {"url": "https://elsewhere.test/a/b"}
        assert (await market.nobody().post(f"{PROJECTS}/drafts", body)).status_code == 401
        assert (await market.nobody().get(f"{PROJECTS}/drafts")).status_code == 401
        ada = market.member()
        answers = [await ada.post(f"{PROJECTS}/drafts", body) for _ in range(4)]
        assert {answer.status_code for answer in answers} == {400}
        assert "elsewhere.test" in answers[0].json()["detail"]
        assert (await ada.post(f"{PROJECTS}/drafts", body)).status_code == 429
        missing = await market.member("Grace").post(f"{PROJECTS}/drafts", {"url": "https://index.test/project/none"})
        assert (missing.status_code, missing.json()["title"]) == (404, "The project was not found there")


class TestAProjectReadAgain:
    @pytest.fixture
    def database_kind(self) -> str:
        return "sqlite"

    @pytest.fixture
    async def web(self) -> AsyncGenerator[WebServer]:
        says = {
            "/repos/example/fast-lines": answer_of(_answer("github-repository.json")),
            "/repos/example/fast-lines/readme": answer_of(_answer("github-readme.json")),
        }
        async with serving(says) as web:
            yield web

    @pytest.fixture
    def settings(self, web: WebServer) -> MarketplaceSettings:
        return settings_of(web.url, marketplace_sources_private=True, drafts_per_minute=4)

    async def test_has_the_readme_and_what_it_did_not_say_itself(self, market: Market) -> None:
        ada = market.member()
        given: dict[str, Any] = {"description": "", "summary": "", "technologies": [], "license": None}
        made = await ada.create(**given, tags=["mine"], repository_url="https://code.test/example/fast-lines")
        answer = await ada.post(f"{PROJECTS}/{made['slug']}/sync", {})
        assert answer.status_code == 200, answer.text
        read, project = answer.json(), answer.json()["project"]
        assert (read["changed"], read["problems"]) == (["description", "summary", "technologies", "license"], [])
        assert project["description"] == GITHUB_DRAFT.description
        assert "<h2" in project["description_html"]
        assert (project["technologies"], project["license"], project["tags"]) == (["Rust"], "GPL-3.0-only", ["mine"])
        assert (project["title"], project["repository_url"]) == (made["title"], made["repository_url"])
        assert answer.headers["etag"] == f'"{project["revision"]}"'
        again = await ada.post(f"{PROJECTS}/{made['slug']}/sync", {})
        assert (again.json()["changed"], again.headers["etag"]) == ([], answer.headers["etag"])

    async def test_follows_its_repository_until_its_author_words_it(self, market: Market, web: WebServer) -> None:
        ada = market.member()
        given: dict[str, Any] = {"description": "", "summary": "", "technologies": [], "license": None}
        made = await ada.create(**given, repository_url="https://code.test/example/fast-lines")
        path = f"{PROJECTS}/{made['slug']}"
        await ada.post(f"{path}/sync", {})
        await ada.patch(path, {"summary": "In my words"})
        move_on(web)
        preview = (await ada.post(f"{path}/sync/preview")).json()
        assert [(each["field"], each["by_hand"]) for each in preview["offers"]] == [
            ("description", False),
            ("summary", True),
            ("technologies", False),
        ]
        assert preview["offers"][1]["mine"] == "In my words"
        read = (await ada.post(f"{path}/sync", {}, headers={"if-match": f'"{preview["revision"]}"'})).json()
        assert (read["changed"], read["kept"]) == (["description", "technologies"], ["summary"])
        assert (read["project"]["summary"], read["project"]["technologies"]) == ("In my words", ["Zig"])

    async def test_made_of_a_draft_does_not_ask_about_words_that_were_read(
        self, market: Market, web: WebServer
    ) -> None:
        ada, draft = await drafted(market, web)
        made = (await ada.post(PROJECTS, {**draft, "summary": "In my words"})).json()
        move_on(web)
        preview = (await ada.post(f"{PROJECTS}/{made['slug']}/sync/preview")).json()
        assert [(each["field"], each["by_hand"]) for each in preview["offers"]] == [
            ("description", False),
            ("summary", True),
            ("technologies", False),
        ]
        read = (await ada.post(f"{PROJECTS}/{made['slug']}/sync", {})).json()
        assert (read["changed"], read["kept"]) == (["description", "technologies"], ["summary"])

    async def test_made_of_a_draft_that_another_has_read_asks(self, market: Market, web: WebServer) -> None:
        _, draft = await drafted(market, web)
        grace = market.member("Grace")
        made = (await grace.post(PROJECTS, draft)).json()
        move_on(web)
        preview = (await grace.post(f"{PROJECTS}/{made['slug']}/sync/preview")).json()
        assert {each["field"]: each["by_hand"] for each in preview["offers"]}["description"]

    async def test_made_of_a_draft_of_three_months_ago_asks(self, market: Market, web: WebServer) -> None:
        ada, draft = await drafted(market, web)
        tidying = next(job for job in market.module.plug.jobs if job.name == "tidy the marketplace")
        market.clock.advance(KEEP_DRAFTS.total_seconds())
        await tidying.work()
        kept = (await ada.post(PROJECTS, draft)).json()
        market.clock.advance(1)
        await tidying.work()
        forgotten = (await ada.post(PROJECTS, {**draft, "title": "Later"})).json()
        move_on(web)
        for made, asks in ((kept, False), (forgotten, True)):
            preview = (await ada.post(f"{PROJECTS}/{made['slug']}/sync/preview")).json()
            assert {each["field"]: each["by_hand"] for each in preview["offers"]}["description"] is asks

    async def test_takes_over_what_is_named_and_nothing_else(self, market: Market) -> None:
        ada = market.member()
        given: dict[str, Any] = {"description": "By hand.", "summary": "", "technologies": [], "license": None}
        made = await ada.create(**given, repository_url="https://code.test/example/fast-lines")
        path = f"{PROJECTS}/{made['slug']}"
        preview = (await ada.post(f"{path}/sync/preview")).json()
        assert {each["field"]: each["by_hand"] for each in preview["offers"]}["description"]
        assert (await ada.get(path)).json()["revision"] == preview["revision"] == made["revision"]
        for wrong in ({"take": ["title"]}, {"take": ["summary"] * 5}, {"take": "all"}, {"all": True}):
            assert (await ada.post(f"{path}/sync", wrong)).status_code == 400
        nothing = (await ada.post(f"{path}/sync", {"take": []})).json()
        assert (nothing["changed"], nothing["kept"]) == ([], ["description"])
        taken = (await ada.post(f"{path}/sync", {"take": ["description", "description"]})).json()
        assert (taken["changed"], taken["kept"]) == (["description"], [])
        assert (taken["project"]["description"], taken["project"]["summary"]) == (GITHUB_DRAFT.description, "")
        # Undone, the old words are the author's again, and stay.
        await ada.patch(path, {"description": "By hand."})
        again = (await ada.post(f"{path}/sync", {})).json()
        assert (again["project"]["description"], again["kept"]) == ("By hand.", ["description"])

    async def test_keeps_what_its_author_wrote_and_what_the_repository_does_not_tell(
        self, market: Market, web: WebServer
    ) -> None:
        del web.says["/repos/example/fast-lines/readme"]
        ada = market.member()
        given: dict[str, Any] = {"description": "Mine.", "summary": "Mine", "technologies": ["C"], "license": "MIT"}
        made = await ada.create(**given, repository_url="https://code.test/example/fast-lines")
        read = (await ada.post(f"{PROJECTS}/{made['slug']}/sync", {})).json()
        assert (read["changed"], [problem["pointer"] for problem in read["problems"]]) == ([], ["/description"])
        assert read["kept"] == ["summary", "technologies", "license"]
        assert {name: read["project"][name] for name in given} == given
        assert read["project"]["revision"] == made["revision"]

    async def test_is_not_read_for_a_revision_that_is_gone(self, market: Market, web: WebServer) -> None:
        ada = market.member()
        made = await ada.create(repository_url="https://code.test/example/fast-lines")
        path = f"{PROJECTS}/{made['slug']}/sync"
        assert (await ada.post(path, {}, headers={"if-match": '"7"'})).status_code == 412
        assert web.got == []
        assert (await ada.post(path, {}, headers={"if-match": '"1"'})).status_code == 200

    async def test_that_was_changed_while_it_was_being_read_stays_as_it_was_changed(self, market: Market) -> None:
        ada = market.member()
        made = await ada.create(summary="", repository_url="https://code.test/example/fast-lines")

        async def read(url: str) -> Draft:
            await ada.patch(f"{PROJECTS}/{made['slug']}", {"summary": "Just typed"})
            return GITHUB_DRAFT

        syncing = _syncing(market, read)
        assert ada.principal
        with pytest.raises(ProjectOutdated):
            await syncing.sync(made["slug"], ada.principal)
        shown = (await ada.get(f"{PROJECTS}/{made['slug']}")).json()
        assert (shown["summary"], shown["description"]) == ("Just typed", made["description"])

    async def test_needs_its_owner_a_repository_at_a_known_place_and_patience(
        self, market: Market, web: WebServer
    ) -> None:
        ada = market.member()
        made = await ada.create(repository_url="https://code.test/example/gone", status="published")
        path = f"{PROJECTS}/{made['slug']}/sync"
        assert (await market.nobody().post(path, {})).status_code == 401
        assert (await market.member("Grace").post(path, {})).status_code == 403
        assert (await market.administrator().post(path, {})).status_code == 403
        assert (await market.nobody().post(f"{path}/preview")).status_code == 401
        assert (await market.member("Grace").post(f"{path}/preview")).status_code == 403
        assert (await ada.post(f"{PROJECTS}/ada.nothing/sync", {})).status_code == 404
        assert web.got == []
        missing = await ada.post(path, {})
        assert (missing.status_code, missing.json()["title"]) == (404, "The project was not found there")
        await ada.patch(f"{PROJECTS}/{made['slug']}", {"repository_url": "https://elsewhere.test/a/b"})
        unknown = await ada.post(path, {})
        assert unknown.status_code == 409
        assert "elsewhere.test" in unknown.json()["detail"]
        assert "code.test" in unknown.json()["detail"]
        await ada.patch(f"{PROJECTS}/{made['slug']}", {"repository_url": None})
        nowhere = await ada.post(path, {})
        assert (nowhere.status_code, nowhere.json()["title"]) == (409, "There is nothing to read again")
        await ada.patch(f"{PROJECTS}/{made['slug']}", {"repository_url": "https://code.test/example/fast-lines"})
        assert [(await ada.post(path, {})).status_code for _ in range(3)] == [200, 200, 429]


async def drafted(market: Market, web: WebServer) -> tuple[Person, Json]:
    """A draft as its reader would send it on; its repository is where the server reads from."""
    repository = _answer("github-repository.json").replace(b"gitlab.example.org", b"code.test")
    web.says["/repos/example/fast-lines"] = answer_of(repository)
    ada = market.member()
    draft = (await ada.post(f"{PROJECTS}/drafts", {"url": "https://code.test/example/fast-lines"})).json()
    del draft["problems"]
    return ada, draft


def move_on(web: WebServer) -> None:
    """Let the repository have another README and another language."""
    newer = {"encoding": "base64", "content": b64encode(b"# Faster lines").decode(), "name": "README.md"}
    web.says["/repos/example/fast-lines/readme"] = answer_of(json.dumps(newer).encode())
    web.says["/repos/example/fast-lines"] = answer_of(_answer("github-repository.json").replace(b"Rust", b"Zig"))


def _syncing(market: Market, read: ReadDraft) -> Syncing:
    """The use case over another reader."""
    shared = Shared(market.parts, MarketplaceSettings(), market.identity, market.module.catalogue)
    return Syncing(shared, Drafting(shared, read, ["code.test"]), Publishing(shared))


class TestAServerThatReadsFromNowhere:
    @pytest.fixture
    def database_kind(self) -> str:
        return "sqlite"

    async def test_says_what_its_operator_could_set(self, market: Market) -> None:
        answer = await market.member().post(f"{PROJECTS}/drafts", {"url": "https://index.test/project/a"})
        assert answer.status_code == 400
        assert "OCP_MARKETPLACE_SOURCES_GITHUB" in answer.json()["action"]
        assert (await market.member().get(f"{PROJECTS}/drafts")).json() == {"hosts": []}


@pytest.mark.parametrize(
    ("text", "spdx"),
    [
        *(
            ("MIT", "MIT"),
            ("mit license", "MIT"),
            ("The MIT License (MIT)", "MIT"),
            ("Expat", "MIT"),
            ("ISC License", "ISC"),
        ),
        *(("Apache-2.0", "Apache-2.0"), ("Apache License, Version 2.0", "Apache-2.0"), ("Apache 2.0", "Apache-2.0")),
        *(
            ("BSD", ""),
            ("BSD-3-Clause", "BSD-3-Clause"),
            ("BSD 3-Clause License", "BSD-3-Clause"),
            ("New BSD", "BSD-3-Clause"),
        ),
        *(("GPL-3.0", "GPL-3.0-only"), ("GPL-3.0+", "GPL-3.0-or-later"), ("GPLv3", "GPL-3.0-only"), ("GPL", "")),
        *(("GPLv3+", "GPL-3.0-or-later"), ("GNU GPL v2 or later", "GPL-2.0-or-later"), ("LGPLv2.1", "LGPL-2.1-only")),
        *(("GNU Affero General Public License v3.0", "AGPL-3.0-only"), ("MPL 2.0", "MPL-2.0"), ("MPL-2.0", "MPL-2.0")),
        *(("MIT OR Apache-2.0", "MIT OR Apache-2.0"), ("(mit or apache-2.0)", "(MIT OR Apache-2.0)"), ("MIT AND", "")),
        *(
            ("(MIT AND (ISC OR 0BSD))", "(MIT AND (ISC OR 0BSD))"),
            ("MIT ISC", ""),
            ("(MIT OR", ""),
            ("MIT OR )ISC(", ""),
        ),
        ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
        *(("MIT WITH MIT", ""), ("LLVM-exception", ""), ("SEE LICENSE IN LICENSE.md", ""), ("UNLICENSED", "")),
        *(("NOASSERTION", ""), ("Proprietary", ""), ("", ""), ("(" * 190, ""), ("MIT " * 10_000, "")),
    ],
)
def test_a_licence_is_told_in_spdx_when_it_can_be(text: str, spdx: str) -> None:
    assert spdx_of(text) == spdx


@pytest.mark.parametrize(
    ("classifiers", "spdx"),
    [
        (["License :: OSI Approved :: MIT License"], "MIT"),
        (["License :: OSI Approved", "License :: OSI Approved :: Apache Software License"], "Apache-2.0"),
        (["License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)"], "GPL-3.0-or-later"),
        (["License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)"], "LGPL-3.0-only"),
        (["License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)"], "MPL-2.0"),
        (["License :: OSI Approved :: ISC License (ISCL)"], "ISC"),
        (["License :: OSI Approved :: The Unlicense (Unlicense)"], "Unlicense"),
        (["License :: OSI Approved :: Python Software Foundation License"], "PSF-2.0"),
        (["License :: OSI Approved :: BSD License"], ""),
        (["License :: OSI Approved :: MIT License", "License :: OSI Approved :: BSD License"], ""),
        (
            ["License :: OSI Approved :: MIT License", "License :: OSI Approved :: Apache Software License"],
            "MIT OR Apache-2.0",
        ),
        ([], ""),
    ],
)
def test_classifiers_tell_the_licence_when_they_are_clear(classifiers: list[str], spdx: str) -> None:
    assert spdx_of_classifiers(classifiers) == spdx


@given(st.text(alphabet="() MITandORwith-2.0+gplv", max_size=60) | st.text(max_size=60))
def test_what_was_told_as_spdx_is_told_again_as_the_same(text: str) -> None:
    assert spdx_of(spdx_of(text)) == spdx_of(text)
