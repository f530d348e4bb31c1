"""What goes wrong is told in the client's dialect, nothing cut off looks like an end, and nobody waits for the dead."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from opencode.infra.plugs import Parts
from opencode.modules.ai.domain.dialects.canonical import Failed
from opencode.modules.ai.domain.ledger import NameKind
from opencode.modules.ai.routes import gateway as routes
from opencode.modules.ai.store.tables import names
from tests.modules.ai.gateway.conftest import (
    CHAT,
    HELLO,
    MESSAGES,
    OLLAMA_CHAT,
    PATIENCE_S,
    Door,
    open_door,
    provider,
    three,
)
from tests.modules.ai.gateway.test_answers import CLIENTS, PROVIDERS
from tests.modules.ai.upstreams import KEY, MockUpstream, Mode, running_upstream

Json = dict[str, Any]
QUICK: Json = {"retries": {"attempts": 3, "first_wait_s": 0.01}}


def message_of(client: str, answer: httpx.Response) -> str:
    """The words of an error, which stand where each dialect has them."""
    error = answer.json()["error"]
    return error if client.startswith("ollama") else error["message"]


@pytest.fixture
async def spare() -> AsyncGenerator[MockUpstream]:
    async with running_upstream() as spare:
        yield spare


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_model_that_nobody_has_is_not_found_and_the_nearest_is_named(door: Door, client: str) -> None:
    path, body, _ = CLIENTS[client]
    answer = await door.post(path, model="openai/smal", **body)
    assert answer.status_code == 404
    assert "openai/small" in message_of(client, answer)


@pytest.mark.parametrize("client", CLIENTS)
async def test_who_shows_no_good_token_is_told_so_in_their_dialect(door: Door, client: str) -> None:
    path, body, _ = CLIENTS[client]
    answer = await door.post(path, {"authorization": "Bearer nobody"}, model="openai/small", **body)
    assert answer.status_code == 401
    assert message_of(client, answer)


async def test_a_token_without_the_scope_is_refused(door: Door, upstream: MockUpstream) -> None:
    stranger = door.ai.member("projects:read").token
    answer = await door.post(CHAT, {"authorization": f"Bearer {stranger}"}, model="openai/small", **HELLO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "permission_denied")
    assert upstream.count("/v1/chat/completions") == 0


async def test_clients_of_anthropic_show_their_token_as_a_key(door: Door) -> None:
    async with httpx.AsyncClient(base_url=door.url, timeout=PATIENCE_S) as client:
        body = {"model": "anthropic/small", "max_tokens": 10, **HELLO}
        answer = await client.post(MESSAGES, json=body, headers={"x-api-key": door.token})
    assert answer.status_code == 200


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"model": 7}', b"\xff\xfe", b'{"model":"openai/small"', b"[" * 9999]
)
async def test_what_is_no_request_is_refused_in_the_clients_dialect(door: Door, client: str, body: bytes) -> None:
    answer = await door.client.post(CLIENTS[client][0], content=body)
    assert answer.status_code == 400
    assert message_of(client, answer)


async def test_a_request_that_is_too_large_is_refused(door: Door) -> None:
    answer = await door.client.post(CHAT, content=b" " * (32 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


async def test_an_address_that_is_none_says_which_there_are(door: Door) -> None:
    answer = await door.post("/ai/v1/completions", model="openai/small", prompt="Say hello")
    assert answer.status_code == 404
    assert "/ai/anthropic" in answer.json()["error"]["message"]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("spoken", PROVIDERS)
async def test_a_stream_that_breaks_off_ends_in_an_error_of_the_clients_dialect(
    door: Door, upstream: MockUpstream, client: str, spoken: str
) -> None:
    upstream.mode = Mode.CUTS
    path, body, reader_of = CLIENTS[client]
    answer = await door.post(path, model=f"{spoken}/small", stream=True, **body)
    reader = reader_of("seed")
    events = [*reader.feed(answer.content), *reader.end()]
    assert answer.status_code == 200
    assert b"Hello" in answer.content
    assert isinstance(events[-1], Failed)
    assert "broke off" in events[-1].failure.message
    assert b"[DONE]" not in answer.content


async def test_a_provider_that_refuses_our_key_is_not_the_clients_fault_and_the_key_is_not_told(
    door: Door, upstream: MockUpstream
) -> None:
    await door.configured(providers={"openai": provider(upstream, api_key=f"{KEY}-wrong", **QUICK)})
    upstream.mode = Mode.REFUSES_KEY
    answer = await door.chat("openai/small")
    assert answer.status_code == 502
    assert KEY not in answer.text
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("mode", [Mode.FAILS, Mode.NOT_JSON, Mode.REDIRECTS])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_fails_is_tried_again_and_then_told_of(
    door: Door, upstream: MockUpstream, mode: Mode, stream: bool
) -> None:
    await door.configured(providers={"openai": provider(upstream, **QUICK)})
    upstream.mode = mode
    answer = await door.chat("openai/small", stream=stream)
    assert answer.status_code == 502
    assert answer.headers["x-should-retry"] == "false"
    assert upstream.count("/v1/chat/completions") == 3


@pytest.mark.parametrize("stream", [False, True])
async def test_a_dead_provider_is_routed_around(
    door: Door, upstream: MockUpstream, spare: MockUpstream, stream: bool
) -> None:
    await door.configured(
        providers={"dead": provider(upstream, **QUICK), "spare": provider(spare, "anthropic")},
        fallbacks={"dead/small": ["spare/small"]},
    )
    upstream.mode = Mode.FAILS
    answer = await door.chat("dead/small", stream=stream)
    assert answer.status_code == 200
    assert answer.headers["x-opencode-model"] == "spare/small"


async def test_a_provider_whose_stream_carries_an_error_before_any_words_is_routed_around(
    door: Door, upstream: MockUpstream, spare: MockUpstream
) -> None:
    async with running_upstream(prefix="/v1") as mute:
        await door.configured(
            providers={"mute": provider(mute), "spare": provider(spare)}, fallbacks={"mute/small": ["spare/small"]}
        )
        mute.mode = Mode.NOT_JSON
        answer = await door.chat("mute/small", stream=True)
        assert answer.headers["x-opencode-model"] == "spare/small"


async def test_a_fault_of_the_request_is_not_sent_to_others(
    door: Door, upstream: MockUpstream, spare: MockUpstream
) -> None:
    await door.configured(
        providers={"first": provider(upstream, "ollama"), "spare": provider(spare)},
        fallbacks={"first/small": ["spare/small"]},
    )
    answer = await door.chat("first/small", n=2)
    assert (answer.status_code, spare.seen) == (400, [])


async def test_a_provider_that_says_nothing_is_left_after_its_time(
    door: Door, upstream: MockUpstream, spare: MockUpstream
) -> None:
    hangs = provider(upstream, timeouts={"first_byte_s": 0.05, "connect_s": 0.05})
    await door.configured(
        providers={"hangs": hangs, "spare": provider(spare)}, fallbacks={"hangs/small": ["spare/small"]}
    )
    upstream.mode = Mode.HANGS
    answer = await door.chat("hangs/small")
    assert answer.headers["x-opencode-model"] == "spare/small"
    alone = await door.configured(providers={"hangs": hangs}) or await door.chat("hangs/small")
    assert (alone.status_code, alone.json()["error"]["code"]) == (504, "timeout")


async def test_a_stream_that_stops_coming_ends_in_an_error(door: Door, upstream: MockUpstream) -> None:
    await door.configured(providers={"openai": provider(upstream, timeouts={"between_bytes_s": 0.05})})
    pieces = 0

    async def stall() -> None:
        nonlocal pieces
        pieces += 1
        if pieces == 3:
            await asyncio.Event().wait()

    upstream.pause = stall
    answer = await door.chat("openai/small", stream=True)
    last = json.loads(answer.text.strip().rpartition("data: ")[2])
    assert last["error"]["code"] == "timeout"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_takes_the_call_to_the_provider_along(
    door: Door, upstream: MockUpstream, stream: bool
) -> None:
    waiting, ended = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    upstream.pause = hold
    body = {"model": "openai/small", "stream": stream, **HELLO}
    if not stream:
        upstream.mode = Mode.HANGS
    call = asyncio.create_task(door.client.post(CHAT, json=body))
    async with asyncio.timeout(PATIENCE_S):
        await (waiting if stream else upstream.arrived).wait()
    call.cancel()
    async with asyncio.timeout(PATIENCE_S):
        if stream:
            await ended.wait()
        await upstream.left.wait()


async def test_a_client_that_stays_and_reads_nothing_does_not_hold_its_provider_for_ever(
    door: Door, upstream: MockUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "STALLED_S", 0.05)
    upstream.mode = Mode.BABBLES
    body = json.dumps({"model": "openai/small", "stream": True, **HELLO}).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.token}\r\nContent-Length: {len(body)}"
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.connect(("127.0.0.1", door.port))
        reader.sendall(f"{head}\r\n\r\n".encode() + body)
        async with asyncio.timeout(PATIENCE_S):
            await upstream.left.wait()
            while door.ai.module.meter.under_way or door.ai.module.fleet.under_way:
                await asyncio.sleep(0.001)


async def test_a_provider_that_fails_again_and_again_is_left_alone(door: Door, upstream: MockUpstream) -> None:
    once: Json = {"retries": {"attempts": 1}, "breaker": {"failures": 2, "open_s": 30}}
    await door.configured(providers={"openai": provider(upstream, **once)})
    upstream.mode = Mode.FAILS
    for _ in range(2):
        assert (await door.chat("openai/small")).status_code == 502
    refused = await door.chat("openai/small")
    assert refused.status_code == 503
    assert 0 < int(refused.headers["retry-after"]) <= 30
    assert upstream.count("/v1/chat/completions") == 2
    assert (await door.chat("openai/large")).status_code == 502


async def test_calls_beyond_what_a_provider_takes_at_once_go_elsewhere(
    door: Door, upstream: MockUpstream, spare: MockUpstream
) -> None:
    await door.configured(
        providers={"small": provider(upstream, concurrency=1), "spare": provider(spare)},
        fallbacks={"small/small": ["spare/small"]},
    )
    upstream.mode = Mode.HANGS
    first = asyncio.create_task(door.chat("small/small"))
    async with asyncio.timeout(PATIENCE_S):
        await upstream.arrived.wait()
    assert (await door.chat("small/small")).headers["x-opencode-model"] == "spare/small"
    first.cancel()


async def test_the_second_is_asked_when_the_first_is_slow_and_whoever_begins_first_answers(
    door: Door, upstream: MockUpstream, spare: MockUpstream
) -> None:
    await door.configured(
        providers={"slow": provider(upstream, weight=1000), "quick": provider(spare, weight=0)},
        aliases={"any": {"targets": ["slow/small", "quick/small"], "hedge_after_s": 0.01}},
    )
    upstream.mode = Mode.HANGS
    answer = await door.chat("any", stream=True)
    assert answer.headers["x-opencode-model"] == "quick/small"
    async with asyncio.timeout(PATIENCE_S):
        await upstream.left.wait()


async def test_a_team_uses_only_what_it_may_and_learns_of_nothing_else(door: Door, upstream: MockUpstream) -> None:
    await door.configured(
        providers=three(upstream), teams={"lab": {"members": ["ada@example.org"], "models": ["openai/*"]}}
    )
    assert (await door.chat("openai/small")).status_code == 200
    refused = await door.chat("ollama/small")
    assert refused.status_code == 404
    assert {each["id"] for each in (await door.client.get("/ai/v1/models")).json()["data"]} == {
        "openai/small",
        "openai/large",
    }
    assert "ollama" not in (await door.chat("olama/small")).text.replace("olama", "")


async def test_who_is_over_a_limit_is_told_when_to_come_back_and_no_provider_is_asked(
    door: Door, upstream: MockUpstream
) -> None:
    await door.configured(providers=three(upstream), limits={"requests_per_minute": 1})
    assert (await door.chat("openai/small")).status_code == 200
    refused = await door.chat("openai/small")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(refused.headers["retry-after"]) > 0
    assert upstream.count("/v1/chat/completions") == 1


async def test_who_has_spent_the_budget_is_told_so(door: Door, upstream: MockUpstream) -> None:
    # Each call may take some 54 millionths of a dollar, and takes 13 of them.
    await door.configured(providers=three(upstream), limits={"budget": {"amount_usd": 0.000_060, "period": "day"}})
    assert (await door.chat("openai/small", max_tokens=10)).status_code == 200
    refused = await door.chat("openai/small", max_tokens=10)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "insufficient_quota")
    assert int(refused.headers["retry-after"]) > 0
    # A model without a price costs nothing, and what never fits is told apart from what fits later.
    assert (await door.chat("openai/large")).status_code == 200
    assert (await door.chat("openai/small", max_tokens=1_000)).status_code == 413


async def test_what_a_configuration_changes_holds_for_the_next_call(
    parts: Parts, folder: Path, upstream: MockUpstream
) -> None:
    async with open_door(parts, folder) as door:
        assert (await door.chat("openai/small")).status_code == 404
        await door.configured(providers=three(upstream))
        assert (await door.chat("openai/small")).status_code == 200
        answer = await door.post(OLLAMA_CHAT, model="openai/small", stream=False, **HELLO)
        assert answer.json()["done"] is True


async def test_names_that_callers_make_up_break_no_headers_and_fill_no_tables(
    parts: Parts, folder: Path, upstream: MockUpstream
) -> None:
    upstream.mode = Mode.FAILS
    async with open_door(parts, folder) as door:
        # It has not said what it has, so that any name is passed on to it.
        await door.configured(providers={"lab": provider(upstream, discover=True)})
        upstream.mode = Mode.FINE
        for name in ("lab/a\r\nset-cookie: x=y", "lab/é", "lab/other"):
            answer = await door.chat(name)
            assert answer.status_code == 200
            assert "set-cookie" not in answer.headers
        long = await door.chat("lab/" + "x" * 1_000_000)
        assert (long.status_code, len(long.content) < 2_000) == (404, True)
        async with parts.database.read() as connection:
            kept = (await connection.execute(select(names.c.name).where(names.c.kind == NameKind.MODEL))).scalars()
            assert set(kept) == {"lab/*"}


async def test_while_configurations_change_no_call_fails_and_none_mixes_two(
    door: Door, upstream: MockUpstream, spare: MockUpstream
) -> None:
    over = False
    answered = 0

    async def ask_on(stream: bool) -> None:
        nonlocal answered
        while not over:
            answer = await door.chat("any", stream=stream)
            assert answer.status_code == 200, answer.text
            assert "Hello" in answer.text
            answered += 1

    await door.configured(providers={"two": provider(spare, api_key="key-two")}, aliases={"any": "two/small"})
    asking = [asyncio.create_task(ask_on(stream)) for stream in (False, True, False, True)]
    for number in range(40):
        name, mock = (("one", upstream), ("two", spare))[number % 2]
        await door.configured(providers={name: provider(mock, api_key=f"key-{name}")}, aliases={"any": f"{name}/small"})
        seen = answered
        while answered < seen + 2 and not any(task.done() for task in asking):
            await asyncio.sleep(0)
    over = True
    await asyncio.gather(*asking)
    for mock, name in ((upstream, "one"), (spare, "two")):
        calls = [each for each in mock.seen if each.path == "/v1/chat/completions"]
        assert calls
        assert {each.headers["authorization"] for each in calls} == {f"Bearer key-{name}"}


async def test_however_calls_end_nothing_of_them_is_left(
    door: Door, upstream: MockUpstream, spare: MockUpstream
) -> None:
    await door.configured(
        providers={"one": provider(upstream, **QUICK, breaker={"failures": 100}), "two": provider(spare, "anthropic")},
        aliases={"any": {"targets": ["one/small", "two/small"], "hedge_after_s": 0.01}},
        limits={"concurrency": 3, "budget": {"amount_usd": 1}},
    )
    for mode in (Mode.FINE, Mode.CUTS, Mode.FAILS, Mode.BUSY, Mode.NOT_JSON, Mode.HANGS):
        upstream.mode = mode
        for stream in (False, True):
            await door.chat("any", stream=stream)
    # Under another name, since it may still have to be left alone under this one.
    await door.configured(
        providers={"again": provider(upstream), "two": provider(spare, "anthropic")}, limits={"concurrency": 3}
    )
    upstream.arrived.clear()
    left = asyncio.create_task(door.chat("again/small"))
    async with asyncio.timeout(PATIENCE_S):
        await upstream.arrived.wait()
        left.cancel()
        await upstream.left.wait()
        module = door.ai.module
        while module.meter.under_way or module.fleet.under_way:
            await asyncio.sleep(0.001)
    assert (await door.chat("two/small")).status_code == 200
