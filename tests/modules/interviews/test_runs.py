"""Runs of the shared text, as people see them."""

import asyncio
import time
from typing import Any

from opencode.contracts.execution import Verdict
from opencode.modules.interviews.module import build
from opencode.modules.interviews.settings import InterviewsSettings
from tests.modules.interviews.conftest import Json, Person, Room, World, create
from tests.modules.interviews.streams import PATIENCE_S, serving, watching


async def finished(person: Person, run_id: str) -> Json:
    """The run, once it is finished."""
    gives_up_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < gives_up_at:
        run = (await person.get(f"/api/v1/runs/{run_id}")).json()
        if run["state"] == "finished":
            return run
        await asyncio.sleep(0)
    raise AssertionError("the run did not finish")


async def run(room: Room, source: str, who: Person | None = None, **body: Any) -> Json:
    """Start a run of this source; the answer to the request."""
    room.world.documents.put(room.document_id, body.get("language", "python"), source)
    answer = await (who or room.candidate).post(f"{room.path}/runs", body)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_a_run_is_accepted_at_once_and_finishes_with_all_that_was_printed(room: Room) -> None:
    queued = await run(room, "out hello\nerr oh\nout again\nexit 3", stdin="in", args=["-v"])
    assert (queued["state"], queued["status"], queued["stdout"]) == ("queued", None, "")
    done = await finished(room.interviewer, queued["id"])
    assert done["id"].startswith("run_")
    assert (done["stdout"], done["stderr"]) == ("hello\nagain\n", "oh\n")
    assert (done["exit_code"], done["signal"], done["status"]) == (3, None, "error")
    assert (done["stdin"], done["args"], done["stage"], done["truncated"]) == ("in", ["-v"], "run", False)
    assert (done["cpu_time_ms"], done["wall_time_ms"], done["memory_bytes"]) == (3, 5, 3_000_000_000)
    assert done["message"]
    assert done["requested_by"] == {"id": room.candidate.id, "name": "Ada"}
    assert done["language"] == "python"
    assert done["started_at"]
    assert done["finished_at"]


async def test_what_runs_is_the_text_on_the_server_in_the_language_asked_for(room: Room) -> None:
    room.world.documents.put(room.document_id, "javascript", "out from javascript")
    queued = (await room.interviewer.post(f"{room.path}/runs", {"language": "js"})).json()
    assert (await finished(room.interviewer, queued["id"]))["stdout"] == "from javascript\n"
    request = room.world.runner.requests[-1]
    assert (request.language, request.files[0].name, request.run_id) == ("javascript", "main.js", queued["id"])
    answer = await room.candidate.post(f"{room.path}/runs", {"source": "out mine"})
    assert answer.status_code == 400


async def test_standard_input_and_arguments_reach_the_program(room: Room) -> None:
    queued = await run(room, "cat\nargs", stdin="größe\x00", args=["a", "b c"])
    done = await finished(room.candidate, queued["id"])
    assert done["stdout"] == "größe\x00a b c"
    assert done["stdin"] == "größe\x00"


async def test_bytes_that_are_no_text_are_replaced_not_lost(room: Room) -> None:
    queued = await run(room, "bytes e282\nbytes ac\nbytes ff\nbytes 00\nbytes e2")
    assert (await finished(room.candidate, queued["id"]))["stdout"] == "€\ufffd\x00\ufffd"


async def test_two_runs_at_once_and_no_third(room: Room) -> None:
    first = await run(room, "wait go")
    second = await run(room, "wait go")
    answer = await room.candidate.post(f"{room.path}/runs", {})
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("/too-many-runs")
    room.world.runner.say("go")
    for queued in (first, second):
        assert (await finished(room.candidate, queued["id"]))["status"] == "ok"
    assert (await room.candidate.post(f"{room.path}/runs", {})).status_code == 202


async def test_of_many_that_start_the_same_moment_only_so_many_run(room: Room) -> None:
    room.world.documents.put(room.document_id, "python", "wait go")
    answers = await asyncio.gather(*(room.candidate.post(f"{room.path}/runs", {}) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [202] * 2 + [409] * 4
    room.world.runner.say("go")


async def test_a_run_can_be_stopped(room: Room) -> None:
    queued = await run(room, "out before\nwait never\nout after")
    await room.world.runner.reached("never")
    answer = await room.interviewer.post(f"/api/v1/runs/{queued['id']}/stop")
    assert answer.status_code == 202
    done = await finished(room.candidate, queued["id"])
    assert (done["status"], done["stdout"]) == ("stopped", "before\n")
    assert (await room.interviewer.post(f"/api/v1/runs/{queued['id']}/stop")).json()["status"] == "stopped"


async def test_a_run_that_is_stopped_before_the_engine_has_it_never_starts(room: Room) -> None:
    queued = await run(room, "out x\nwait never")
    await room.interviewer.post(f"/api/v1/runs/{queued['id']}/stop")
    assert (await finished(room.candidate, queued["id"]))["status"] == "stopped"


async def test_the_end_of_the_interview_stops_its_runs_and_keeps_what_they_printed(room: Room) -> None:
    queued = await run(room, "out before\nwait never")
    async with serving(room.world.app) as base, watching(base, room.interview["id"], room.interviewer.token) as stream:
        await stream.until("run.output")
        await room.interviewer.post(f"{room.path}/end")
        heard = [event["type"] for event in await stream.rest()]
    assert heard == ["run.finished", "interview.ended"]
    done = (await room.interviewer.get(f"/api/v1/runs/{queued['id']}")).json()
    assert (done["state"], done["status"], done["stdout"]) == ("finished", "stopped", "before\n")
    assert done["message"] == "Stopped: the interview ended."


async def test_what_the_compiler_took_and_said_is_kept_apart_from_the_program(room: Room) -> None:
    queued = await run(room, "compile main.c:1: warning\nout 42")
    done = await finished(room.candidate, queued["id"])
    assert done["compile"] == {
        "cpu_time_ms": 40,
        "wall_time_ms": 50,
        "memory_bytes": 7_000_000,
        "cached": False,
        "stdout": "",
        "stderr": "main.c:1: warning\n",
    }
    assert (done["stage"], done["stdout"], done["stderr"], done["wall_time_ms"]) == ("run", "42\n", "", 5)
    export = (await room.interviewer.get(f"{room.path}/export")).json()
    exported = next(iter(export["executions"].values()))["results"][0]
    assert (exported["compile"], exported["output"]) == (done["compile"], "42\n")


async def test_a_program_that_does_not_compile_has_no_run_stage(room: Room) -> None:
    done = await finished(room.candidate, (await run(room, "error main.c:1: expected ;"))["id"])
    assert (done["status"], done["stage"], done["compile"]) == ("compile_error", "compile", None)
    assert (done["stderr"], done["terminal"]) == ("main.c:1: expected ;\n", None)


async def test_the_stream_tells_stages_as_they_begin_and_output_of_which_it_is(room: Room) -> None:
    async with serving(room.world.app) as base, watching(base, room.interview["id"], room.candidate.token) as stream:
        await stream.until("participant.admitted")
        await run(room, "compile warning\nwait go\nout 42")
        compiling = await stream.until("run.output")
        room.world.runner.say("go")
        running = await stream.until("run.finished")
    stages = [event for event in compiling + running if event["type"] == "run.stage"]
    assert [stage["stage"] for stage in stages] == ["compile", "run"]
    assert stages[0]["compile"] is None
    assert stages[1]["compile"]["wall_time_ms"] == 50
    output = [(event["stage"], event["text"]) for event in compiling + running if event["type"] == "run.output"]
    assert output == [("compile", "warning\n"), ("run", "42\n")]
    assert running[-1]["run"]["compile"] == stages[1]["compile"]


async def test_what_was_printed_before_a_lost_server_is_kept_by_stage(room: Room) -> None:
    queued = await run(room, "compile warning\nout before\nwait never")
    async with serving(room.world.app) as base, watching(base, room.interview["id"], room.interviewer.token) as stream:
        while (await stream.until("run.output"))[-1]["text"] != "before\n":
            pass
        await room.interviewer.post(f"{room.path}/end")
    done = (await room.interviewer.get(f"/api/v1/runs/{queued['id']}")).json()
    assert (done["stdout"], done["stderr"], done["compile"]["stderr"]) == ("before\n", "", "warning\n")


async def test_a_place_in_the_queue_is_told_to_those_who_listen_and_not_stored(room: Room) -> None:
    async with serving(room.world.app) as base:
        async with watching(base, room.interview["id"], room.candidate.token) as stream:
            await stream.until("participant.admitted")
            queued = await run(room, "ahead 2\nwait turn\nout hello")
            place = (await stream.until("run.queued"))[-1]
            room.world.runner.say("turn")
            await stream.until("run.finished")
        async with watching(base, room.interview["id"], room.candidate.token, after=0) as again:
            replayed = await again.until("run.finished")
    assert (place["run_id"], place["ahead"]) == (queued["id"], 2)
    assert stream.ids == again.ids
    assert "run.queued" not in [event["type"] for event in replayed]


async def test_a_sandbox_is_made_ready_when_somebody_is_about_to_run(world: World) -> None:
    host = world.interviewer()
    interview = await create(host)
    expected = world.runner.expected
    assert expected == []
    await host.post(f"/api/v1/interviews/{interview['id']}/start")
    assert expected == ["python"]
    await host.patch(f"/api/v1/interviews/{interview['id']}", {"language": "js"})
    assert expected == ["python", "javascript"]
    assert host.principal
    await world.module.gate.enter(host.principal, interview["id"])
    assert expected == ["python", "javascript", "javascript"]


async def test_what_the_engine_refuses_is_said_in_the_run(room: Room) -> None:
    for kind, words in (("busy", "queue"), ("sandbox", "sandbox"), ("refused", "too large")):
        done = await finished(room.candidate, (await run(room, f"refuse {kind}"))["id"])
        assert done["status"] == "sandbox_fault"
        assert words in done["message"]


async def test_a_fault_of_the_engine_is_not_the_programs(room: Room) -> None:
    done = await finished(room.candidate, (await run(room, "out x\nbreak"))["id"])
    assert (done["status"], done["stdout"]) == ("sandbox_fault", "x\n")
    assert "RuntimeError" not in done["message"]


async def test_a_language_that_is_not_installed_is_refused_before_anything_starts(room: Room) -> None:
    answer = await room.candidate.post(f"{room.path}/runs", {"language": "haskell"})
    assert answer.status_code == 404
    assert "not installed" in answer.json()["detail"]
    answer = await room.candidate.post(f"{room.path}/runs", {"language": "haskel"})
    assert answer.status_code == 400
    assert (await room.candidate.get(f"{room.path}/runs")).json()["items"] == []


async def test_runs_are_listed_newest_first_in_pages(room: Room) -> None:
    made: list[str] = []
    for _ in range(3):
        queued = await run(room, "out x")
        await finished(room.candidate, queued["id"])
        made.insert(0, queued["id"])
        room.world.clock.advance(1)
    first = (await room.candidate.get(f"{room.path}/runs", limit=2)).json()
    rest = (await room.candidate.get(f"{room.path}/runs", cursor=first["next_cursor"])).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == made


async def test_the_same_key_runs_once(room: Room) -> None:
    path, key = f"{room.path}/runs", {"Idempotency-Key": "k"}
    first, second = await asyncio.gather(*(room.candidate.call("POST", path, json={}, headers=key) for _ in range(2)))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    other = await room.candidate.call("POST", path, json={"stdin": "x"}, headers=key)
    assert other.status_code == 409
    assert len((await room.candidate.get(path)).json()["items"]) == 1


async def test_a_run_under_way_when_the_server_dies_is_finished_by_the_next_one(room: Room) -> None:
    world = room.world
    queued = await run(room, "out before\nwait never")
    async with serving(world.app) as base, watching(base, room.interview["id"], room.interviewer.token) as stream:
        await stream.until("run.output")
        world.clock.advance(21)
        # Another server finds the run silent for too long; this one is as good as dead, for it tells nothing.
        parts, settings = world.parts, InterviewsSettings()
        neighbours: Any = world.neighbours
        other = build(parts, settings, **neighbours)
        assert other.plug.start
        assert other.plug.stop
        await other.plug.start()
        event = (await stream.until("run.finished"))[-1]
        await other.plug.stop()
    assert event["run"]["status"] == Verdict.SANDBOX_FAULT
    done = (await room.interviewer.get(f"/api/v1/runs/{queued['id']}")).json()
    assert (done["message"], done["stdout"]) == ("The server restarted while this ran.", "before\n")
    # The first server was not dead after all; the verdict stays.
    world.runner.say("never")
    assert (await finished(room.candidate, queued["id"]))["status"] == "sandbox_fault"


async def test_a_server_that_goes_down_finishes_its_runs_first(room: Room) -> None:
    queued = await run(room, "out before\nwait never")
    await room.world.runner.reached("never")
    assert room.world.module.plug.stop
    await room.world.module.plug.stop()
    done = (await room.interviewer.get(f"/api/v1/runs/{queued['id']}")).json()
    assert (done["status"], done["message"]) == ("sandbox_fault", "The server restarted while this ran.")
    assert done["stdout"] == "before\n"


async def test_runs_of_other_interviews_read_like_no_runs(room: Room, world: World) -> None:
    queued = await run(room, "out secret")
    other = world.interviewer("Alan")
    await create(other)
    there = await other.get(f"/api/v1/runs/{queued['id']}")
    nowhere = await other.get("/api/v1/runs/run_00000000000000000000000000")
    assert there.status_code == nowhere.status_code == 404
    assert (await other.post(f"/api/v1/runs/{queued['id']}/stop")).status_code == 404
    assert there.json()["detail"].replace(queued["id"], "X") == nowhere.json()["detail"].replace(
        "run_00000000000000000000000000", "X"
    )


async def test_too_much_input_is_refused(room: Room) -> None:
    for body in ({"stdin": "x" * 262_145}, {"args": ["x"] * 51}, {"args": ["a\x00b"]}, {"stdin": 7}):
        assert (await room.candidate.post(f"{room.path}/runs", body)).status_code == 400
