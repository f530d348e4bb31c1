"""The last question of a request: requests that differ in anything but its words never count as the same."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from opencode.modules.ai.domain.dialects.canonical import Dialect
from opencode.modules.ai.domain.dialects.exchange import ChatExchange
from opencode.modules.ai.domain.dialects.questions import LastQuestion

Json = dict[str, Any]
texts = st.text(st.characters(exclude_categories=("Cs", "N")), min_size=1, max_size=20).filter(str.strip)
roles = st.sampled_from(["system", "user", "assistant"])
earlier = st.lists(st.fixed_dictionaries({"role": roles, "content": texts}), max_size=3)
others = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2),
        "max_tokens": st.integers(1, 9),
        "user": texts,
        "seed": st.integers(0, 9),
        "something": texts,
    },
)


def question_of(dialect: Dialect = Dialect.OPENAI_CHAT, **body: Any) -> LastQuestion | None:
    raw = json.dumps({"model": "m", **body}).encode()
    return ChatExchange(dialect, raw, seed=lambda: "seed", now_s=1).last_question()


def asked(text: str, before: list[Json], other: Json) -> LastQuestion:
    found = question_of(messages=[*before, {"role": "user", "content": text}], **other)
    assert found is not None
    return found


@given(texts, texts, earlier, others)
def test_other_words_leave_everything_else_the_same(one: str, two: str, before: list[Json], other: Json) -> None:
    first, second = asked(one, before, other), asked(two, before, other)
    assert (first.text, second.text) == (one, two)
    assert first.rest == second.rest


@given(texts, earlier, earlier, others, others)
def test_whatever_else_differs_makes_another_question(
    text: str, before: list[Json], before_too: list[Json], other: Json, other_too: Json
) -> None:
    assume((before, other) != (before_too, other_too))
    assert asked(text, before, other).rest != asked(text, before_too, other_too).rest


@given(st.lists(st.integers(0, 99), max_size=3), st.lists(st.integers(0, 99), max_size=3))
def test_numbers_are_the_same_in_the_same_order(one: list[int], two: list[int]) -> None:
    first, second = [asked(f"Add {' and '.join(map(str, each))}!", [], {}) for each in (one, two)]
    assert (first.rest == second.rest) == (one == two)


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        (Dialect.OPENAI_CHAT, {"messages": []}),
        (Dialect.OPENAI_CHAT, {"messages": "Hi"}),
        (Dialect.OPENAI_CHAT, {}),
        (Dialect.OPENAI_CHAT, {"messages": [{"role": "tool", "tool_call_id": "1", "content": "Hi"}]}),
        (Dialect.OPENAI_CHAT, {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", "more": 1}]}]}),
        (Dialect.OPENAI_RESPONSES, {"input": []}),
        (Dialect.OPENAI_RESPONSES, {"input": "Hi", "tools": [{"type": "function", "name": "f", "parameters": {}}]}),
        (
            Dialect.ANTHROPIC,
            {
                "max_tokens": 1,
                "messages": [
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "x"}]}
                ],
            },
        ),
        (Dialect.OLLAMA_CHAT, {"messages": [{"role": "user", "content": "Hi", "images": ["AAAA"]}]}),
        (Dialect.OLLAMA_GENERATE, {"prompt": "Hi", "images": ["AAAA"]}),
        (Dialect.OLLAMA_GENERATE, {"prompt": ""}),
    ],
)
def test_what_is_more_than_words_or_less_has_none(dialect: Dialect, body: Json) -> None:
    assert question_of(dialect, **body) is None
