"""Starting and stopping the server."""

import json
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.ocp import PATIENCE_S, Server, register, run_ocp, serving


def test_the_first_start_prints_a_link_that_makes_its_reader_the_administrator(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, server.client() as person:
        link = next(word for word in server.next_line().split() if word.startswith(f"{server.url}/setup#token="))
        signed_in = person.post("/api/v1/auth/setup", json={"token": link.partition("#token=")[2]})
        assert signed_in.status_code == 200
        assert person.get("/api/v1/me").json()["roles"] == ["admin"]


def test_an_administrator_named_by_the_settings_can_sign_in_at_once(tmp_path: Path) -> None:
    credentials = {"email": "root@example.org", "password": "a long enough password"}
    settings = {"OCP_ADMIN_EMAIL": credentials["email"], "OCP_ADMIN_PASSWORD": credentials["password"]}
    with serving(tmp_path / "data", settings=settings) as server, server.client() as person:
        assert person.post("/api/v1/auth/login", json=credentials).json()["roles"] == ["admin"]


def test_on_sigterm_the_server_ends_in_order_and_soon(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10


def test_on_ctrl_c_the_server_ends_in_order(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=PATIENCE_S) == 0
        assert "Traceback" not in server.log.read_text()


def test_on_sigterm_open_documents_and_event_streams_are_told_to_come_back(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, server.client() as person:
        register(person)
        interview = person.post("/api/v1/interviews", json={"title": "First"}).json()
        person.post(f"/api/v1/interviews/{interview['id']}/start")
        with (
            connect(_socket_url(server, person, interview["document_id"]), subprotocols=["ocp.v1"]) as document,  # type: ignore[list-item]
            person.stream("GET", f"/api/v1/interviews/{interview['id']}/events") as events,
        ):
            lines = events.iter_lines()
            assert next(lines) == ": welcome"
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert _close_code(document) == 1012
            for _ in lines:
                pass  # the stream ends by itself, or this test would
            assert server.process.wait(timeout=PATIENCE_S) == 0
            assert time.monotonic() - began < 10


def test_what_was_made_is_there_after_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, server.client() as person:
        register(person)
        made = person.post("/api/v1/interviews", json={"title": "First"}).json()
        session = dict(person.cookies)
        assert server.stop() == 0
    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url, cookies=session) as person:
        assert person.get(f"/api/v1/interviews/{made['id']}").json()["title"] == "First"


def test_a_port_that_is_taken_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_ocp("serve", "--port", port, "--data", tmp_path / "data", folder=tmp_path)
    assert done.status == 1
    assert port in done.err
    assert "--port" in done.err
    assert "Traceback" not in done.err


def test_an_address_that_is_not_ours_is_told_in_a_sentence(tmp_path: Path) -> None:
    done = run_ocp("serve", "--host", "203.0.113.1", "--port", "0", "--data", tmp_path / "data", folder=tmp_path)
    assert done.status == 1
    assert "203.0.113.1" in done.err
    assert "Traceback" not in done.err


def test_a_second_server_on_the_same_folder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        done = run_ocp("serve", "--port", "0", "--data", tmp_path / "data", folder=tmp_path)
        assert done.status == 1
        assert f"Process {server.process.pid} already works on the data folder" in done.err
        assert httpx.get(f"{server.url}/health").status_code == 200


def test_a_folder_is_free_again_after_its_server_was_killed(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        server.kill()
    with serving(tmp_path / "data") as server:
        assert httpx.get(f"{server.url}/ready").status_code == 200


def test_a_start_prints_only_where_it_is_and_logs_nothing_to_worry_about(tmp_path: Path) -> None:
    with serving(tmp_path / "data", settings={"OCP_LOG_FORMAT": "json"}) as server:
        assert len(server.said) == 1
        assert server.stop() == 0
        for line in server.log.read_text().splitlines():
            assert json.loads(line)["level"] == "info"


def _socket_url(server: Server, person: httpx.Client, document_id: str) -> str:
    ticket = person.post(f"/api/v1/documents/{document_id}/tickets").json()["ticket"]
    return f"ws://{urlsplit(server.url).netloc}/api/v1/documents/{document_id}?ticket={ticket}"


def _close_code(document: "connect") -> int | None:  # type: ignore[valid-type]
    try:
        while True:
            document.recv(timeout=PATIENCE_S)  # type: ignore[attr-defined]
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None
