"""What is taken for good at once is what the published schema takes for good."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.ai.domain.configuration.jsonc import Node, Source
from opencode.modules.ai.domain.configuration.model import json_schema
from opencode.modules.ai.domain.configuration.shape import misshapen, well_formed

WHOLE: dict[str, Any] = {
    "$schema": "x",
    "providers": {
        "p": {
            "type": "custom",
            "preset": None,
            "dialect": "openai",
            "base_url": "http://127.0.0.1:1/v1",
            "api_key": "k",
            "headers": {"h": "v"},
            "entry_point": "package.module:name",
            "models": [
                "m",
                {"name": "n", "context_window": 1, "capabilities": ["chat"], "price": {"input": 1, "output": 0.5}},
            ],
            "discover": True,
            "weight": 1,
            "concurrency": 2,
            "timeouts": {"connect_s": 1},
            "retries": {"attempts": 2, "budget": 0.5},
            "breaker": {"failures": 3},
        }
    },
    "aliases": {"a": "p/m", "b": {"targets": ["p/m", {"model": "p/n", "weight": 2}], "strategy": "cost"}},
    "fallbacks": {"p/m": ["p/n"]},
    "default_model": "a",
    "limits": {"requests_per_minute": 1, "budget": {"amount_usd": 1.5, "period": "day"}},
    "people": {"ada@example.org": {"concurrency": 1}},
    "teams": {"t": {"members": ["ada@example.org"], "models": ["p/*"], "limits": {}}},
    "cache": {"enabled": True, "most_bytes": 0, "semantic": {"embedding_model": "p/m", "least_similarity": 0.9}},
    "redaction": {"email_addresses": True},
}
AWAY = object()

Steps = tuple[str | int, ...]


def _steps(value: Any, before: Steps = ()) -> list[Steps]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [before, *(step for key, each in inner for step in _steps(each, (*before, key)))]


texts = st.text(max_size=5) | st.from_regex(r"https?://[^\s/?#@]+(/[^\s?#]*)?") | st.from_regex(r"[\w.]+:\w+\n?")
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from([0, 1, 1.0]) | texts
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(texts, scalars, max_size=2) | st.just(AWAY)


def _with(steps: Steps, new: Any) -> Any:
    """`WHOLE` with another value in one place, or without it."""
    if not steps:
        return {} if new is AWAY else new
    whole = copy.deepcopy(WHOLE)
    at: Any = whole
    for step in steps[:-1]:
        at = at[step]
    if new is AWAY:
        del at[steps[-1]]
    else:
        at[steps[-1]] = new
    return whole


def _wrong(value: Any) -> list[str]:
    return [str(each.problem) for each in misshapen(Node(None, Source("x", ""), 0), value)]


def test_a_configuration_that_says_everything_is_good_at_once() -> None:
    assert well_formed(WHOLE) is not None
    assert _wrong(WHOLE) == []


@given(steps=st.sampled_from(_steps(WHOLE)), new=values)
def test_nothing_is_good_at_once_that_the_schema_does_not_take(steps: Steps, new: Any) -> None:
    value = _with(steps, new)
    if well_formed(value) is not None:
        assert _wrong(value) == []


@pytest.mark.parametrize("key", ["base_url", "entry_point"])
@pytest.mark.parametrize("end", ["\n", "ü", "\ufeff", "\u00a0", "٣"])
def test_what_regular_expressions_do_not_agree_about_is_left_to_the_schema(key: str, end: str) -> None:
    assert well_formed(_with(("providers", "p", key), WHOLE["providers"]["p"][key] + end)) is None


def test_no_other_value_is_matched_with_a_regular_expression() -> None:
    def matched(schema: Any) -> set[str]:
        if not isinstance(schema, dict):
            return {name for each in schema for name in matched(each)} if isinstance(schema, list) else set()
        here = {key for key, each in schema.get("properties", {}).items() if "'pattern'" in repr(each)}
        return here.union(*(matched(each) for each in schema.values()))

    assert matched(json_schema()) == {"base_url", "entry_point"}
