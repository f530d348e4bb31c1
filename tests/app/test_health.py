"""What the operator's tools ask: is it alive, can it work, how much does it do."""

from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.databases import PostgresDatabases
from tests.ocp import Server, register, serving
from tests.servers import running_postgres


def test_a_server_that_lives_says_ok(person: httpx.Client) -> None:
    assert person.get("/health").json() == {"status": "ok"}


def test_a_server_that_can_work_says_ready(person: httpx.Client) -> None:
    assert person.get("/ready").json() == {"status": "ready", "failing": {}, "impaired": {}}


async def test_a_server_whose_database_is_gone_is_not_ready_and_says_so(tmp_path: Path) -> None:
    with ExitStack() as hours:
        postgres = hours.enter_context(running_postgres())
        settings = {"OCP_DATABASE_URL": await PostgresDatabases(postgres).empty()}
        with serving(tmp_path / "data", settings=settings) as server, server.client() as person:
            assert person.get("/ready").status_code == 200
            hours.close()
            answer = person.get("/ready")
            assert answer.status_code == 503
            assert "database" in answer.json()["failing"]
            assert person.get("/health").status_code == 200
            refused = person.post("/api/v1/auth/login", json={"email": "a@example.org", "password": "a" * 12})
            assert refused.status_code == 503
            assert refused.headers["content-type"] == "application/problem+json"


def test_a_server_for_runs_that_is_away_is_named_and_keeps_nobody_from_working(tmp_path: Path) -> None:
    settings = {"OCP_PISTON_SERVERS": "http://127.0.0.1:1"}
    with serving(tmp_path / "data", settings=settings) as server, server.client() as person:
        register(person)
        person.get("/api/v2/runtimes").raise_for_status()  # by then it was looked at
        answer = person.get("/ready")
        assert answer.status_code == 200
        assert answer.json()["failing"] == {}
        assert "cannot be reached" in answer.json()["impaired"]["runs on 127.0.0.1:1"]


def test_the_metrics_cover_what_an_operator_asks_for(person: httpx.Client) -> None:
    text = person.get("/metrics").text
    for name in (
        "opencode_http_requests_total",
        "opencode_http_errors_total",
        "opencode_http_response_seconds_bucket",
        "opencode_interviews_active",
        "opencode_sockets_connected",
        "opencode_update_log_commit_seconds_bucket",
        "opencode_relay_lag_seconds_bucket",
        "opencode_runs_total",
    ):
        assert f"# TYPE {name.removesuffix('_bucket')} " in text, name
    families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")]
    assert len(families) == len(set(families))


def test_a_request_is_counted_under_its_route_and_not_under_its_address(person: httpx.Client) -> None:
    person.get("/api/v1/interviews/int_01J9ABCDEF")
    text = person.get("/metrics").text
    assert 'route="/api/v1/interviews/{interview_id}"' in text
    assert "int_01J9ABCDEF" not in text


def test_live_interviews_and_open_event_streams_are_counted(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, server.client() as person:
        register(person)
        interview = person.post("/api/v1/interviews", json={"title": "First"}).json()
        person.post(f"/api/v1/interviews/{interview['id']}/start")
        with person.stream("GET", f"/api/v1/interviews/{interview['id']}/events") as events:
            lines = events.iter_lines()
            assert next(lines) == ": welcome"
            text = httpx.get(f"{server.url}/metrics").text
            assert "opencode_event_streams_open 1.0" in text
            assert "opencode_interviews_active 1.0" in text


def test_logs_carry_the_id_of_the_request_and_no_secret(server: Server, person: httpx.Client) -> None:
    person.post("/api/v1/auth/login", json={"email": "eve@example.org", "password": "not the password"})
    written = server.log.read_text()
    assert "not the password" not in written
    assert "eve@example.org" not in written
