"""Webhooks of runs: told at least once, signed, and not for ever."""

import hashlib
import hmac
import re
from pathlib import Path

import msgspec
import pytest

from opencode.modules.execution.settings import ExecutionSettings

from .conftest import World, accepted, outcome, program, state_of
from .receiver import receiving

DOCS = Path(__file__).parents[4] / "docs" / "execution.md"


@pytest.fixture
def settings() -> ExecutionSettings:
    return ExecutionSettings(concurrency=2, webhooks_to_private_networks=True)


async def test_the_end_of_a_run_is_told_once_and_signed(world: World) -> None:
    async with receiving() as receiver:
        grace = world.person()
        done = await outcome(grace, "out hello", webhook={"url": receiver.url, "secret": "a good secret"})
        await world.job("call webhooks")
        await world.job("call webhooks")
        (headers, body), *more = receiver.got
        assert more == []
        assert msgspec.json.decode(body) == {"type": "run.finished", "run": done}
        seconds, _, given = headers["ocp-signature"].removeprefix("t=").partition(",v1=")
        expected = hmac.digest(b"a good secret", f"{seconds}.".encode() + body, hashlib.sha256).hex()
        assert given == expected
        assert int(seconds) == int(world.clock.now().timestamp())
        assert "secret" not in str(await state_of(grace, done["id"]))


async def test_without_a_secret_nothing_is_signed(world: World) -> None:
    async with receiving() as receiver:
        await outcome(world.person(), "out hello", webhook={"url": receiver.url})
        await world.job("call webhooks")
        assert "ocp-signature" not in receiver.got[0][0]


async def test_a_failed_call_is_tried_again_later_and_given_up_after_a_day(world: World) -> None:
    async with receiving() as receiver:
        receiver.answers = ["HTTP/1.1 503 Not now"]
        await outcome(world.person(), "out hello", webhook={"url": receiver.url})
        await world.job("call webhooks")
        await world.job("call webhooks")
        assert len(receiver.got) == 1
        for _ in range(60):
            world.clock.advance(3600)
            await world.job("call webhooks")
        tries = len(receiver.got)
        assert 20 <= tries <= 26
        receiver.answers = ["HTTP/1.1 200 OK"]
        world.clock.advance(86_400)
        await world.job("call webhooks")
        assert len(receiver.got) == tries


async def test_a_receiver_that_comes_back_is_told(world: World) -> None:
    async with receiving() as receiver:
        receiver.answers = ["HTTP/1.1 500 Oops", "HTTP/1.1 200 OK"]
        await outcome(world.person(), "out hello", webhook={"url": receiver.url})
        for _ in range(3):
            await world.job("call webhooks")
            world.clock.advance(10)
        assert len(receiver.got) == 2


async def test_a_run_that_is_stopped_while_it_waits_is_told_too(world: World) -> None:
    async with receiving() as receiver:
        grace = world.person()
        for name in ("one", "two"):
            await accepted(grace, program(f"wait {name}"))
            await world.runner.reached(name)
        run = await accepted(grace, program("out hi", webhook={"url": receiver.url}))
        await grace.post(f"/api/v1/runs/{run['id']}/stop")
        await world.job("call webhooks")
        assert msgspec.json.decode(receiver.got[0][1])["run"]["status"] == "stopped"


async def test_the_example_of_the_docs_verifies_what_is_sent(world: World) -> None:
    code = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    example = next(each for each in code if "def is_genuine" in each)
    names: dict[str, object] = {}
    exec(compile(example, str(DOCS), "exec"), names)
    is_genuine = names["is_genuine"]
    assert callable(is_genuine)
    async with receiving() as receiver:
        await accepted(world.person(), program("out hello", webhook={"url": receiver.url, "secret": "a good secret"}))
        while not receiver.got:
            await world.job("call webhooks")
        headers, body = receiver.got[0]
        now = world.clock.now().timestamp()
        header = headers["ocp-signature"]
        assert is_genuine(header, body, "a good secret", now)
        assert not is_genuine(header, body + b" ", "a good secret", now)
        assert not is_genuine(header, body, "another secret", now)
        assert not is_genuine(header, body, "a good secret", now + 301)
        assert not is_genuine("nonsense", body, "a good secret", now)
