"""What limits keys, persons and teams, seen from clients of the gateway, and what their calls are charged."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from aiohttp import web

from opencode.modules.ai.service import trying
from tests.modules.ai.conftest import Person
from tests.modules.ai.gateway.conftest import CHAT, HELLO, PATIENCE_S, Door, provider
from tests.modules.ai.upstreams import MockUpstream, Mode, running_upstream

API = "/api/v1/ai"


def holder(door: Door) -> Person:
    return door.ai.member("ai:use", "tokens:manage")


def key_of(door: Door, person: Person) -> str:
    assert person.token
    return door.ai.identity.narrowed(person.token, frozenset({"ai:use"}))


async def limit(door: Door, key: str, **limits: Any) -> None:
    put = await door.ai.administrator().call("PUT", f"{API}/keys/{key}/limits", json=limits)
    assert put.status_code == 200, put.text


async def chat(door: Door, key: str, model: str = "openai/small", **more: Any) -> httpx.Response:
    body: dict[str, Any] = {"model": model, **HELLO, **more}
    return await door.post(CHAT, {"authorization": f"Bearer {key}"}, **body)


async def charged(door: Door, person: Person, count: int) -> list[dict[str, Any]]:
    """The calls of somebody, once there are so many in the ledger."""
    async with asyncio.timeout(PATIENCE_S):
        while len(items := (await person.get(f"{API}/calls")).json()["items"]) < count:
            await asyncio.sleep(0.02)
    return items


async def test_a_key_that_is_over_its_limit_is_told_so_and_the_persons_other_keys_go_on(door: Door) -> None:
    ann = holder(door)
    key, other = key_of(door, ann), key_of(door, ann)
    assert (await chat(door, key)).status_code == 200
    await limit(door, key, requests_per_minute=2, tokens_per_minute=100_000, concurrency=3)
    for _ in range(2):
        assert (await chat(door, key)).status_code == 200
    refused = await chat(door, key)
    assert refused.status_code == 429
    assert "The key may have 2 requests a minute" in refused.json()["error"]["message"]
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert (await chat(door, other)).status_code == 200
    [shown] = (await ann.get(f"{API}/keys")).json()["items"]
    assert shown["used"] == {"requests": 2, "tokens": 2 * 9, "calls": 0}
    await ann.call("DELETE", f"{API}/keys/{key}/limits")
    assert (await chat(door, key)).status_code == 200


async def test_what_an_administrator_sets_holds_from_the_next_call_on_and_counts_what_was_spent(door: Door) -> None:
    ann, bob, admin = holder(door), holder(door), door.ai.administrator()
    key, other = key_of(door, ann), key_of(door, bob)
    for _ in range(6):
        assert (await chat(door, key)).status_code == 200
    spent = sum(Decimal(call["cost_usd"]) for call in await charged(door, ann, 6))

    async def set_for(whose: str, **limits: Any) -> None:
        put = await admin.call("PUT", f"{API}/limits/{whose}", json=limits)
        assert put.status_code == 200, put.text

    await set_for("everybody", requests_per_minute=1)
    assert (await chat(door, other)).status_code == 200
    refused = await chat(door, other)
    assert (refused.status_code, "The person may have 1 requests a minute" in refused.text) == (429, True)
    await set_for(f"person:{bob.id}", requests_per_minute=3)
    assert (await chat(door, other)).status_code == 200, "what is set for a person takes the place of everybody's"
    # Exactly what Ann has spent: nothing is left, and a month's budget began before there was one.
    await set_for("everybody")
    await set_for(f"person:{ann.id}", budget={"amount_usd": float(spent)})
    refused = await chat(door, key, max_tokens=1)
    assert refused.status_code == 429, refused.text
    assert "too little is left" in refused.text
    view = (await admin.get(f"{API}/limits/person:{ann.id}")).json()
    assert Decimal(view["spent_usd"]) == Decimal(view["standing"]["spent_usd"]) == spent
    assert (await chat(door, other)).status_code == 200
    await admin.call("DELETE", f"{API}/limits/person:{ann.id}")
    assert (await chat(door, key)).status_code == 200


async def test_a_key_asks_the_models_of_its_list_alone(door: Door) -> None:
    key = key_of(door, holder(door))
    await limit(door, key, models=["openai/s*", "*/large"])
    assert (await chat(door, key)).status_code == 200
    assert (await chat(door, key, "anthropic/large")).status_code == 200
    refused = await chat(door, key, "anthropic/small")
    assert refused.status_code == 404
    assert "anthropic/small" in refused.json()["error"]["message"]
    listed = await door.client.get("/ai/v1/models", headers={"authorization": f"Bearer {key}"})
    names = [each["id"] for each in listed.json()["data"]]
    assert names == ["openai/small", "openai/large", "anthropic/large", "ollama/large"]
    await limit(door, key, models=[])
    assert (await chat(door, key)).status_code == 404


async def test_a_keys_budget_is_charged_beside_those_of_its_person_and_team(door: Door, upstream: MockUpstream) -> None:
    await door.configured(
        providers={"lab": provider(upstream)},
        limits={"budget": {"amount_usd": 1, "period": "month"}},
        teams={"red": {"members": ["ann@example.org"], "limits": {"budget": {"amount_usd": 50, "period": "day"}}}},
    )
    ann = door.ai.member("ai:use", "tokens:manage", email="ann@example.org")
    key, other = key_of(door, ann), key_of(door, ann)
    # What may be reserved for an answer without a limit of its own: 8,192 tokens at two dollars a million.
    await limit(door, key, budget={"amount_usd": 0.0001, "period": "day"})
    refused = await chat(door, key, "lab/small")
    assert refused.status_code == 413, refused.text
    assert "the key may take $0.0001 a day" in refused.json()["error"]["message"]
    # A limit that is larger than the person's is none: that of the person holds.
    await limit(door, other, budget={"amount_usd": 100_000})
    assert (await chat(door, other, "lab/small", max_tokens=600_000)).status_code == 413
    assert (await chat(door, other, "lab/small", max_tokens=10)).status_code == 200
    await charged(door, ann, 1)
    items = (await ann.get(f"{API}/budgets")).json()["items"]
    cost = "0.000013"  # 5 tokens at one dollar a million, 4 at two
    spent = {each["subject"]: (each["kind"], each["amount_usd"], each["spent_usd"]) for each in items}
    assert spent == {
        key: ("key", "0.0001", "0"),
        other: ("key", "100000", cost),
        ann.id: ("person", "1", cost),
        "red": ("team", "50", cost),
    }
    assert all(Decimal(each["spent_usd"]) + Decimal(each["reserved_usd"]) <= 1 for each in items)
    first = (await ann.get(f"{API}/budgets", limit=3)).json()
    rest = (await ann.get(f"{API}/budgets", limit=3, cursor=first["next_cursor"])).json()
    assert [*first["items"], *rest["items"]] == items


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_that_a_fallback_answers_is_charged_at_its_price_and_shown_under_its_model(
    door: Door, upstream: MockUpstream, *, stream: bool
) -> None:
    async with running_upstream(mode=Mode.FAILS) as broken:
        cheap, dear = ({"name": "m", "price": {"input": price, "output": price}} for price in (1, 1_000))
        once: dict[str, Any] = {"retries": {"attempts": 1}}
        await door.configured(
            providers={
                "dear": {**provider(broken), **once, "models": [dear]},
                "cheap": {**provider(upstream), **once, "models": [cheap]},
            },
            fallbacks={"dear/m": ["cheap/m"], "cheap/m": ["dear/m"]},
            limits={"budget": {"amount_usd": 1}},
        )
        ann = holder(door)
        assert ann.token
        answer = await chat(door, ann.token, "dear/m", max_tokens=10, stream=stream)
        assert answer.headers["x-opencode-model"] == "cheap/m", answer.text
        [line] = await charged(door, ann, 1)
        assert (line["model"], line["cost_usd"], line["status"]) == ("cheap/m", "0.000009", 200)
        assert (line["input_tokens"], line["output_tokens"], line["key_id"]) == (5, 4, ann.token)
        assert line["flags"] == (["stream", "retried"] if stream else ["retried"])
        usage = (await ann.get(f"{API}/usage", by="model")).json()
        assert [(part["name"], part["sums"]["cost_usd"]) for part in usage["parts"]] == [("cheap/m", "0.000009")]
        [budget] = (await ann.get(f"{API}/budgets")).json()["items"]
        assert budget["spent_usd"] == "0.000009"
        # Whoever is asked first, what the dearest of them may take has to be there before.
        for first in ("dear/m", "cheap/m"):
            refused = await chat(door, ann.token, first, max_tokens=2_000, stream=stream)
            assert refused.status_code == 413, refused.text


@pytest.mark.parametrize(
    ("mode", "stream", "status"), [(Mode.FINE, False, 200), (Mode.FINE, True, 200), (Mode.CUTS, True, 502)]
)
async def test_a_call_that_was_not_answered_at_the_first_try_says_so_in_the_ledger_however_it_ends(
    door: Door, upstream: MockUpstream, mode: Mode, stream: bool, status: int
) -> None:
    async with running_upstream(mode=mode) as spare:
        providers = {"openai": provider(upstream, retries={"attempts": 1}), "spare": provider(spare)}
        await door.configured(providers=providers, fallbacks={"openai/small": ["spare/small"]})
        ann = holder(door)
        key = key_of(door, ann)
        upstream.mode = Mode.FAILS
        await chat(door, key, stream=stream)
        [line] = await charged(door, ann, 1)
        assert (line["model"], line["status"]) == ("spare/small", status)
        assert "retried" in line["flags"]
        upstream.mode = mode
        await chat(door, key, stream=stream)
        first_try, _ = await charged(door, ann, 2)
        assert (first_try["model"], first_try["status"]) == ("openai/small", status)
        assert "retried" not in first_try["flags"]


async def test_who_leaves_while_a_fallback_is_asked_has_a_line_that_says_so(door: Door, upstream: MockUpstream) -> None:
    async with running_upstream(mode=Mode.HANGS) as spare:
        providers = {"openai": provider(upstream, retries={"attempts": 1}), "spare": provider(spare)}
        await door.configured(providers=providers, fallbacks={"openai/small": ["spare/small"]})
        ann = holder(door)
        upstream.mode = Mode.FAILS
        leaving = asyncio.create_task(chat(door, key_of(door, ann), stream=True))
        async with asyncio.timeout(PATIENCE_S):
            await spare.arrived.wait()
        leaving.cancel()
        [line] = await charged(door, ann, 1)
        assert (line["status"], line["flags"]) == (499, ["stream", "estimated", "retried"])


async def test_a_stream_whose_provider_does_not_hang_up_after_its_last_word_is_charged_all_the_same(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "_LAST_WORD_S", PATIENCE_S)  # the client is gone before that

    async def dawdle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        delta = {"index": 0, "delta": {"content": "Hello"}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}
        for chunk in ({"choices": [delta]}, {"choices": [], "usage": usage}):
            await response.write(f"data: {json.dumps({'id': 'c', **chunk})}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        await asyncio.Event().wait()
        return response

    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", dawdle)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    await door.configured(providers={"slow": {"type": "custom", "base_url": url, "models": ["m"]}})
    ann = holder(door)
    assert ann.token
    answer = await chat(door, ann.token, "slow/m", stream=True)
    assert answer.text.endswith("data: [DONE]\n\n")
    [line] = await charged(door, ann, 1)
    assert (line["input_tokens"], line["output_tokens"], line["status"]) == (5, 4, 200)
    await runner.cleanup()
