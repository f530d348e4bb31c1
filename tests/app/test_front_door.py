"""What every answer has, and what happens to requests that are no requests."""

import json
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.ocp import Server, register

ADDRESSES = ["/", "/health", "/docs", "/api/v1/me", "/api/v1/nothing-here", "/nothing.js"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_has_an_id_and_the_headers_that_keep_browsers_strict(person: httpx.Client, address: str) -> None:
    headers = person.get(address).headers
    assert headers["x-request-id"].startswith("req_")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_no_two_requests_have_the_same_id(person: httpx.Client) -> None:
    ids = {person.get("/health").headers["x-request-id"] for _ in range(20)}
    assert len(ids) == 20


def test_the_page_allows_its_own_scripts_only(person: httpx.Client) -> None:
    page = person.get("/", headers={"accept": "text/html"}).text
    policy = page.partition('http-equiv="content-security-policy" content="')[2].partition('"')[0]
    scripts = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
    assert "'self'" in scripts
    assert "unsafe-inline" not in scripts
    assert "unsafe-eval" not in scripts
    assert "http" not in policy


def test_an_unknown_address_of_the_api_is_a_problem_document(person: httpx.Client) -> None:
    answer = person.get("/api/v1/nothing-here", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "action", "request_id"}
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["action"]


def test_a_method_that_an_address_does_not_answer_is_a_problem_document(person: httpx.Client) -> None:
    answer = person.request("PUT", "/health")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert "GET" in answer.headers["allow"]


def test_a_body_that_is_no_json_is_a_problem_document(person: httpx.Client) -> None:
    answer = person.post("/api/v1/auth/login", content=b"{nonsense", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "not JSON" in answer.json()["detail"]


def test_every_wrong_field_is_named_at_once(person: httpx.Client) -> None:
    answer = person.post("/api/v1/auth/login", json={"email": 7, "colour": "blue"})
    assert answer.status_code == 400
    assert {problem["pointer"] for problem in answer.json()["errors"]} == {"/email", "/password", "/colour"}


def test_a_body_over_two_mebibytes_is_refused(person: httpx.Client) -> None:
    answer = person.post("/api/v1/auth/login", content=b"x" * (2 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert person.get("/health").status_code == 200


def test_a_body_over_two_mebibytes_in_pieces_without_a_length_is_refused(person: httpx.Client) -> None:
    answer = person.post("/api/v1/auth/login", content=(b"x" * 65_536 for _ in range(40)))
    assert answer.status_code == 413


def test_a_body_that_drips_in_is_given_up(server: Server) -> None:
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        connection.sendall(
            b"POST /api/v1/auth/login HTTP/1.1\r\nhost: opencode.test\r\n"
            b"content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"
        )
        head, _, body = _all_of(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["title"] == "Too slow"


def test_a_file_that_announces_too_much_is_refused_before_a_byte_of_it_is_sent(server: Server) -> None:
    with server.client() as person:
        register(person, "files@example.org")
        project = person.post("/api/v1/projects", json={"title": "Engine", "status": "published"}).json()
        releases = f"/api/v1/projects/{project['slug']}/releases"
        assert person.post(releases, json={"version": "1.0"}).status_code == 201
        cookie = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
        origin = person.headers["origin"]
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        connection.sendall(
            f"PUT {releases}/1.0/files/a HTTP/1.1\r\nhost: {place.netloc}\r\norigin: {origin}\r\ncookie: {cookie}\r\n"
            f"content-length: {10**12}\r\n\r\n".encode()
        )
        head = connection.recv(65_536)
    assert head.startswith(b"HTTP/1.1 413 ")


def test_head_answers_what_get_would_without_the_body(person: httpx.Client) -> None:
    for address in ("/", "/health", "/docs", "/openapi.json"):
        asked, got = person.head(address), person.get(address)
        assert asked.status_code == got.status_code == 200
        assert asked.content == b""
        assert asked.headers["content-type"] == got.headers["content-type"]


def test_the_server_does_not_tell_what_it_is_made_of(person: httpx.Client) -> None:
    assert "server" not in person.get("/").headers


def test_an_odd_method_adds_no_series_to_the_metrics(person: httpx.Client) -> None:
    for number in range(3):
        person.request(f"ODD{number}", "/health")
    assert 'method="ODD' not in person.get("/metrics").text


def _all_of(connection: socket.socket) -> bytes:
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received
