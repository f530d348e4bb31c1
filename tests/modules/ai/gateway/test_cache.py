"""The same question twice is asked once, where that is wished for, and never between people who must not share."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.ai.service.answers import Answers, KeptAnswer
from tests.modules.ai.gateway.conftest import CHAT, EMBEDDINGS, HELLO, PATIENCE_S, Door, open_door, three
from tests.modules.ai.upstreams import MockUpstream, Mode

KEPT = {"cache": {"enabled": True, "lifetime_s": 60}}
ASKED = "/v1/chat/completions"


async def test_nothing_is_kept_where_nobody_wished_for_it(door: Door, upstream: MockUpstream) -> None:
    for _ in range(2):
        assert "x-opencode-cache" not in (await door.chat("openai/small")).headers
    assert upstream.count(ASKED) == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_the_same_question_is_asked_once_and_answered_with_the_same_bytes(
    door: Door, upstream: MockUpstream, stream: bool
) -> None:
    await door.configured(providers=three(upstream), **KEPT)
    first, second = [await door.chat("openai/small", stream=stream, temperature=0) for _ in range(2)]
    assert [each.headers["x-opencode-cache"] for each in (first, second)] == ["miss", "hit"]
    assert first.content == second.content
    assert first.headers["content-type"] == second.headers["content-type"]
    assert second.headers["x-opencode-model"] == "openai/small"
    assert upstream.count(ASKED) == 1


async def test_the_order_of_fields_does_not_matter_and_everything_else_does(door: Door, upstream: MockUpstream) -> None:
    await door.configured(providers=three(upstream), **KEPT)
    await door.chat("openai/small", temperature=0)
    reordered: dict[str, Any] = {"temperature": 0, **HELLO, "model": "openai/small"}
    assert (await door.post(CHAT, **reordered)).headers["x-opencode-cache"] == "hit"
    others: list[dict[str, Any]] = [
        {"temperature": 1},
        {"temperature": 0, "stream": True},
        {"temperature": 0, "unknown": 1},
    ]
    for other in others:
        assert (await door.chat("openai/small", **other)).headers["x-opencode-cache"] == "miss"
    assert (await door.chat("openai/large", temperature=0)).headers["x-opencode-cache"] == "miss"
    assert (await door.post(EMBEDDINGS, model="openai/small", input="a")).headers["x-opencode-cache"] == "miss"


async def test_other_people_get_nothing_of_it_and_teams_share(door: Door, upstream: MockUpstream) -> None:
    await door.configured(
        providers=three(upstream), teams={"lab": {"members": ["ada@example.org", "bob@example.org"]}}, **KEPT
    )
    await door.chat("openai/small")
    for email, outcome in (("bob@example.org", "hit"), ("eve@example.org", "miss")):
        token = door.ai.member("ai:use", email=email).token
        answer = await door.post(CHAT, {"authorization": f"Bearer {token}"}, model="openai/small", **HELLO)
        assert answer.headers["x-opencode-cache"] == outcome


async def test_answers_stay_when_limits_change_and_go_when_anything_else_does(
    door: Door, upstream: MockUpstream
) -> None:
    team = {"members": ["ada@example.org"]}
    await door.configured(providers=three(upstream), teams={"lab": team}, **KEPT)
    await door.chat("openai/small")
    put = await door.ai.administrator().call("PUT", "/api/v1/ai/limits/everybody", json={"concurrency": 5})
    assert put.status_code == 200
    assert (await door.chat("openai/small")).headers["x-opencode-cache"] == "hit"
    limited = {"lab": {**team, "limits": {"requests_per_minute": 9}}}
    await door.configured(providers=three(upstream), teams=limited, people={"ada@example.org": {}}, **KEPT)
    assert (await door.chat("openai/small")).headers["x-opencode-cache"] == "hit"
    await door.configured(providers=three(upstream), teams=limited, redaction={"email_addresses": True}, **KEPT)
    assert (await door.chat("openai/small")).headers["x-opencode-cache"] == "miss"


@pytest.mark.parametrize("said", ["no-store", "no-cache"])
async def test_a_request_can_opt_out(door: Door, upstream: MockUpstream, said: str) -> None:
    await door.configured(providers=three(upstream), **KEPT)
    for _ in range(2):
        answer = await door.post(CHAT, {"cache-control": said}, model="openai/small", **HELLO)
        assert "x-opencode-cache" not in answer.headers
    assert upstream.count(ASKED) == 2


async def test_failures_and_halves_are_not_kept(door: Door, upstream: MockUpstream) -> None:
    await door.configured(providers=three(upstream), **KEPT)
    upstream.mode = Mode.CUTS
    await door.chat("openai/small", stream=True)
    upstream.mode = Mode.FINE
    whole = await door.chat("openai/small", stream=True)
    assert whole.headers["x-opencode-cache"] == "miss"
    assert whole.text.endswith("data: [DONE]\n\n")


async def test_a_changed_configuration_begins_anew(parts: Parts, folder: Path, upstream: MockUpstream) -> None:
    async with open_door(parts, folder, providers=three(upstream), **KEPT) as door:
        await door.chat("openai/small")
        await door.configured(providers=three(upstream), aliases={"any": "openai/small"}, **KEPT)
        assert (await door.chat("openai/small")).headers["x-opencode-cache"] == "miss"


async def test_what_many_ask_at_once_is_asked_once_also_when_the_first_of_them_leaves(
    door: Door, upstream: MockUpstream
) -> None:
    await door.configured(providers=three(upstream), **KEPT)
    upstream.mode = Mode.HANGS
    first = asyncio.create_task(door.chat("openai/small"))
    async with asyncio.timeout(PATIENCE_S):
        await upstream.arrived.wait()
        upstream.arrived.clear()
        calls = [asyncio.create_task(door.chat("openai/small")) for _ in range(4)]
        # Whoever asked first goes away: the next one asks in its place.
        first.cancel()
        await upstream.arrived.wait()
    assert upstream.count(ASKED) == 2
    upstream.mode = Mode.FINE
    for call in calls:
        call.cancel()


async def test_a_kept_answer_counts_as_a_request_and_costs_nothing(door: Door, upstream: MockUpstream) -> None:
    await door.configured(providers=three(upstream), limits={"requests_per_minute": 2}, **KEPT)
    assert [(await door.chat("openai/small")).status_code for _ in range(3)] == [200, 200, 429]
    assert upstream.count(ASKED) == 1


async def test_a_failure_reaches_all_who_wait_for_the_same_answer(clock: ManualClock) -> None:
    answers, go, asked = Answers(clock, None), asyncio.Event(), 0

    async def fail() -> KeptAnswer:
        nonlocal asked
        asked += 1
        await go.wait()
        raise ValueError("it broke")

    waiting = [asyncio.create_task(answers.once("key", fail)) for _ in range(5)]
    await asyncio.sleep(0)
    go.set()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(each) for each in ended] == ["it broke"] * 5
    assert asked == 1
