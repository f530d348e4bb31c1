"""Answers for other modules: on behalf of somebody, within their limits, on their bill."""

import asyncio
from contextlib import aclosing

import pytest

from opencode.contracts.ai import Answered, Turn
from opencode.kernel.errors import Busy, Forbidden, NotFound, Unavailable
from opencode.kernel.ids import UserId
from opencode.modules.ai.errors import AnswerFailed
from tests.modules.ai.gateway.conftest import Door, Json, provider
from tests.modules.ai.upstreams import MockUpstream, Mode

TURNS = (Turn("person", "Hi"), Turn("assistant", "Hello"), Turn("person", "Say it again"))


def ada(door: Door) -> UserId:
    return UserId(door.ai.identity.who(door.token).id)


async def said(door: Door, model: str, who: UserId | None = None) -> list[str | Answered]:
    assistants = door.ai.module.assistants
    pieces = assistants.answer(
        on_behalf_of=who or ada(door), model=model, system="Be brief.", turns=TURNS, most_output_tokens=50
    )
    return [piece async for piece in pieces]


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "ollama"])
async def test_an_answer_comes_in_pieces_and_ends_with_what_it_cost(
    door: Door, upstream: MockUpstream, dialect: str
) -> None:
    await door.configured(providers={"one": provider(upstream, dialect)})
    *pieces, end = await said(door, "one/small")
    assert "".join(map(str, pieces)) == "Hello, world."
    assert len(pieces) > 1
    assert isinstance(end, Answered)
    assert end.model == "one/small"
    assert end.input_tokens
    assert end.output_tokens
    assert end.cost_nano == end.input_tokens * 1_000 + end.output_tokens * 2_000


async def test_the_provider_gets_the_instruction_and_the_whole_conversation(door: Door, upstream: MockUpstream) -> None:
    await door.configured(providers={"one": provider(upstream)})
    await said(door, "one/small")
    body: Json = upstream.seen[-1].body
    roles = [(message["role"], message["content"]) for message in body["messages"]]
    assert roles == [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Say it again")]
    assert body["max_completion_tokens"] == 50


async def test_what_somebody_may_use_is_listed_with_the_default_first(door: Door, upstream: MockUpstream) -> None:
    assistants = door.ai.module.assistants
    await door.configured(providers={})
    assert await assistants.available(ada(door)) == []
    await door.configured(
        providers={"one": provider(upstream)}, aliases={"best": "one/large"}, default_model="one/small"
    )
    assert await assistants.available(ada(door)) == ["one/small", "best", "one/large"]
    outsider = UserId(door.ai.identity.who(door.ai.identity.add_user("Bob")).id)
    assert await assistants.available(outsider) == []
    with pytest.raises(Forbidden):
        await said(door, "one/small", outsider)


async def test_a_limit_and_an_unknown_model_are_told_as_our_own_errors(door: Door, upstream: MockUpstream) -> None:
    await door.configured(providers={"one": provider(upstream)}, limits={"requests_per_minute": 1})
    with pytest.raises(NotFound):
        await said(door, "one/unheard-of")
    await said(door, "one/small")
    with pytest.raises(Busy):
        await said(door, "one/small")


@pytest.mark.parametrize("mode", [Mode.FAILS, Mode.CUTS])
async def test_a_provider_that_fails_is_told_of_in_words(door: Door, upstream: MockUpstream, mode: Mode) -> None:
    await door.configured(providers={"one": provider(upstream)})
    upstream.mode = mode
    with pytest.raises(AnswerFailed) as failed:
        await said(door, "one/small")
    assert isinstance(failed.value, Unavailable)
    assert failed.value.detail


async def test_whoever_stops_listening_breaks_the_provider_off(door: Door, upstream: MockUpstream) -> None:
    await door.configured(providers={"one": provider(upstream)})
    few = iter([True] * 3)

    async def hold() -> None:
        if not next(few, False):
            await asyncio.Event().wait()

    upstream.pause = hold
    pieces = door.ai.module.assistants.answer(
        on_behalf_of=ada(door), model="one/small", system="", turns=TURNS, most_output_tokens=50
    )
    async with aclosing(pieces):
        assert await anext(pieces)
    await upstream.left.wait()
