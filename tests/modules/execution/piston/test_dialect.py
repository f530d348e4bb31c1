"""What does not depend on the job: addresses, methods, content types, bodies, and who may call."""

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from opencode.contracts.identity import CredentialsRevoked
from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.execution import policy
from opencode.modules.execution.policy import FRESH_S
from opencode.modules.execution.reactions import forget_revoked_person
from opencode.modules.execution.settings import ExecutionSettings, PistonSettings
from tests.http import ORIGIN, client_of

from .kit import BOTH_PREFIXES, World, job, piston_world, printed

JSON = "application/json"
WRONG_TYPE = {"message": "requests must be of type application/json"}
RUN = json.dumps(job("out hello"))
NO_LANGUAGE = "language is required as a string"

# A sentence, the method, the path below the prefix, the content type, the body, the status and the message.
CASES: list[tuple[str, str, str, str | None, str | bytes, int, str | None]] = [
    ("the API says its name", "GET", "", None, "", 200, "Piston v3.1.1"),
    ("a slash at the end changes nothing", "GET", "/", None, "", 200, "Piston v3.1.1"),
    ("an address that nobody knows", "GET", "/jobs", None, "", 404, "Not Found"),
    ("an address that only begins like one", "GET", "/runtimes2", None, "", 404, "Not Found"),
    ("an address below one", "GET", "/runtimes/python", None, "", 404, "Not Found"),
    ("reading what can only be done", "GET", "/execute", None, "", 404, "Not Found"),
    ("doing what can only be read", "POST", "/runtimes", JSON, "{}", 404, "Not Found"),
    ("a method that nobody knows here", "PUT", "/execute", JSON, RUN, 404, "Not Found"),
    ("deleting the API", "DELETE", "", JSON, "", 404, "Not Found"),
    ("a form", "POST", "/execute", "application/x-www-form-urlencoded", "language=python", 415, None),
    ("no content type", "POST", "/execute", None, RUN, 415, None),
    ("plain text", "POST", "/execute", "text/plain", RUN, 415, None),
    ("the content type counts before the address", "POST", "/jobs", "text/plain", RUN, 415, None),
    ("the content type counts for all that change", "DELETE", "/packages", "text/plain", "{}", 415, None),
    ("a character set may be named", "POST", "/execute", f"{JSON}; charset=utf-8", "{}", 400, NO_LANGUAGE),
    ("an empty body is an empty object", "POST", "/execute", JSON, "", 400, NO_LANGUAGE),
    ("half an object", "POST", "/execute", JSON, '{"language": "py', 400, None),
    ("no JSON at all", "POST", "/execute", JSON, "language=python", 400, None),
    ("bytes that are no text", "POST", "/execute", JSON, b'{"language": "\xff"}', 400, None),
    ("half a surrogate pair", "POST", "/execute", JSON, '{"language": "\\ud800"}', 400, None),
    ("a number that is too large for any machine", "POST", "/execute", JSON, '{"run_timeout": 1e999}', 400, None),
    ("brackets without end", "POST", "/execute", JSON, "[" * 100_000, 400, None),
]  # fmt: skip


@pytest.mark.parametrize("prefix", BOTH_PREFIXES)
@pytest.mark.parametrize(
    ("method", "path", "content_type", "body", "status", "message"),
    [pytest.param(*case[1:], id=case[0]) for case in CASES],
)
async def test_requests_are_answered_in_the_dialect(
    open_world: World,
    prefix: str,
    method: str,
    path: str,
    content_type: str | None,
    body: str | bytes,
    status: int,
    message: str | None,
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    response = await open_world.client.request(method, prefix + path, content=body, headers=headers)
    assert response.status_code == status
    answer = response.json()
    assert "stack" not in answer
    assert "Traceback" not in response.text
    assert isinstance(answer["message"], str)
    if status == 415:
        assert answer == WRONG_TYPE
    elif message:
        assert answer["message"] == message


async def test_a_body_above_the_limit_is_refused_before_it_is_read(open_world: World) -> None:
    content = json.dumps(job("out hello", stdin="x" * 2_100_000))
    response = await open_world.client.post("/api/v2/execute", content=content, headers={"content-type": JSON})
    assert response.status_code == 413
    assert response.json() == {"message": "The body of the request has more than 2097152 bytes. Send less."}


async def test_a_body_that_does_not_say_how_long_it_is_has_the_same_limit(open_world: World) -> None:
    async def endless() -> AsyncGenerator[bytes]:
        while True:
            yield b" " * 65_536

    response = await open_world.client.post("/api/v2/execute", content=endless(), headers={"content-type": JSON})
    assert response.status_code == 413


async def test_a_body_that_does_not_come_is_given_up(socket_world: World) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", socket_world.port)
    writer.write(
        b"POST /api/v2/execute HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
    )
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
    assert b"408" in head.splitlines()[0]
    writer.close()


async def test_a_body_in_many_pieces_is_one(open_world: World) -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        for letter in RUN:
            yield letter.encode()

    response = await open_world.client.post("/api/v2/execute", content=pieces(), headers={"content-type": JSON})
    assert response.json()["run"] == printed("hello\n")


async def test_a_question_of_what_is_allowed_is_answered(open_world: World) -> None:
    response = await open_world.client.options("/api/v2/execute")
    assert (response.status_code, response.headers["allow"]) == (200, "POST")


async def test_the_head_of_an_answer_may_be_asked_for(open_world: World) -> None:
    assert (await open_world.client.head("/api/v2/runtimes")).status_code == 200


@pytest.mark.parametrize("prefix", BOTH_PREFIXES)
async def test_runtimes_are_one_for_each_language_and_version(open_world: World, prefix: str) -> None:
    response = await open_world.client.get(f"{prefix}/runtimes")
    assert response.status_code == 200
    assert response.json() == [
        {"language": "c", "version": "12.2.0", "aliases": ["gcc"], "runtime": "gcc"},
        {"language": "javascript", "version": "20.9.0", "aliases": ["js", "node"]},
        {"language": "javascript", "version": "18.20.4", "aliases": ["js", "node"]},
        {"language": "python", "version": "3.11.2", "aliases": ["py", "python3"]},
        {"language": "python", "version": "3.12.1", "aliases": ["py", "python3"]},
        {"language": "python", "version": "2.7.18", "aliases": ["py", "python3"]},
    ]


class TestWhoMayCall:
    async def test_anybody_may_ask_for_the_name(self, world: World) -> None:
        assert (await world.client.get("/api/v2")).status_code == 200

    @pytest.mark.parametrize(("method", "path"), [("GET", "/runtimes"), ("GET", "/packages"), ("POST", "/execute")])
    async def test_nobody_may_do_anything_else_without_a_token(self, world: World, method: str, path: str) -> None:
        response = await world.client.request(method, f"/api/v2{path}", json=job("out a"))
        assert response.status_code == 401
        assert response.json() == {"message": "This needs you to be signed in. Sign in, then try again."}
        assert world.runner.requests == []

    async def test_a_wrong_token_is_refused(self, world: World) -> None:
        response = await world.client.get("/api/v2/runtimes", headers={"authorization": "Bearer wrong"})
        assert response.status_code == 401
        assert set(response.json()) == {"message"}

    async def test_a_token_without_the_scope_is_refused(self, world: World) -> None:
        token = world.identity.narrowed(world.token, frozenset())
        async with client_of(world.app, bearer=token) as client:
            response = await client.post("/api/v2/execute", json=job("out a"))
        assert response.status_code == 403
        assert "runs:create" in response.json()["message"]

    async def test_a_token_with_the_scope_runs_programs(self, world: World) -> None:
        token = world.token
        async with client_of(world.app, bearer=token) as client:
            response = await client.post("/api/v2/piston/execute", json=job("out a"))
            assert (await client.get("/api/v2/runtimes")).status_code == 200
        assert response.json()["run"] == printed("a\n")
        assert world.runner.requests[0].owner == world.identity.who(token).id

    async def test_a_session_runs_programs_from_our_own_pages_only(self, world: World) -> None:
        cookie = {"cookie": f"theme=dark; ocp_session={world.identity.add_session(world.token)}"}
        from_here = {**cookie, "origin": ORIGIN}
        from_elsewhere = {**cookie, "origin": "https://elsewhere.example"}
        assert (await world.client.post("/api/v2/execute", json=job(), headers=from_here)).status_code == 200
        for headers in (cookie, from_elsewhere):
            response = await world.client.post("/api/v2/execute", json=job(), headers=headers)
            assert response.status_code == 403
            assert set(response.json()) == {"message"}

    async def test_who_may_not_call_is_refused_before_the_body_is_looked_at(self, world: World) -> None:
        response = await world.client.post("/api/v2/execute", content=b"{", headers={"content-type": JSON})
        assert response.status_code == 401

    async def test_an_open_server_asks_for_nothing_and_looks_at_nothing(self, open_world: World) -> None:
        headers = {"authorization": "Bearer wrong"}
        response = await open_world.client.post("/api/v2/execute", json=job("out a"), headers=headers)
        assert response.json()["run"] == printed("a\n")
        assert open_world.runner.requests[0].owner == "address:203.0.113.7"


class TestWhoeverWasLetIn:
    async def test_a_token_is_looked_up_once_in_two_seconds(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        times = iter([0.0] * 4 + [FRESH_S] * 4)
        monkeypatch.setattr(world.piston.door, "now", lambda: next(times, FRESH_S))
        token = world.token
        async with client_of(world.app, bearer=token) as client:
            assert (await client.get("/api/v2/runtimes")).status_code == 200
            await world.identity.dismiss_guest(world.identity.who(token).id)
            assert (await client.get("/api/v2/runtimes")).status_code == 200
            times = iter(())
            assert (await client.get("/api/v2/runtimes")).status_code == 401

    async def test_a_token_that_is_revoked_runs_nothing_any_more(self, world: World) -> None:
        token = world.token
        who = world.identity.who(token).id
        async with client_of(world.app, bearer=token) as client:
            assert (await client.post("/api/v2/execute", json=job())).status_code == 200
            await world.identity.dismiss_guest(who)
            event = CredentialsRevoked(principal_id=who, revoked_at=world.clock.now())
            await forget_revoked_person(event, world.piston.door)
            assert (await client.post("/api/v2/execute", json=job())).status_code == 401

    async def test_however_many_tokens_are_shown_few_are_remembered(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(policy, "MOST_KNOWN", 3)
        for _ in range(10):
            async with client_of(world.app, bearer=world.token) as client:
                assert (await client.get("/api/v2/runtimes")).status_code == 200
        assert len(world.piston.door._known) <= 3


class TestHowOften:
    async def test_an_open_server_gives_each_address_so_many_runs_a_minute(
        self, parts: Parts, clock: ManualClock
    ) -> None:
        settings = PistonSettings(piston_open=True, piston_open_runs_per_minute=2)
        async with piston_world(parts, clock, settings) as world:
            statuses = [(await world.execute(job())).status_code for _ in range(3)]
            assert statuses == [200, 200, 429]
            response = await world.execute(job())
            assert 1 <= int(response.headers["retry-after"]) <= 60
            assert set(response.json()) == {"message"}
            assert (await world.client.get("/api/v2/runtimes")).status_code == 200
            async with client_of(world.app, address="198.51.100.1") as neighbour:
                assert (await neighbour.post("/api/v2/execute", json=job())).status_code == 200
            clock.advance(seconds=61)
            assert (await world.execute(job())).status_code == 200


class TestWhatTheOperatorSays:
    async def test_defaults_and_ceilings_are_settings(self, parts: Parts, clock: ManualClock) -> None:
        piston = PistonSettings(piston_open=True, piston_run_timeout_ms=700, piston_output_bytes=1024)
        execution = ExecutionSettings(run_wall_time_ms=900, run_cpu_time_ms=800)
        async with piston_world(parts, clock, piston, execution) as world:
            assert (await world.execute(job())).status_code == 200
            refused = await world.execute(job(run_timeout=901))
        limits = world.runner.requests[0].limits
        # The default of the processor time is 3000, but nobody gets more than the ceiling.
        assert (limits.wall_time_ms, limits.cpu_time_ms, limits.output_bytes) == (700, 800, 1024)
        assert world.runner.requests[0].compile_limits.output_bytes == 1024
        assert refused.json()["message"] == "run_timeout cannot exceed the configured limit of 900"

    async def test_output_is_never_more_than_all_runs_may_print(self, parts: Parts, clock: ManualClock) -> None:
        piston = PistonSettings(piston_open=True, piston_output_bytes=10**9)
        async with piston_world(parts, clock, piston) as world:
            await world.execute(job())
        assert world.runner.requests[0].limits.output_bytes == ExecutionSettings().run_output_bytes
