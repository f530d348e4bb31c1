"""The assistant: who may ask it, what everybody in the room gets, and the record that nobody can change unseen."""

import asyncio
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from opencode.kernel.errors import Unavailable
from opencode.modules.interviews.domain.chain import first_break, link
from opencode.modules.interviews.domain.records import EventType
from opencode.modules.interviews.module import build
from opencode.modules.interviews.settings import InterviewsSettings
from opencode.modules.interviews.store.tables import events
from tests.doubles.assistants import MODEL
from tests.http import application
from tests.modules.interviews.conftest import Json, Person, Room, World, admit, create, join
from tests.modules.interviews.streams import Stream, serving, watching

EVERYONE: Json = {"mode": "everyone", "model": MODEL}


async def allow(room: Room, **wish: Any) -> None:
    room.world.assistants.models = room.world.assistants.models or [MODEL, "mock/large"]
    answer = await room.interviewer.patch(room.path, {"assistant": {**EVERYONE, **wish}})
    assert answer.status_code == 200, answer.text


async def ask(room: Room, by: Person, text: str = "How do I count words?", **more: Any) -> Json:
    answer = await by.post(f"{room.path}/assistant/questions", {"text": text, **more})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def ended(room: Room, question_id: str) -> Json:
    """The question once it has an answer, or has none for good."""
    async with asyncio.timeout(20):
        while True:
            found = await room.interviewer.get(f"{room.path}/assistant/questions")
            question = next(each for each in found.json()["items"] if each["id"] == question_id)
            if question["state"] != "answering":
                return question


async def record(room: Room) -> Json:
    tree = (await room.interviewer.get(f"{room.path}/export")).json()
    return tree["sessions"][room.interview["code"]]["assistant"]


async def test_everybody_in_the_room_reads_question_and_answer_as_they_come(room: Room) -> None:
    await allow(room)
    world = room.world
    async with (
        serving(world.app) as base,
        watching(base, room.interview["id"], room.interviewer.token) as host,
        watching(base, room.interview["id"], room.candidate.token) as guest,
    ):
        asked = await ask(room, room.candidate)
        heard = [await stream.until("assistant.finished") for stream in (host, guest)]
    for said in heard:
        *_, question, piece, end = said
        assert (question["type"], piece["type"]) == ("assistant.asked", "assistant.answered")
        assert question["question"]["asked_by"] == {"id": room.candidate.id, "name": "Ada", "role": "candidate"}
        assert (piece["question_id"], piece["text"]) == (asked["id"], "Use a dictionary.")
        assert (end["question"]["answer"], end["question"]["state"]) == ("Use a dictionary.", "answered")
        assert end["question"]["answered_by"] == MODEL
    assert [each.on_behalf_of for each in world.assistants.asked] == [room.interviewer.id]


USAGE = ("input_tokens", "output_tokens", "cost_nano")


async def test_what_an_answer_took_is_for_the_interviewer_and_nothing_tells_the_candidate(room: Room) -> None:
    await allow(room, budget_usd=0.5)
    path = f"{room.path}/assistant/questions"
    async with serving(room.world.app) as base:
        asked = await ask(room, room.candidate)
        async with (
            watching(base, room.interview["id"], room.interviewer.token) as host,
            watching(base, room.interview["id"], room.candidate.token) as guest,
        ):
            *_, told_host = await host.until("assistant.finished")
            heard = await guest.until("assistant.finished")
    [read_by_host] = (await room.interviewer.get(path)).json()["items"]
    for question in (told_host["question"], read_by_host):
        assert [question[name] for name in USAGE] == [12, 3, 18_000]
    [read] = (await room.candidate.get(path)).json()["items"]
    stopped = (await room.candidate.post(f"{path}/{asked['id']}/stop")).json()
    for question in (heard[-1]["question"], read, stopped, asked):
        assert [question[name] for name in USAGE] == [None, None, None]
        assert question["text"] == read_by_host["text"]
    # From a hash over everything but three small numbers these could be found by trying.
    of_record = [said for said in heard if said["type"].startswith("assistant.")]
    assert len(of_record) == 4
    assert not any(name in said for said in of_record for name in ("sha256", "previous"))
    assert "budget_usd" not in str(heard)
    assert told_host["sha256"] == (await record(room))["head"]


async def test_asking_the_same_again_after_the_answer_tells_a_candidate_no_more(room: Room) -> None:
    await allow(room)
    path, body, key = f"{room.path}/assistant/questions", {"text": "Once?"}, {"idempotency-key": "k1"}
    await ended(room, (await room.candidate.post(path, body, **key)).json()["id"])
    again = (await room.candidate.post(path, body, **key)).json()
    assert (again["state"], [again[name] for name in USAGE]) == ("answered", [None, None, None])


async def test_a_question_takes_the_shared_code_and_the_conversation_along(room: Room) -> None:
    await allow(room)
    await ended(room, (await ask(room, room.candidate, "What is a map?"))["id"])
    asked = await ask(room, room.interviewer, "And here?", include_code=True)
    await ended(room, asked["id"])
    assert asked["language"] == "python"
    texts = [turn.text for turn in room.world.assistants.asked[-1].turns]
    assert texts[:2] == ["What is a map?", "Use a dictionary."]
    assert texts[2].startswith("And here?")
    assert texts[2].endswith(asked["code"])


async def test_without_a_provider_there_is_no_assistant_for_anybody(room: Room) -> None:
    for person in (room.interviewer, room.candidate):
        place = (await person.get(f"{room.path}/assistant")).json()
        assert (place["mode"], place["models"], place["may_ask"]) == ("forbidden", [], False)
        assert (await person.post(f"{room.path}/assistant/questions", {"text": "Hi"})).status_code == 404
    assert (await room.interviewer.patch(room.path, {"assistant": EVERYONE})).status_code == 404
    forbidding = await room.interviewer.patch(room.path, {"assistant": {"mode": "forbidden"}})
    assert forbidding.json()["assistant"] is None


async def test_nobody_asks_before_the_interviewer_allows_it_and_candidates_only_when_everybody_may(room: Room) -> None:
    room.world.assistants.models = [MODEL]
    questions = f"{room.path}/assistant/questions"
    assert (await room.candidate.get(f"{room.path}/assistant")).json()["mode"] == "forbidden"
    for person in (room.interviewer, room.candidate):
        assert (await person.post(questions, {"text": "Hi"})).status_code == 409
    await allow(room, mode="interviewers")
    assert (await room.candidate.post(questions, {"text": "Hi"})).status_code == 409
    assert (await room.candidate.get(f"{room.path}/assistant")).json()["may_ask"] is False
    await ended(room, (await ask(room, room.interviewer))["id"])
    await allow(room, mode="everyone")
    await ended(room, (await ask(room, room.candidate))["id"])
    await room.interviewer.patch(room.path, {"frozen": True})
    assert (await room.candidate.post(questions, {"text": "Hi"})).status_code == 409
    assert (await room.candidate.patch(room.path, {"assistant": EVERYONE})).status_code == 403


async def test_an_interview_is_made_with_an_assistant_and_the_first_model_unless_one_is_named(world: World) -> None:
    host = world.interviewer()
    refused = await host.post("/api/v1/interviews", {"title": "A", "assistant": {"mode": "everyone"}})
    assert refused.status_code == 404
    world.assistants.models = [MODEL, "mock/large"]
    interview = await create(host, assistant={"mode": "everyone", "most_questions": 3})
    assert interview["assistant"] == {"mode": "everyone", "model": MODEL, "most_questions": 3}
    place = (await host.get(f"/api/v1/interviews/{interview['id']}/assistant")).json()
    assert (place["questions_left"], place["may_ask"], place["models"]) == (3, True, [MODEL, "mock/large"])
    unknown = await host.post("/api/v1/interviews", {"title": "A", "assistant": {**EVERYONE, "model": "mock/smal"}})
    assert unknown.status_code == 400
    assert unknown.json()["errors"][0]["pointer"] == "/assistant/model"
    candidate = await join(world, interview)
    early = await candidate.post(f"/api/v1/interviews/{interview['id']}/assistant/questions", {"text": "Hi"})
    assert early.status_code == 403
    await admit(host, interview, candidate)
    found = (await candidate.get(f"/api/v1/interviews/{interview['id']}/assistant")).json()
    assert (found["may_ask"], found["models"]) == (True, [])


async def test_one_question_at_a_time_and_no_more_than_allowed(room: Room) -> None:
    await allow(room, most_questions=2)
    room.world.assistants.goes_on.clear()
    path = f"{room.path}/assistant/questions"
    answers = await asyncio.gather(*(room.candidate.post(path, {"text": f"Question {n}"}) for n in range(5)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409]
    room.world.assistants.goes_on.set()
    first = next(answer.json() for answer in answers if answer.status_code == 202)
    await ended(room, first["id"])
    await ended(room, (await ask(room, room.interviewer))["id"])
    spent = await room.interviewer.post(path, {"text": "One more"})
    assert (spent.status_code, spent.json()["title"]) == (409, "No questions are left")
    assert (await room.interviewer.get(f"{room.path}/assistant")).json()["may_ask"] is False


async def test_answers_cost_no_more_than_the_budget_and_only_interviewers_see_money(room: Room) -> None:
    await allow(room, budget_usd=0.5)
    path = f"{room.path}/assistant"
    place = (await room.interviewer.get(path)).json()
    assert (place["budget_usd"], place["spent_usd"], place["may_ask"]) == (0.5, 0, True)
    answered = await ended(room, (await ask(room, room.candidate))["id"])
    spent = answered["cost_nano"] / 1e9
    assert spent > 0
    assert (await room.interviewer.get(path)).json()["spent_usd"] == spent
    seen = (await room.candidate.get(path)).json()
    assert (seen["budget_usd"], seen["spent_usd"], seen["may_ask"]) == (None, None, True)
    await allow(room, budget_usd=0.01)
    room.world.assistants.cost_nano = 10_000_000
    await ended(room, (await ask(room, room.candidate))["id"])
    refused = await room.candidate.post(f"{path}/questions", {"text": "One more"})
    assert (refused.status_code, refused.json()["title"]) == (409, "The assistant's budget is spent")
    assert (await room.interviewer.get(path)).json()["may_ask"] is False
    await allow(room)
    assert (await room.interviewer.get(path)).json()["budget_usd"] is None
    await ended(room, (await ask(room, room.candidate))["id"])


@pytest.mark.parametrize("budget_usd", [0, -1, 0.001, 1001, "1", True])
async def test_a_budget_that_is_none_is_told(room: Room, budget_usd: object) -> None:
    refused = await room.interviewer.patch(room.path, {"assistant": {"mode": "everyone", "budget_usd": budget_usd}})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/assistant/budget_usd"


async def test_the_same_request_twice_asks_once(room: Room) -> None:
    await allow(room)
    path, body = f"{room.path}/assistant/questions", {"text": "Once?"}
    answers = [await room.candidate.post(path, body, **{"idempotency-key": "k1"}) for _ in range(2)]
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    other = await room.candidate.post(path, {"text": "Twice?"}, **{"idempotency-key": "k1"})
    assert other.status_code == 409
    await ended(room, answers[0].json()["id"])
    assert len(room.world.assistants.asked) == 1


@pytest.mark.parametrize("text", ["", "   ", "x" * 8001, "\u202e"])
async def test_a_question_that_is_nothing_or_too_long_is_refused(room: Room, text: str) -> None:
    await allow(room)
    assert (await room.candidate.post(f"{room.path}/assistant/questions", {"text": text})).status_code == 400
    assert room.world.assistants.asked == []


async def test_whoever_asked_or_interviews_stops_an_answer_and_what_was_said_stays(room: Room) -> None:
    await allow(room)
    room.world.assistants.goes_on.clear()
    asked = await ask(room, room.interviewer)
    stop = f"{room.path}/assistant/questions/{asked['id']}/stop"
    assert (await room.candidate.post(stop)).status_code == 403
    unknown = f"{room.path}/assistant/questions/qst_01J9ZC3V0000000000000000000/stop"
    assert (await room.interviewer.post(unknown)).status_code == 404
    await heard_piece(room)
    assert (await room.interviewer.post(stop)).status_code == 202
    question = await ended(room, asked["id"])
    assert (question["state"], question["answer"]) == ("failed", "Use a ")
    assert question["failure"] == "Stopped by Grace."
    assert room.world.assistants.left.is_set()
    assert (await room.interviewer.post(stop)).json()["state"] == "failed"


async def heard_piece(room: Room) -> Stream:
    """Wait until a piece of an answer has reached the room."""
    async with (
        serving(room.world.app) as base,
        watching(base, room.interview["id"], room.interviewer.token) as stream,
    ):
        await stream.until("assistant.answered")
        return stream


async def test_who_comes_in_while_the_assistant_answers_reads_what_it_has_said_so_far_and_then_the_rest(
    room: Room,
) -> None:
    await allow(room)
    room.world.assistants.pieces = ("Use a ", "dictionary", ", or a set.")
    room.world.assistants.goes_on.clear()
    asked = await ask(room, room.candidate)
    await heard_piece(room)
    late = await room.interviewer.get(f"{room.path}/assistant/questions")
    [shown] = late.json()["items"]
    assert (shown["state"], shown["answer"]) == ("answering", "Use a ")
    async with (
        serving(room.world.app) as base,
        watching(base, room.interview["id"], room.interviewer.token, after=shown["answer_seq"]) as stream,
    ):
        room.world.assistants.goes_on.set()
        heard = await stream.until("assistant.finished")
    rest = [event["text"] for event in heard if event["type"] == "assistant.answered"]
    assert shown["answer"] + "".join(rest) == "Use a dictionary, or a set."
    question = await ended(room, asked["id"])
    assert (question["answer"], question["answer_seq"]) == ("Use a dictionary, or a set.", None)


async def test_who_comes_in_before_the_first_word_finds_an_empty_answer(room: Room) -> None:
    await allow(room)
    room.world.assistants.pieces = ("", "At last.")
    room.world.assistants.goes_on.clear()
    await ask(room, room.candidate)
    [shown] = (await room.interviewer.get(f"{room.path}/assistant/questions")).json()["items"]
    assert (shown["state"], shown["answer"], shown["answer_seq"]) == ("answering", "", 0)
    room.world.assistants.goes_on.set()
    assert (await ended(room, shown["id"]))["answer"] == "At last."


async def test_what_keeps_the_model_from_answering_is_told_in_words(room: Room) -> None:
    await allow(room)
    room.world.assistants.failure = Unavailable("The provider broke off.", action="Ask again.")
    question = await ended(room, (await ask(room, room.candidate))["id"])
    assert (question["state"], question["failure"]) == ("failed", "The provider broke off. Ask again.")
    assert question["answer"] == "Use a dictionary."


async def test_a_model_that_never_stops_is_broken_off(room: Room) -> None:
    await allow(room)
    room.world.assistants.pieces = ("x" * 40_000, "y" * 40_000, "z")
    question = await ended(room, (await ask(room, room.candidate))["id"])
    assert question["failure"] == "The answer is too long, and was broken off."
    assert len(question["answer"]) == 64 * 1024


@pytest.mark.parametrize("how", ["end", "forbid"])
async def test_an_answer_stops_when_the_interview_ends_or_it_is_forbidden(room: Room, how: str) -> None:
    await allow(room)
    room.world.assistants.goes_on.clear()
    asked = await ask(room, room.candidate)
    await heard_piece(room)
    if how == "end":
        await room.interviewer.post(f"{room.path}/end")
    else:
        await room.interviewer.patch(room.path, {"assistant": {"mode": "forbidden"}})
    tree = await ended(room, asked["id"])
    assert (tree["state"], tree["answer"]) == ("failed", "Use a ")
    assert tree["failure"].startswith("Stopped: ")
    async with asyncio.timeout(20):
        await room.world.assistants.left.wait()
    assert (await record(room))["broken_at"] is None


async def test_a_server_that_died_while_the_assistant_answered_leaves_no_open_answer(room: Room) -> None:
    await allow(room)
    world = room.world
    world.assistants.goes_on.clear()
    asked = await ask(room, room.candidate)
    await heard_piece(room)
    # Another server finds the answer silent for too long; this one is as good as dead, for it tells nothing.
    world.clock.advance(60)
    other = build(world.parts, InterviewsSettings(), **world.neighbours)
    assert other.plug.start
    assert other.plug.stop
    await other.plug.start()
    question = await ended(room, asked["id"])
    assert (question["state"], question["answer"]) == ("failed", "Use a ")
    assert question["failure"] == "The server restarted while the assistant answered."
    await other.plug.stop()
    world.assistants.goes_on.set()
    await ended(room, (await ask(room, room.candidate, "Again?"))["id"])
    kinds = [entry["type"] for entry in (await record(room))["entries"]]
    assert kinds.count("assistant.failed") == 1
    assert kinds.count("assistant.finished") == 1


async def test_a_server_that_goes_down_says_so_in_the_room(room: Room) -> None:
    await allow(room)
    world = room.world
    world.assistants.goes_on.clear()
    async with (
        serving(application(world.module.plug.routes, world.identity)) as base,
        watching(base, room.interview["id"], room.candidate.token) as stream,
    ):
        await ask(room, room.candidate)
        await stream.until("assistant.answered")
        assert world.module.plug.drain
        await world.module.plug.drain()
        heard = await stream.until("assistant.failed")
    assert heard[-1]["question"]["failure"] == "The server restarted while the assistant answered."


async def test_the_export_has_every_word_and_tells_when_one_was_changed_afterwards(room: Room) -> None:
    await allow(room)
    await ended(room, (await ask(room, room.candidate, include_code=True))["id"])
    kept = await record(room)
    kinds = [entry["type"].removeprefix("assistant.") for entry in kept["entries"]]
    assert kinds == ["allowed", "asked", "answered", "finished"]
    assert kept["broken_at"] is None
    assert kept["head"] == kept["entries"][-1]["sha256"]
    assert first_break(kept["entries"], kept["head"]) is None
    forged = {**kept["entries"][2], "text": "Use a list."}
    async with room.world.parts.database.engine.begin() as connection:
        await connection.execute(
            update(events)
            .where(events.c.type == EventType.ASSISTANT_ANSWERED)
            .values(data=msgspec.json.encode(forged).decode())
        )
    assert (await record(room))["broken_at"] == 2


def test_a_chain_of_entries_holds_until_one_is_changed_moved_or_taken_out() -> None:
    head, entries = "", list[dict[str, Any]]()
    for number in range(4):
        entries.append(link({"type": "assistant.answered", "text": f'Grüße "{number}"\x00\n'}, head))
        head = entries[-1]["sha256"]
    assert first_break(entries, head) is None
    assert first_break(msgspec.json.decode(msgspec.json.encode(entries)), head) is None
    assert first_break([*entries[:2], {**entries[2], "more": 1}, entries[3]], head) == 2
    assert first_break([entries[0], entries[2], entries[1], entries[3]], head) == 1
    assert first_break(entries[:3], head) == 3
    assert first_break(entries[1:], head) == 0
    forged = link({"type": "assistant.answered", "text": "forged"}, entries[1]["sha256"])
    assert first_break([*entries[:2], forged, entries[3]], head) == 3
    assert first_break([], "") is None
