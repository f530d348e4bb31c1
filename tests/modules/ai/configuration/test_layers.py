"""Layers on top of each other, and what is filled into them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.ai.adapters.files import Owner, Places, found, read_secret
from opencode.modules.ai.domain.configuration.checking import check
from opencode.modules.ai.domain.configuration.jsonc import Node, Source, plain, read
from opencode.modules.ai.domain.configuration.layers import merged
from opencode.modules.ai.domain.configuration.model import SCHEMA_ID, Budget, Limits, Period
from opencode.modules.ai.domain.configuration.substitution import Substitution
from opencode.modules.ai.domain.setting import Whose
from opencode.modules.ai.errors import ConfigurationNotFound
from opencode.modules.ai.service import configuring

KEYS = st.sampled_from(["a", "b", "c"])
LEAVES = st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2)
TREES = st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)
OBJECTS = st.dictionaries(KEYS, TREES, max_size=3)


def node(value: Any) -> Node:
    read_node, _ = read(Source("x", json.dumps(value)))
    assert read_node
    return read_node


def together(*values: Any) -> Any:
    return plain(merged(map(node, values)))


@given(OBJECTS)
def test_nothing_on_top_or_below_changes_nothing(value: Any) -> None:
    assert together(value) == together(value, {}) == together({}, value) == together(value, value) == value


@given(OBJECTS, OBJECTS, OBJECTS)
def test_lower_layers_can_be_put_together_beforehand(low: Any, middle: Any, high: Any) -> None:
    assert together(low, middle, high) == together(together(low, middle), high)


@given(OBJECTS, OBJECTS)
def test_the_higher_layer_wins_wherever_it_says_something(low: Any, high: Any) -> None:
    whole = together(low, high)
    for name in low.keys() | high.keys():
        if name not in high:
            assert whole[name] == low[name]
        elif not (isinstance(high[name], dict) and isinstance(low.get(name), dict)):
            assert whole[name] == high[name]


def test_null_takes_away_what_is_below() -> None:
    assert together({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}) == {"a": {"c": 2}}
    assert together({"a": {"b": None}}) == {"a": {}}


def filled(text: str, **variables: str) -> tuple[Any, list[str]]:
    substitution = Substitution(variables, read_secret)
    value = plain(substitution.fill(node({"default_model": text})))
    assert isinstance(value, dict)
    return value["default_model"], [problem.message for problem in substitution.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A}", "1"),
        ("x${A}y${A}z", "x1y1z"),
        ("${NO:-two}", "two"),
        ("${EMPTY:-two}", "two"),
        ("${NO:-}", ""),
        ("${NO:-a:-b}", "a:-b"),
        ("$${A}", "${A}"),
        ("$$", "$"),
        ("$$${A}", "$1"),
        ("$A", "$A"),
        ("a $ b", "a $ b"),
        ("${D}", "${A}"),
        ("${NO:-$$}", "$$"),
    ],
)
def test_variables_are_filled_in_as_the_grammar_says(text: str, value: str) -> None:
    assert filled(text, A="1", EMPTY="", D="${A}") == (value, [])


@given(st.text())
def test_what_is_escaped_comes_out_as_it_was(text: str) -> None:
    assert filled(text.replace("$", "$$").replace("{file:", "{ file:")) == (text.replace("{file:", "{ file:"), [])


@given(st.text(alphabet="${}:-AB file/", max_size=20))
def test_no_text_breaks_the_substitution(text: str) -> None:
    filled(text, A="1")


def test_a_number_may_come_from_a_variable() -> None:
    text = '{"limits": {"requests_per_minute": "${RPM:-60}"}, "cache": {"enabled": "${ON}", "lifetime_s": "${S:-1.5}"}}'
    configuration = check([read(Source("x", text))], {"ON": "true"}, read_secret).configuration
    assert configuration
    assert configuration.limits.requests_per_minute == 60
    assert (configuration.cache.enabled, configuration.cache.lifetime_s) == (True, 1.5)


class TestFiles:
    @pytest.fixture
    def places(self, tmp_path: Path) -> Places:
        project = tmp_path / "project" / "inner"
        project.mkdir(parents=True)
        (tmp_path / "project" / ".git").mkdir()
        return Places(tmp_path / "etc.json", tmp_path / "user.json", project, None, {})

    def write(self, path: Path, **values: Any) -> None:
        path.write_text(json.dumps({"$schema": SCHEMA_ID, **values}))

    def test_each_layer_wins_over_the_one_below_and_says_so(self, places: Places) -> None:
        self.write(places.system, limits={"requests_per_minute": 1, "tokens_per_minute": 1, "concurrency": 1})
        self.write(places.user, limits={"tokens_per_minute": 2, "concurrency": 2})
        self.write(places.working.parent / "opencode.json", limits={"concurrency": 3})
        loaded = configuring.load(places)
        assert loaded.checked.configuration
        limits = loaded.checked.configuration.limits
        assert (limits.requests_per_minute, limits.tokens_per_minute, limits.concurrency) == (1, 2, 3)
        explained = {each.path: each.layer for each in configuring.explain(loaded, "limits")}
        assert explained == {
            "limits.requests_per_minute": "system",
            "limits.tokens_per_minute": "user",
            "limits.concurrency": "project",
        }

    def test_stored_limits_hold_where_neither_files_nor_variables_say_anything(self, places: Places) -> None:
        self.write(places.system, limits={"requests_per_minute": 1, "budget": {"amount_usd": 9, "period": "day"}})
        self.write(places.user, limits={"budget": {"amount_usd": 1}, "tokens_per_minute": 3}, teams={"red": {}})
        # Taken away, which is to say nothing.
        self.write(places.working / "opencode.json", limits={"requests_per_minute": None, "tokens_per_minute": 4})
        places = replace(places, variables={"OCP_AI__LIMITS__CONCURRENCY": "5"})
        stored = {
            "requests_per_minute": 60,
            "tokens_per_minute": 60,
            "concurrency": 60,
            "budget": {"amount_usd": 60.0, "period": "month"},
        }
        limits = {Whose.of_words(words): stored for words in ("everybody", "team:red", "team:gone")}
        loaded = configuring.load(places, None, limits)
        configuration = loaded.checked.configuration
        assert configuration, loaded.checked.problems
        assert configuration.limits == Limits(60, 4, 5, Budget(1.0, Period.DAY))
        assert configuration.teams["red"].limits == Limits(60, 60, 60, Budget(60.0))
        assert set(configuration.teams) == {"red"}
        layers = {each.path: each.layer for each in configuring.explain(loaded, "limits")}
        assert layers["limits.requests_per_minute"] == "database"
        assert layers["limits.concurrency"] == "environment"
        assert (layers["limits.budget.amount_usd"], layers["limits.budget.period"]) == ("user", "system")

    def test_a_file_of_the_coding_agent_is_left_alone(self, places: Places) -> None:
        (places.working / "opencode.json").write_text('{"$schema": "https://example.org/config.json", "model": "a/b"}')
        (layer,) = found(places)
        assert layer.owner is Owner.AGENT
        assert configuring.load(places).checked.problems == ()

    def test_a_file_that_says_nothing_of_us_is_left_alone_unless_it_is_named(self, places: Places) -> None:
        path = places.working / "opencode.json"
        path.write_text('{"limit": {}}')
        assert found(places)[0].owner is Owner.UNKNOWN
        named = Places(places.system, places.user, places.working, path, {})
        assert len(configuring.load(named).checked.problems) == 1

    def test_no_file_above_the_project_is_taken(self, places: Places) -> None:
        self.write(places.working.parents[1] / "opencode.json", limits={"concurrency": 3})
        assert found(places) == []

    def test_the_environment_is_on_top(self, places: Places) -> None:
        self.write(places.user, limits={"concurrency": 2})
        variables = {"OCP_AI__LIMITS__CONCURRENCY": "5", "OCP_AI__LIMITS__BUDGET__AMOUNT_USD": "2.5"}
        loaded = configuring.load(Places(places.system, places.user, places.working, None, variables))
        assert loaded.checked.configuration
        assert loaded.checked.configuration.limits.concurrency == 5
        assert loaded.checked.configuration.limits.budget

    def test_a_named_file_that_is_not_there_is_told(self, places: Places) -> None:
        missing = places.working / "missing.json"
        with pytest.raises(ConfigurationNotFound, match=r"missing\.json"):
            configuring.load(Places(places.system, places.user, places.working, missing, {}))

    def test_secrets_are_read_beside_the_file_and_never_shown(self, places: Places) -> None:
        (places.user.parent / "key").write_text("sk-secret\n")
        provider = {"type": "custom", "base_url": "http://h/v1", "models": ["m"], "headers": {"x-team": "${T}"}}
        self.write(places.user, providers={"p": {**provider, "api_key": "{file:key}"}}, default_model="${M:-p/m}")
        loaded = configuring.load(Places(places.system, places.user, places.working, None, {"T": "blue-team"}))
        assert loaded.checked.configuration
        assert loaded.checked.configuration.providers["p"].api_key == "sk-secret"
        everything = json.dumps([configuring.show(loaded), [str(each) for each in configuring.explain(loaded, "")]])
        assert "sk-secret" not in everything
        assert "blue-team" not in everything
        assert "p/m" in everything

    def test_a_difference_of_secrets_says_only_that_there_is_one(self, places: Places) -> None:
        provider = {"type": "custom", "base_url": "http://h/v1", "models": ["m"]}
        self.write(places.user, providers={"p": {**provider, "api_key": "one"}})
        before = configuring.load(places)
        self.write(places.user, providers={"p": {**provider, "api_key": "two", "weight": 2}})
        differences = configuring.compare(before, configuring.load(places))
        assert [(each.path, each.before, each.after) for each in differences] == [
            ("providers.p.api_key", configuring.MASK, configuring.MASK),
            ("providers.p.weight", None, 2),
        ]
