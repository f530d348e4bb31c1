"""Runs of the API, as people see them."""

import base64

import pytest

from opencode.modules.execution.settings import ExecutionSettings

from .conftest import Json, World, accepted, finished, outcome, program, state_of

NOWHERE = "run_00000000000000000000000000"


async def test_a_run_is_accepted_at_once_and_finishes_with_all_that_it_printed(world: World) -> None:
    grace = world.person()
    answer = await grace.post("/api/v1/runs", program("out hello\nerr oh\ncat\nargs\nexit 3", stdin="in", args=["-v"]))
    assert answer.status_code == 202
    queued = answer.json()
    assert answer.headers["location"] == f"/api/v1/runs/{queued['id']}"
    assert (queued["state"], queued["status"], queued["stdout"]) == ("queued", None, "")
    done = await finished(grace, queued["id"])
    assert (done["stdout"], done["stderr"], done["stdout_base64"]) == ("hello\nin-v", "oh\n", None)
    assert (done["status"], done["exit_code"], done["signal"], done["stage"]) == ("error", 3, None, "run")
    assert (done["cpu_time_ms"], done["wall_time_ms"], done["memory_bytes"]) == (3, 5, 3_000_000_000)
    assert (done["attempt"], done["position"], done["compile"], done["tests"]) == (1, None, None, None)
    assert done["started_at"]
    assert done["finished_at"]


async def test_bytes_that_are_no_text_come_as_base64_too(world: World) -> None:
    done = await outcome(world.person(), "bytes 61ff00\nerr fine")
    assert done["stdout"] == "a\ufffd\x00"
    assert base64.b64decode(done["stdout_base64"]) == b"a\xff\x00"
    assert done["stderr_base64"] is None


async def test_files_arrive_in_each_encoding_under_their_names(world: World) -> None:
    files = [
        {"content": base64.b64encode(b"out one").decode(), "encoding": "base64"},
        {"name": "data/raw.bin", "content": "00ff", "encoding": "hex"},
        {"name": "größe.txt", "content": "ü"},
    ]
    grace = world.person()
    body: Json = {"language": "py", "version": "1.x", "files": files, "limits": {"wall_time_ms": 100}}
    await finished(grace, (await accepted(grace, body))["id"])
    request = world.runner.requests[-1]
    assert (request.language, request.version, request.limits.wall_time_ms) == ("python", "1.x", 100)
    assert [(file.name, file.content) for file in request.files] == [
        ("main.py", b"out one"),
        ("data/raw.bin", b"\x00\xff"),
        ("größe.txt", "ü".encode()),
    ]


async def test_who_waits_is_told_how_many_come_first_and_turns_go_round_among_owners(world: World) -> None:
    grace, alan = world.person("Grace"), world.person("Alan")
    for name in ("one", "two"):
        await accepted(grace, program(f"wait {name}"))
        await world.runner.reached(name)
    waiting = [await accepted(grace, program(f"wait {name}")) for name in ("three", "four")]
    modest = await accepted(alan, program("out alan"))
    assert [(await state_of(grace, run["id"]))["position"] for run in waiting] == [0, 2]
    assert (await state_of(alan, modest["id"]))["position"] == 1
    for name in ("one", "two", "three", "four"):
        world.runner.say(name)
    for run in waiting:
        assert (await finished(grace, run["id"]))["status"] == "ok"


async def test_a_run_that_runs_is_stopped_and_keeps_what_it_printed(world: World) -> None:
    grace = world.person()
    run = await accepted(grace, program("out before\nwait for-ever"))
    await world.runner.reached("for-ever")
    assert (await state_of(grace, run["id"]))["state"] == "running"
    answer = await grace.post(f"/api/v1/runs/{run['id']}/stop")
    assert answer.status_code == 202
    done = await finished(grace, run["id"])
    assert (done["status"], done["stdout"]) == ("stopped", "before\n")
    assert (await grace.post(f"/api/v1/runs/{run['id']}/stop")).json() == done


async def test_a_run_that_waits_is_stopped_and_never_begins(world: World) -> None:
    grace = world.person()
    for name in ("one", "two"):
        await accepted(grace, program(f"wait {name}"))
        await world.runner.reached(name)
    run = await accepted(grace, program("out never"))
    stopped = (await grace.post(f"/api/v1/runs/{run['id']}/stop")).json()
    assert (stopped["state"], stopped["status"], stopped["attempt"]) == ("finished", "stopped", 0)
    world.runner.say("one")
    world.runner.say("two")
    await outcome(grace, "out after")
    assert not any(b"never" in request.files[0].content for request in world.runner.requests)


async def test_a_wish_to_stop_that_nobody_heard_is_read_with_the_next_heartbeat(world: World) -> None:
    grace = world.person()
    run = await accepted(grace, program("wait for-ever"))
    await world.runner.reached("for-ever")
    await world.parts.pubsub.close()
    await grace.post(f"/api/v1/runs/{run['id']}/stop")
    assert (await state_of(grace, run["id"]))["state"] == "running"
    await world.job("keep queued runs")
    assert (await finished(grace, run["id"]))["status"] == "stopped"


async def test_ones_own_runs_are_listed_newest_first_in_pages(world: World) -> None:
    grace, alan = world.person("Grace"), world.person("Alan")
    ids: list[str] = []
    for number in range(5):
        world.clock.advance(1)
        ids.insert(0, (await outcome(grace, f"out {number}"))["id"])
    await outcome(alan, "out other")
    listed: list[Json] = []
    cursor = None
    while not listed or cursor:
        page = (await grace.get("/api/v1/runs", limit=2, **({"cursor": cursor} if cursor else {}))).json()
        listed += page["items"]
        cursor = page["next_cursor"]
    assert [run["id"] for run in listed] == ids
    assert {run["status"] for run in listed} == {"ok"}
    assert "stdout" not in listed[0]


async def test_a_finished_run_can_be_deleted_and_one_under_way_cannot(world: World) -> None:
    grace = world.person()
    run = await accepted(grace, program("wait go"))
    await world.runner.reached("go")
    answer = await grace.call("DELETE", f"/api/v1/runs/{run['id']}")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "run-under-way")
    world.runner.say("go")
    await finished(grace, run["id"])
    assert (await grace.call("DELETE", f"/api/v1/runs/{run['id']}")).status_code == 204
    assert (await grace.get(f"/api/v1/runs/{run['id']}")).status_code == 404
    assert (await grace.call("DELETE", f"/api/v1/runs/{run['id']}")).status_code == 404


async def test_somebody_elses_run_reads_like_none(world: World) -> None:
    grace, alan = world.person("Grace"), world.person("Alan")
    run = await outcome(grace, "out mine")
    calls = (("GET", ""), ("POST", "/stop"), ("DELETE", ""), ("GET", "/events"))
    for method, rest in calls:
        there = await alan.call(method, f"/api/v1/runs/{run['id']}{rest}")
        nowhere = await alan.call(method, f"/api/v1/runs/{NOWHERE}{rest}")
        odd = await alan.call(method, f"/api/v1/runs/run_%00{rest}")
        assert (there.status_code, nowhere.status_code, odd.status_code) == (404, 404, 404)
        for answer, run_id in ((there, run["id"]), (nowhere, NOWHERE)):
            assert answer.json()["detail"] == f"There is no run {run_id} that you may see."


async def test_nobody_runs_without_signing_in_or_without_the_permission(world: World) -> None:
    run = await outcome(world.person(), "out mine")
    for method, path in (
        ("POST", "/api/v1/runs"),
        ("GET", "/api/v1/runs"),
        ("GET", f"/api/v1/runs/{run['id']}"),
        ("POST", f"/api/v1/runs/{run['id']}/stop"),
        ("GET", f"/api/v1/runs/{run['id']}/events"),
        ("DELETE", f"/api/v1/runs/{run['id']}"),
    ):
        body = program("out hi") if path.endswith("runs") and method == "POST" else None
        assert (await world.nobody().call(method, path, json=body)).status_code == 401, path
    member = world.person("Max", "account:manage")
    assert (await member.post("/api/v1/runs", program("out hi"))).status_code == 403
    assert (await member.get("/api/v1/runs")).status_code == 403


async def test_the_same_request_with_the_same_key_runs_once(world: World) -> None:
    grace, alan = world.person("Grace"), world.person("Alan")
    first = await accepted(grace, program("out once"), **{"Idempotency-Key": "k1"})
    again = await accepted(grace, program("out once"), **{"Idempotency-Key": "k1"})
    assert again["id"] == first["id"]
    other = await grace.post("/api/v1/runs", program("out twice"), **{"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["type"].rpartition("/")[2]) == (409, "run-key-reused")
    assert (await accepted(alan, program("out once"), **{"Idempotency-Key": "k1"}))["id"] != first["id"]
    await finished(grace, first["id"])
    assert len((await grace.get("/api/v1/runs")).json()["items"]) == 1


async def test_keys_are_forgotten_after_a_day(world: World) -> None:
    grace = world.person()
    first = await accepted(grace, program("out once"), **{"Idempotency-Key": "k1"})
    await finished(grace, first["id"])
    world.clock.advance(24 * 3600 + 1)
    await world.job("forget old runs")
    assert (await accepted(grace, program("out once"), **{"Idempotency-Key": "k1"}))["id"] != first["id"]


async def test_finished_runs_are_deleted_after_the_days_they_are_kept_and_others_are_not(world: World) -> None:
    grace = world.person()
    old = await outcome(grace, "out old")
    waits = await accepted(grace, program("wait go"))
    await world.runner.reached("go")
    world.clock.advance(30 * 86_400 + 1)
    young = await outcome(grace, "out young")
    await world.job("forget old runs")
    assert (await grace.get(f"/api/v1/runs/{old['id']}")).status_code == 404
    assert (await state_of(grace, waits["id"]))["state"] == "running"
    assert (await state_of(grace, young["id"]))["stdout"] == "young\n"


class TestASmallQueue:
    @pytest.fixture
    def settings(self) -> ExecutionSettings:
        return ExecutionSettings(concurrency=1, queued_runs=3, queued_runs_of_one=2)

    async def test_the_queue_has_an_end_for_one_and_for_all(self, world: World) -> None:
        grace, alan = world.person("Grace"), world.person("Alan")
        for _ in range(2):
            await accepted(grace, program("wait go"))
        refused = await grace.post("/api/v1/runs", program("out hi"))
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (429, "queue-full")
        assert int(refused.headers["retry-after"]) > 0
        await accepted(alan, program("wait go"))
        assert (await alan.post("/api/v1/runs", program("out hi"))).status_code == 429
        world.runner.say("go")
