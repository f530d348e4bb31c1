"""What models are for in the product, whole: a server, the provider of `ocp ai mock`, and nothing but HTTP."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.modules.ai.gateway.test_mock_provider import mock_provider
from tests.ocp import EMAIL, PASSWORD, QUICK_PASSWORDS, serving

Json = dict[str, Any]
INTERVIEWS, PROJECTS = "/api/v1/interviews", "/api/v1/projects"


def _configuration(provider: str, *, budget_usd: float) -> Json:
    parrot = {"name": "parrot", "capabilities": ["chat"], "price": {"input": 100, "output": 400}}
    return {
        "$schema": "https://opencode.invalid/schemas/ai.v1.json",
        "providers": {"mock": {"type": "custom", "base_url": f"{provider}/v1", "models": [parrot]}},
        "limits": {"budget": {"amount_usd": budget_usd, "period": "month"}},
        "redaction": {"email_addresses": True},
    }


@pytest.fixture
def budget_usd() -> float:
    """Override to say what everybody may spend."""
    return 1000


@pytest.fixture
async def ada(tmp_path: Path, budget_usd: float) -> AsyncGenerator[httpx.AsyncClient]:
    """Who interviews and publishes, signed in on a server with a parrot."""
    async with mock_provider() as provider:
        configuration = tmp_path / "opencode.json"
        configuration.write_text(json.dumps(_configuration(provider, budget_usd=budget_usd)))
        settings = {**QUICK_PASSWORDS, "OCP_AI_CONFIG": str(configuration)}
        with serving(tmp_path / "data", settings=settings) as server:
            headers = {"origin": server.url}
            async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:
                account = {"email": EMAIL, "password": PASSWORD, "display_name": "Ada"}
                assert (await client.post("/api/v1/auth/register", json=account)).status_code == 201
                yield client


async def _ended(ada: httpx.AsyncClient) -> Json:
    interview = (await ada.post(INTERVIEWS, json={"title": "Word count"})).json()
    path = f"{INTERVIEWS}/{interview['id']}"
    message = {"text": "Write to zoe@example.org when you have counted."}
    assert (await ada.post(f"{path}/messages", json=message)).status_code == 201
    return (await ada.post(f"{path}/end")).json()


async def _told(ada: httpx.AsyncClient, path: str, after: int) -> list[Json]:
    """What the stream says of a draft, to its end."""
    async with ada.stream("GET", f"{path}/events", params={"after": after}) as stream:
        lines = [line async for line in stream.aiter_lines()]
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


async def test_a_draft_and_a_suggestion_are_written_by_the_parrot_and_charged_to_who_asked(
    ada: httpx.AsyncClient,
) -> None:
    interview = await _ended(ada)
    path = f"{INTERVIEWS}/{interview['id']}"
    asked = (await ada.post(f"{path}/summary", json={})).json()
    told = await _told(ada, path, asked["follows_seq"])
    assert told[0]["type"] == "summary.requested"
    assert {each["type"] for each in told[1:-1]} == {"summary.written"}
    drafted = told[-1]["summary"]
    assert (drafted["state"], drafted["written_by"]) == ("draft", "mock/parrot")
    assert "".join(each["text"] for each in told[1:-1]) == drafted["text"]
    assert "the interviewer: Write to [email] when you have counted." in drafted["text"]
    accepted = await ada.post(f"{path}/summary/accept", json={"id": asked["id"], "revision": 0})
    assert accepted.json()["accepted_by"]["name"] == "Ada"
    session = next(iter((await ada.get(f"{path}/export")).json()["sessions"].values()))
    assert session["summary"] == accepted.json()
    assert session["assistant"]["broken_at"] is None
    suggested = await ada.post(f"{PROJECTS}/suggestions", json={"text": "# Loom\n\nWeaves patterns."})
    tags = [{"tag": word, "known": False} for word in ("loom", "weaves", "patterns")]
    assert suggested.json() == {"summary": "Loom Weaves patterns", "tags": tags, "model": "mock/parrot"}
    calls: list[Json] = []
    while len(calls) < 2:
        calls = (await ada.get("/api/v1/ai/calls")).json()["items"]
    assert {call["model"] for call in calls} == {"mock/parrot"}
    assert drafted["cost_nano"] > 0


@pytest.mark.parametrize("budget_usd", [0.000001])
async def test_a_spent_budget_is_told_and_leaves_nothing_half(ada: httpx.AsyncClient) -> None:
    interview = await _ended(ada)
    path = f"{INTERVIEWS}/{interview['id']}"
    asked = (await ada.post(f"{path}/summary", json={})).json()
    failed = (await _told(ada, path, asked["follows_seq"]))[-1]["summary"]
    assert failed["state"] == "failed"
    assert "the person may take $0.000001 a month" in failed["failure"]
    assert (failed["drafted"], failed["text"]) == ("", "")
    suggested = await ada.post(f"{PROJECTS}/suggestions", json={"text": "# Loom"})
    assert suggested.status_code == 413
    assert "the person may take $0.000001 a month" in suggested.json()["detail"]
