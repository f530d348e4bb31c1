"""What was answered was counted, and what was published is found, whatever becomes of the server."""

import threading
import time
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.ocp import EMAIL, PASSWORD, Server, register, run_ocp, serving

ENOUGH = 150
"""Answered downloads after which the server is killed."""


def _download_until_killed(server: Server, slug: str, answered: list[str], number: int) -> None:
    """Download with ever new keys; those that were answered are noted."""
    with httpx.Client(base_url=server.url, timeout=10) as visitor:
        for attempt in range(10_000):
            key = f"{number}-{attempt}"
            try:
                answer = visitor.post(f"/api/v1/projects/{slug}/downloads", headers={"idempotency-key": key})
            except httpx.HTTPError:
                return
            assert answer.status_code == 201, answer.text
            answered.append(key)


def _found(server: Server, patience_s: float = 20) -> list[dict[str, object]]:
    """All projects, once the server has read its catalogue."""
    until = time.monotonic() + patience_s
    while (answer := httpx.get(f"{server.url}/api/v1/projects")).status_code == 503 and time.monotonic() < until:
        time.sleep(0.05)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_a_killed_server_has_every_download_that_it_answered_and_its_catalogue(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, server.client() as author:
        assert register(author).status_code == 201
        body = {"title": "Engine", "status": "published", "repository_url": "https://git.example.org/engine"}
        slug = author.post("/api/v1/projects", json=body).json()["slug"]
        answered: list[str] = []
        visitors = [
            threading.Thread(target=_download_until_killed, args=(server, slug, answered, number))
            for number in range(4)
        ]
        for visitor in visitors:
            visitor.start()
        while len(answered) < ENOUGH and any(visitor.is_alive() for visitor in visitors):
            time.sleep(0.005)
        server.kill()
        for visitor in visitors:
            visitor.join()
    assert len(answered) >= ENOUGH
    with serving(tmp_path / "data") as server:
        counted = httpx.get(f"{server.url}/api/v1/projects/{slug}").json()["downloads"]
        # Each of the four may have had one more on its way, whose answer nobody heard.
        assert len(answered) <= counted <= len(answered) + 4
        assert [(card["slug"], card["downloads"]) for card in _found(server)] == [(slug, counted)]


LINES = 3_000


def _imported(admin: httpx.Client, address: str) -> int:
    return admin.get(address).json()["imported"]


def _walk(server: Server) -> list[str]:
    """The slug of every result, page by page."""
    slugs: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "200", "sort": "name", **({"cursor": cursor} if cursor else {})}
        page = httpx.get(f"{server.url}/api/v1/projects", params=query).json()
        slugs += [card["slug"] for card in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            assert page["total"] == len(slugs)
            return slugs


@pytest.mark.parametrize("after", [1, 1_000])
def test_a_server_killed_while_it_indexes_an_import_finds_all_of_it_once(tmp_path: Path, after: int) -> None:
    names = [f"engine-{number}" for number in range(LINES)]
    lines = (msgspec.json.encode({"title": name, "name": name, "status": "published"}) for name in names)
    with serving(tmp_path / "data") as server, server.client() as admin:
        assert register(admin).status_code == 201
        began = admin.post("/api/v1/projects/import", content=b"\n".join(lines)).json()
        address = f"/api/v1/projects/import/{began['id']}"
        while (told := _imported(admin, address)) < after:
            time.sleep(0.005)
        server.kill()
    assert told < LINES, "it was done before it was killed"
    with serving(tmp_path / "data") as server, server.client() as admin:
        body = {"email": EMAIL, "password": PASSWORD}
        assert admin.post("/api/v1/auth/login", json=body).status_code == 200
        _found(server)
        kept = _imported(admin, address)
        slugs = _walk(server)
        assert told <= kept == len(slugs) == len(set(slugs))
        found = admin.get("/api/v1/marketplace/catalogue/check").json()
        assert (found["agree"], found["projects"], found["indexed"]) == (True, kept, kept)
        checked = run_ocp("marketplace", "check", "--data", tmp_path / "data")
        assert (checked.status, str(kept) in checked.out) == (0, True), checked.err
        rebuilt = run_ocp("marketplace", "rebuild", "--data", tmp_path / "data")
        assert (rebuilt.status, f"done, {kept} projects" in rebuilt.out) == (0, True), rebuilt.err
        assert _walk(server) == slugs
    alone = run_ocp("marketplace", "check", "--data", tmp_path / "data")
    assert (alone.status, str(kept) in alone.out) == (0, True), alone.err
