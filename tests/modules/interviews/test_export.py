"""The whole interview as one file."""

import time

import msgspec
import pytest

from opencode.kernel.errors import NotFound
from tests.modules.interviews.conftest import Room, World, create


async def test_an_export_has_sessions_code_and_executions_under_the_code(room: Room) -> None:
    world = room.world
    assert room.candidate.principal
    await world.documents.open(room.document_id, room.candidate.principal, world.module.gate)
    world.clock.advance(1)
    world.documents.write(room.document_id, room.candidate.id, "python", "out hello\nerr oh")
    queued = (await room.candidate.post(f"{room.path}/runs", {"stdin": "in"})).json()
    gives_up_at = time.monotonic() + 10
    while (await room.candidate.get(f"/api/v1/runs/{queued['id']}")).json()["state"] != "finished":
        assert time.monotonic() < gives_up_at
    await room.candidate.post(f"{room.path}/messages", {"text": "hi"})
    await room.candidate.post(f"{room.path}/signals", {"signals": [{"kind": "paste", "size": 9}]})
    await room.interviewer.patch(room.path, {"language": "javascript"})
    await room.interviewer.post(f"{room.path}/end")

    answer = await room.interviewer.get(f"{room.path}/export")
    assert answer.status_code == 200
    code = room.interview["code"]
    assert answer.headers["content-disposition"] == f'attachment; filename="interview-{code}.json"'
    tree = answer.json()
    assert set(tree) == {"sessions", "code", "executions"}
    session = tree["sessions"][code]
    assert session["interviewer"] == room.interviewer.id
    assert session["candidates"][room.candidate.id]["name"] == "Ada"
    assert session["candidates"][room.candidate.id]["status"] == "admitted"
    assert session["candidates"][room.candidate.id]["joined_at"].endswith("Z")
    assert session["settings"] == {"language": "javascript", "timeout_ms": 3_600_000, "read_only": False}
    assert (session["state"], session["title"]) == ("ended", "Backend engineer")
    assert session["created_at"]
    assert [message["text"] for message in session["messages"]] == ["hi"]
    assert [signal["kind"] for signal in session["signals"]] == ["paste"]
    texts = tree["code"][code]
    assert texts["python"]["content"] == "out hello\nerr oh"
    assert texts["python"]["modified_by"] == room.candidate.id
    assert texts["python"]["last_modified"].endswith("Z")
    assert texts["javascript"] == {
        "content": "out hello from javascript\n",
        "last_modified": None,
        "modified_by": None,
    }
    (result,) = tree["executions"][code]["results"]
    assert (result["language"], result["code"]) == ("python", "out hello\nerr oh")
    assert (result["output"], result["error"]) == ("hello\n", "oh\n")
    assert (result["executed_by"], result["exit_code"], result["status"]) == (room.candidate.id, 0, "ok")
    assert result["timestamp"].endswith("Z")


async def test_an_untouched_interview_can_be_exported_too(world: World) -> None:
    host = world.interviewer()
    interview = await create(host)
    tree = (await host.get(f"/api/v1/interviews/{interview['id']}/export")).json()
    assert tree["sessions"][interview["code"]]["candidates"] == {}
    assert tree["executions"][interview["code"]] == {"results": []}


async def test_the_operator_exports_by_id_or_by_the_code_that_it_had(room: Room) -> None:
    await room.interviewer.post(f"{room.path}/end")
    export = room.world.module.export_for_operator
    by_code, by_id = await export(room.interview["code"]), await export(room.interview["id"])
    assert msgspec.to_builtins(by_code) == msgspec.to_builtins(by_id)
    with pytest.raises(NotFound):
        await export("000000" if room.interview["code"] != "000000" else "000001")
