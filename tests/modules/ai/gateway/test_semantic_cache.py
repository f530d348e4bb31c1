"""A question that is like one that was answered gets the same answer: only where that is wished for, and says so."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from tests.modules.ai.conftest import Person
from tests.modules.ai.gateway.conftest import (
    CHAT,
    MESSAGES,
    OLLAMA_CHAT,
    OLLAMA_GENERATE,
    PATIENCE_S,
    RESPONSES,
    Door,
    Json,
    provider,
    three,
)
from tests.modules.ai.gateway.test_limits import charged
from tests.modules.ai.upstreams import MockUpstream, Mode, running_upstream

ASKED, EMBEDDED = "/v1/chat/completions", "/v1/embeddings"
REVERSE = "How do I reverse a list?"
LIKE_IT = "How can I reverse a list?"
"""At a cosine of 0.96."""
UNLIKE_IT = "What is the capital of Norway?"
VECTORS = {REVERSE: [1.0, 0.0, 0.0], LIKE_IT: [0.96, 0.28, 0.0], UNLIKE_IT: [0.0, 0.0, 2.0]}


@pytest.fixture
async def embedder() -> AsyncGenerator[MockUpstream]:
    async with running_upstream() as upstream:
        # What is not in the list differs from REVERSE in next to nothing: only the gateway tells them apart.
        upstream.vector = lambda text: VECTORS.get(text, [1.0, 0.001, 0.0])
        yield upstream


@pytest.fixture
async def compared(door: Door, upstream: MockUpstream, embedder: MockUpstream) -> Door:
    """The door, with a model that makes vectors."""
    await door.configured(**configuration(upstream, embedder))
    return door


def configuration(upstream: MockUpstream, embedder: MockUpstream, **more: Any) -> Json:
    semantic = {"embedding_model": "vectors/e5", "least_similarity": 0.95, **more.pop("semantic", {})}
    models = [{"name": "e5", "price": {"input": 1}}]
    vectors = provider(embedder, retries={"attempts": 1})
    return {
        "providers": {**three(upstream), "vectors": {**vectors, "models": models}},
        "cache": {"enabled": True, "semantic": semantic},
        **more,
    }


async def ask(door: Door, text: str, **more: Any) -> tuple[str | None, str | None]:
    """What the headers say of the cache: the outcome, and how near it was."""
    body: Json = {"model": "openai/small", "messages": [{"role": "user", "content": text}], **more}
    return told(await door.post(CHAT, **body))


def told(answer: Any) -> tuple[str | None, str | None]:
    assert answer.status_code == 200, answer.text
    return answer.headers.get("x-opencode-cache"), answer.headers.get("x-opencode-cache-similarity")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_near_question_is_answered_from_the_cache_and_says_how_near_it_is(
    compared: Door, upstream: MockUpstream, stream: bool
) -> None:
    assert await ask(compared, REVERSE, stream=stream) == ("miss", None)
    assert await ask(compared, LIKE_IT, stream=stream) == ("semantic", "0.9600")
    assert await ask(compared, UNLIKE_IT, stream=stream) == ("miss", None)
    assert await ask(compared, REVERSE, stream=stream) == ("hit", None)
    assert upstream.count(ASKED) == 2


async def test_a_near_question_gets_the_very_bytes_of_the_first_answer(compared: Door) -> None:
    first, second = [
        await compared.post(CHAT, model="openai/small", messages=[{"role": "user", "content": text}])
        for text in (REVERSE, LIKE_IT)
    ]
    assert first.content == second.content
    assert second.headers["x-opencode-model"] == "openai/small"


async def test_what_is_like_an_answer_that_was_found_is_not_led_on_from_there(
    compared: Door, upstream: MockUpstream, embedder: MockUpstream
) -> None:
    """Or a chain of questions, each like the one before, would end at the answer to quite another one."""
    embedder.vector = lambda text: {REVERSE: [1.0, 0.0], LIKE_IT: [0.96, 0.28]}.get(text, [0.8432, 0.5376])
    assert await ask(compared, REVERSE) == ("miss", None)
    assert await ask(compared, LIKE_IT) == ("semantic", "0.9600")
    assert await ask(compared, "Reverse, please") == ("miss", None)
    assert upstream.count(ASKED) == 2


def said(content: Any, **more: Any) -> Json:
    return {"messages": [{"role": "user", "content": content}], **more}


def words(text: str, kind: str = "text") -> list[Json]:
    return [{"type": kind, "text": text}]


DIALECTS: list[tuple[str, Callable[[str], Json]]] = [
    (MESSAGES, lambda text: said(text, max_tokens=9)),
    (MESSAGES, lambda text: said(words(text), max_tokens=9)),
    (RESPONSES, lambda text: {"input": text}),
    (RESPONSES, lambda text: {"input": [{"role": "user", "content": words(text, "input_text")}]}),
    (OLLAMA_CHAT, lambda text: said(text, stream=False)),
    (OLLAMA_GENERATE, lambda text: {"prompt": text, "stream": False}),
]


@pytest.mark.parametrize(("path", "question"), DIALECTS)
async def test_every_dialect_has_it(compared: Door, path: str, question: Callable[[str], Json]) -> None:
    found = [told(await compared.post(path, model="openai/small", **question(text))) for text in (REVERSE, LIKE_IT)]
    assert found == [("miss", None), ("semantic", "0.9600")]


async def test_other_people_get_nothing_of_it_and_teams_share(
    door: Door, upstream: MockUpstream, embedder: MockUpstream
) -> None:
    teams = {"lab": {"members": ["ada@example.org", "bob@example.org"]}}
    await door.configured(**configuration(upstream, embedder, teams=teams))
    assert await ask(door, REVERSE) == ("miss", None)
    for email, outcome in (("bob@example.org", "semantic"), ("eve@example.org", "miss")):
        token = door.ai.member("ai:use", email=email).token
        body: Json = {"model": "openai/small", "messages": [{"role": "user", "content": LIKE_IT}]}
        answer = await door.post(CHAT, {"authorization": f"Bearer {token}"}, **body)
        assert answer.headers["x-opencode-cache"] == outcome


@pytest.mark.parametrize(
    "other",
    [
        {"temperature": 0.5},
        {"model": "openai/large"},
        {"max_tokens": 7},
        {"user": "somebody"},
        {"unknown": 1},
        {"stream": True},
        {"response_format": {"type": "json_object"}},
    ],
)
async def test_another_parameter_is_another_question(compared: Door, upstream: MockUpstream, other: Json) -> None:
    await ask(compared, REVERSE)
    assert await ask(compared, LIKE_IT, **other) == ("miss", None)
    assert upstream.count(ASKED) == 2


@pytest.mark.parametrize(
    "before",
    [
        [{"role": "system", "content": "Answer in Norwegian."}],
        [{"role": "user", "content": "In Rust."}, {"role": "assistant", "content": "Yes?"}],
    ],
)
async def test_what_was_said_before_must_be_the_same_to_the_letter(compared: Door, before: list[Json]) -> None:
    def conversation(earlier: list[Json], text: str) -> list[Json]:
        return [*earlier, {"role": "user", "content": text}]

    await ask(compared, REVERSE)
    assert await ask(compared, "", messages=conversation(before, LIKE_IT)) == ("miss", None)
    assert await ask(compared, "", messages=conversation(before, REVERSE)) == ("semantic", "0.9600")


@pytest.mark.parametrize("text", ["Reverse a list of 12 items", "Reverse 3 lists", "Reverse 3 lists of 12 items"])
async def test_other_numbers_are_another_question_however_near_the_vectors_are(compared: Door, text: str) -> None:
    await ask(compared, REVERSE)
    await ask(compared, "Reverse a list of 12 items, 3 times")
    assert await ask(compared, text) == ("miss", None)


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": REVERSE},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                    ],
                }
            ]
        },
        {"messages": [{"role": "user", "content": REVERSE}, {"role": "assistant", "content": "You"}]},
        {"messages": [{"role": "user", "content": REVERSE + " please" * 200}]},
        {"messages": [{"role": "system", "content": "x" * 64 * 1024}, {"role": "user", "content": REVERSE}]},
        {"messages": [{"role": "user", "content": " "}]},
    ],
    ids=["tools", "a picture", "the assistant spoke last", "a long question", "a long conversation", "nothing"],
)
async def test_what_is_more_than_a_short_question_in_words_is_not_compared(
    compared: Door, embedder: MockUpstream, more: Json
) -> None:
    assert await ask(compared, REVERSE, **more) == ("miss", None)
    assert embedder.count(EMBEDDED) == 0


async def test_a_python_object_can_make_the_vectors(door: Door, upstream: MockUpstream) -> None:
    bag: Json = {"type": "custom", "entry_point": "tests.modules.ai.echo:Bag", "models": ["words"]}
    semantic = {"embedding_model": "bag/words", "least_similarity": 0.9}
    await door.configured(providers={**three(upstream), "bag": bag}, cache={"enabled": True, "semantic": semantic})
    assert (await ask(door, "How do I reverse a list in this language?"))[0] == "miss"
    assert (await ask(door, "How do I reverse a list, in this language, please?"))[0] == "semantic"
    assert (await ask(door, "What is the capital of Norway?"))[0] == "miss"


async def test_a_model_of_ollama_can_make_the_vectors(door: Door, upstream: MockUpstream) -> None:
    cache = {"enabled": True, "semantic": {"embedding_model": "ollama/small"}}
    await door.configured(providers=three(upstream), cache=cache)
    # The mock makes the same vector of every text.
    assert [await ask(door, text) for text in (REVERSE, UNLIKE_IT)] == [("miss", None), ("semantic", "1.0000")]
    assert upstream.count("/api/embed") == 2


async def test_vectors_of_two_models_are_never_compared_also_when_one_stands_in_for_the_other(
    door: Door, upstream: MockUpstream, embedder: MockUpstream
) -> None:
    wished = configuration(upstream, embedder, semantic={"embedding_model": "any"})
    await door.configured(**wished, aliases={"any": "vectors/e5"}, fallbacks={"any": ["openai/large"]})
    upstream.vector = embedder.vector
    assert await ask(door, REVERSE) == ("miss", None)
    embedder.mode = Mode.FAILS
    assert await ask(door, LIKE_IT) == ("miss", None)
    assert upstream.count(EMBEDDED) == 1
    embedder.mode = Mode.FINE
    assert await ask(door, "Reverse a list!") == ("semantic", "1.0000")


async def test_where_it_is_not_wished_for_no_vector_is_ever_made(
    door: Door, upstream: MockUpstream, embedder: MockUpstream
) -> None:
    wished = configuration(upstream, embedder)
    for cache in ({"enabled": True}, {"enabled": False}, {"enabled": True, "semantic": None}):
        await door.configured(**{**wished, "cache": cache})
        await ask(door, REVERSE)
        assert (await ask(door, LIKE_IT))[0] != "semantic"
    assert embedder.count(EMBEDDED) == 0


async def test_a_request_can_opt_out(compared: Door, upstream: MockUpstream, embedder: MockUpstream) -> None:
    await ask(compared, REVERSE)
    body: Json = {"model": "openai/small", "messages": [{"role": "user", "content": LIKE_IT}]}
    assert told(await compared.post(CHAT, {"cache-control": "no-store"}, **body)) == (None, None)
    assert embedder.count(EMBEDDED) == 1
    assert upstream.count(ASKED) == 2


@pytest.mark.parametrize("mode", [Mode.FAILS, Mode.REFUSES_KEY, Mode.NOT_JSON, Mode.HANGS, Mode.BUSY])
async def test_while_no_vectors_can_be_made_the_model_answers(
    door: Door, upstream: MockUpstream, embedder: MockUpstream, mode: Mode
) -> None:
    await door.configured(**configuration(upstream, embedder, semantic={"timeout_s": 0.2}))
    embedder.mode = mode
    assert [await ask(door, text) for text in (REVERSE, LIKE_IT, UNLIKE_IT)] == [("miss", None)] * 3
    assert upstream.count(ASKED) == 3
    # One of them has found out; the others did not wait for it.
    assert embedder.count(EMBEDDED) == 1


async def test_a_provider_of_vectors_that_is_not_there_is_no_matter(
    door: Door, upstream: MockUpstream, embedder: MockUpstream
) -> None:
    wished = configuration(upstream, embedder)
    wished["providers"]["vectors"]["base_url"] = "http://127.0.0.1:9/v1"
    await door.configured(**wished)
    assert [await ask(door, text) for text in (REVERSE, LIKE_IT)] == [("miss", None)] * 2


async def test_vectors_that_are_none_are_no_matter(door: Door, compared: Door, embedder: MockUpstream) -> None:
    embedder.vector = lambda _text: [0.0, 0.0]
    assert [await ask(compared, text) for text in (REVERSE, LIKE_IT)] == [("miss", None)] * 2


async def test_vectors_are_on_the_bill_of_whoever_asks_and_kept_answers_cost_nothing(compared: Door) -> None:
    await ask(compared, REVERSE)
    await ask(compared, LIKE_IT)
    lines = await charged(compared, Person(compared.ai.client, compared.token, ""), 4)
    found = [(each["model"], each["input_tokens"], each["flags"]) for each in lines]
    assert sorted(found) == [
        ("openai/small", 0, ["cached", "semantic"]),
        ("openai/small", 5, []),
        ("vectors/e5", 3, []),
        ("vectors/e5", 3, []),
    ]


async def test_a_vector_is_no_request_of_the_persons_and_none_is_made_for_whoever_is_over_a_limit(
    door: Door, upstream: MockUpstream, embedder: MockUpstream
) -> None:
    limits = {"requests_per_minute": 2, "concurrency": 1}
    await door.configured(**configuration(upstream, embedder, limits=limits))
    assert [(await ask(door, text))[0] for text in (REVERSE, LIKE_IT)] == ["miss", "semantic"]
    body: Json = {"model": "openai/small", "messages": [{"role": "user", "content": UNLIKE_IT}]}
    assert (await door.post(CHAT, **body)).status_code == 429
    assert embedder.count(EMBEDDED) == 2


async def test_a_team_that_may_not_use_the_model_of_vectors_does_without(
    door: Door, upstream: MockUpstream, embedder: MockUpstream
) -> None:
    teams = {"lab": {"members": ["ada@example.org"], "models": ["openai/*"]}}
    await door.configured(**configuration(upstream, embedder, teams=teams))
    assert [await ask(door, text) for text in (REVERSE, LIKE_IT)] == [("miss", None)] * 2
    assert embedder.count(EMBEDDED) == 0


async def test_who_asks_the_same_at_once_has_one_vector_made_and_all_are_told_that_it_is_another_questions_answer(
    compared: Door, upstream: MockUpstream, embedder: MockUpstream
) -> None:
    await ask(compared, REVERSE)
    embedder.arrived.clear()
    embedder.mode = Mode.HANGS
    first = asyncio.create_task(ask(compared, LIKE_IT))
    async with asyncio.timeout(PATIENCE_S):
        await embedder.arrived.wait()
    embedder.mode = Mode.FINE
    others = [asyncio.create_task(ask(compared, LIKE_IT)) for _ in range(3)]
    first.cancel()
    async with asyncio.timeout(PATIENCE_S):
        found = await asyncio.gather(*others)
    assert found == [("semantic", "0.9600")] * 3
    assert upstream.count(ASKED) == 1
    assert compared.ai.module.meter.under_way == 0


async def test_who_leaves_while_a_vector_is_made_leaves_nothing_reserved(
    compared: Door, embedder: MockUpstream, upstream: MockUpstream
) -> None:
    embedder.mode = Mode.HANGS
    leaving = asyncio.create_task(ask(compared, REVERSE))
    async with asyncio.timeout(PATIENCE_S):
        await embedder.arrived.wait()
        leaving.cancel()
        await embedder.left.wait()
    embedder.mode = Mode.FINE
    assert await ask(compared, REVERSE) == ("miss", None)
    assert compared.ai.module.meter.under_way == 0
    assert upstream.count(ASKED) == 1


@pytest.mark.parametrize(
    ("semantic", "cache", "complaint"),
    [
        ({"embedding_model": "vectors/none"}, {}, "The provider 'vectors' has no model 'none'."),
        ({"least_similarity": 0.2}, {}, "least_similarity must be at least 0.5, not 0.2."),
        ({}, {"enabled": False}, "Nothing is kept that questions could be like"),
    ],
)
async def test_a_configuration_that_cannot_be_meant_is_refused_with_the_reason(
    door: Door, upstream: MockUpstream, embedder: MockUpstream, semantic: Json, cache: Json, complaint: str
) -> None:
    wished = configuration(upstream, embedder, semantic=semantic)
    await door.configured(**{**wished, "cache": {**wished["cache"], **cache}})
    refused = door.ai.module.live.refused
    assert refused is not None
    assert complaint in refused.mistakes[0]
