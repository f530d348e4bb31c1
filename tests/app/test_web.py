"""The files of the web UI, as a browser and a cache in front of the server see them."""

import gzip
import re
from pathlib import Path

import httpx
import pytest

from opencode.app.web import web_folder
from tests.ocp import Server, serving

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def script(server: Server) -> str:
    """The address of a script with a hash in its name."""
    page = httpx.get(f"{server.url}/sign-in", headers=HTML).text
    found = re.search(r"/_app/immutable/entry/[\w.-]+\.js", page)
    assert found
    return found[0]


def test_a_link_into_the_application_gives_the_page(person: httpx.Client) -> None:
    page = person.get("/sign-in", headers=HTML)
    link = person.get("/interviews/int_01J9ABCDEF/ended", headers=HTML)
    assert link.status_code == 200
    assert link.headers["content-type"].startswith("text/html")
    assert link.content == page.content


def test_a_project_is_a_page_though_its_name_has_a_dot(person: httpx.Client) -> None:
    for address in ("/projects", "/projects/ada.engine", "/projects/ada.engine/edit", "/people/ada"):
        assert person.get(address, headers=HTML).headers["content-type"].startswith("text/html")
    assert person.get("/project/ada.engine", headers=HTML).status_code == 404


@pytest.mark.parametrize("address", ["/_app/immutable/entry/gone.js", "/gone.js", "/favicon.ico", "/assets/gone.css"])
def test_a_missing_file_is_not_found_and_never_a_page(person: httpx.Client, address: str) -> None:
    answer = person.get(address, headers={"accept": "*/*"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_path_out_of_the_folder_leads_nowhere(person: httpx.Client) -> None:
    for address in ("/../pyproject.toml", "/%2e%2e/pyproject.toml", "/_app/..%2f..%2fpackage.json"):
        assert person.get(address).status_code == 404


def test_files_with_a_hash_in_their_name_are_kept_for_ever(person: httpx.Client, script: str) -> None:
    assert person.get(script).headers["cache-control"] == "public, max-age=31536000, immutable"


def test_the_page_is_asked_for_anew_each_time(person: httpx.Client) -> None:
    assert person.get("/sign-in", headers=HTML).headers["cache-control"] == "no-cache"


def test_a_browser_that_has_the_file_gets_304(person: httpx.Client, script: str) -> None:
    first = person.get(script)
    again = person.get(script, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    assert person.get(script, headers={"if-none-match": 'W/"another"'}).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("br, gzip", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0.5, gzip;q=0.8", "br"),
        ("br;q=0, gzip", "gzip"),
        ("identity", None),
        ("", None),
    ],
)
def test_the_browser_gets_a_compressed_form_that_it_takes(
    person: httpx.Client, script: str, accepted: str, coding: str | None
) -> None:
    with person.stream("GET", script, headers={"accept-encoding": accepted}) as answer:
        assert answer.headers.get("content-encoding") == coding
        assert answer.headers["vary"] == "accept-encoding"
        assert "javascript" in answer.headers["content-type"]


def test_the_compressed_form_holds_the_same_bytes(person: httpx.Client, script: str) -> None:
    plain = person.get(script, headers={"accept-encoding": "identity"}).content
    assert plain == (web_folder() / script.removeprefix("/")).read_bytes()
    with person.stream("GET", script, headers={"accept-encoding": "gzip"}) as answer:
        assert gzip.decompress(b"".join(answer.iter_raw())) == plain


def test_the_page_asks_nobody_but_this_server_for_anything(person: httpx.Client) -> None:
    page = person.get("/", headers=HTML).text
    assert set(re.findall(r"""(?:src|href)=["']?((?:https?:)?//[^/"']*)""", page)) == {str(person.base_url).rstrip("/")}


def test_pictures_come_from_here_alone_unless_the_operator_allows_their_hosts(
    person: httpx.Client, tmp_path: Path
) -> None:
    assert "img-src 'self' data:;" in _policy_of(person.get("/projects", headers=HTML).text)
    settings = {"OCP_MARKETPLACE_IMAGE_HOSTS": "Pictures.example.org,other.example.org:8443"}
    with serving(tmp_path / "data", settings=settings) as server, server.client() as reader:
        for address in ("/sign-in", "/projects", "/projects/ada.engine"):  # the application's page, and public ones
            for codings in ("br, gzip", "identity"):
                page = reader.get(address, headers={**HTML, "accept-encoding": codings}).text
                allowed = "img-src 'self' data: https://pictures.example.org https://other.example.org:8443;"
                assert allowed in _policy_of(page)
                assert _policy_of(page).count("https:") == 2
        assert (
            reader.get("/sign-in", headers=HTML).headers["etag"] != person.get("/sign-in", headers=HTML).headers["etag"]
        )


def _policy_of(page: str) -> str:
    return page.partition('http-equiv="content-security-policy" content="')[2].partition('"')[0]
