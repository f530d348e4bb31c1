"""What was answered was counted, and what was published is found, whatever becomes of the server."""

import threading
import time
from pathlib import Path

import httpx

from tests.ocp import Server, register, serving

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
