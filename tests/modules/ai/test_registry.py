"""Where a call for a model goes, what is known of it, and how providers fare over time."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from opencode.kernel.clock import ManualClock
from opencode.modules.ai.adapters.catalogue import bundled_catalogue
from opencode.modules.ai.adapters.listing import MOST_MODELS, models_of, shown_facts
from opencode.modules.ai.domain.configuration.model import Capability, Configuration, Dialect, Strategy
from opencode.modules.ai.domain.configuration.presets import PRESETS
from opencode.modules.ai.domain.health import Health, HealthState, Probe
from opencode.modules.ai.domain.models import DiscoveredModel, ModelFacts
from opencode.modules.ai.domain.registry import Registry
from opencode.modules.ai.errors import ModelUnknown

WHOLE: dict[str, Any] = {
    "providers": {
        "openai": {"type": "cloud", "api_key": "k", "models": ["gpt-4o-mini", "text-embedding-3-small"]},
        "ollama": {"type": "local", "discover": True, "weight": 3},
        "off": {"type": "custom", "base_url": "http://127.0.0.1:9/v1", "models": ["one"], "enabled": False},
    },
    "aliases": {
        "fast": "openai/gpt-4o-mini",
        "any": {
            "targets": [{"model": "fast", "weight": 2}, "ollama/llama", "off/one"],
            "strategy": "latency",
            "hedge_after_s": 1,
        },
        "gone": "off/one",
    },
    "fallbacks": {"any": ["openai/gpt-4o-mini"]},
    "default_model": "fast",
}


def registry(discovered: Any = None, **changes: Any) -> Registry:
    configuration = msgspec.convert({**WHOLE, **changes}, Configuration)
    return Registry(configuration, bundled_catalogue(), discovered or {})


def test_a_model_an_alias_and_the_default_lead_to_deployments() -> None:
    assert [each.name for each in registry().resolve("openai/gpt-4o-mini").deployments] == ["openai/gpt-4o-mini"]
    assert [each.name for each in registry().resolve().deployments] == ["openai/gpt-4o-mini"]
    route = registry().resolve("any")
    assert [(each.name, each.weight) for each in route.deployments] == [("openai/gpt-4o-mini", 2), ("ollama/llama", 3)]
    assert (route.strategy, route.hedge_after_s) == (Strategy.LATENCY, 1)
    assert route.fallbacks == ("openai/gpt-4o-mini",)


def test_an_unknown_name_is_refused_with_the_nearest_that_the_caller_may_see() -> None:
    with pytest.raises(ModelUnknown) as unknown:
        registry().resolve("openai/gpt-4o-mimi")
    assert unknown.value.nearest[0] == "openai/gpt-4o-mini"
    with pytest.raises(ModelUnknown) as unknown:
        registry().resolve("gpt-4o-mini", may_see=lambda name: not name.startswith("openai/"))
    assert "openai/gpt-4o-mini" not in unknown.value.action
    with pytest.raises(ModelUnknown) as unknown:
        registry().resolve("quite-another-name")
    assert "on the page Models" in unknown.value.action
    with pytest.raises(ModelUnknown, match="No model was named"):
        registry(default_model=None).resolve()


def test_a_provider_that_is_switched_off_gets_no_calls() -> None:
    for name in ("off/one", "gone"):
        with pytest.raises(ModelUnknown, match="switched off"):
            registry().resolve(name)


def test_a_provider_that_tells_its_models_is_believed_once_it_has_told_them() -> None:
    assert registry().resolve("ollama/anything").deployments[0].model == "anything"
    found = {"ollama": (DiscoveredModel("llama:latest", ModelFacts(context_window=8_192)),)}
    llama = registry(found).resolve("ollama/llama").deployments[0]
    assert (llama.model, llama.facts.context_window) == ("llama:latest", 8_192)
    with pytest.raises(ModelUnknown):
        registry(found).resolve("ollama/anything")


def test_the_configuration_is_believed_over_the_provider_and_the_provider_over_the_catalogue() -> None:
    entry = {"name": "gpt-4o-mini", "context_window": 1_000, "price": {"input": 9}}
    providers = {"openai": {"type": "cloud", "api_key": "k", "models": [entry], "discover": True}}
    found = {"openai": (DiscoveredModel("gpt-4o-mini", ModelFacts(2_000, 500)),)}
    facts = registry(found, providers=providers, aliases={}, fallbacks={}).resolve("openai/gpt-4o-mini").deployments[0]
    assert (facts.facts.context_window, facts.facts.max_output_tokens) == (1_000, 500)
    assert facts.facts.price
    assert facts.facts.price.input == 9
    assert facts.facts.capabilities
    assert Capability.TOOLS in facts.facts.capabilities


def test_a_service_under_another_address_has_no_prices_of_ours() -> None:
    providers = {"openai": {"type": "custom", "base_url": "http://127.0.0.1:9/v1", "models": ["gpt-4o-mini"]}}
    changed = registry(providers=providers, aliases={}, fallbacks={}, default_model=None)
    assert changed.resolve("openai/gpt-4o-mini").deployments[0].facts.price is None


def test_the_bundled_catalogue_is_dated_priced_and_of_services_that_are_known() -> None:
    catalogue = bundled_catalogue()
    assert "2026" in catalogue.source
    assert 40 <= len(catalogue.models) <= 100
    for name, facts in catalogue.models.items():
        assert name.partition("/")[0] in PRESETS
        assert facts.price
        assert facts.capabilities
    dated = catalogue.about("anthropic", "claude-sonnet-4-6-20991231")
    assert dated == catalogue.about("anthropic", "claude-sonnet-4-6") != ModelFacts()


def test_what_a_provider_lists_is_bounded_and_its_nonsense_left_out() -> None:
    many = {"data": [{"id": f"m{n}"} for n in range(MOST_MODELS + 5)]}
    assert len(models_of(Dialect.OPENAI, many) or ()) == MOST_MODELS
    odd = [1, None, {"id": 7}, {"id": "a\x00b"}, {"id": "x" * 201}, {"id": "ok", "max_model_len": "many"}, {"id": "ok"}]
    assert models_of(Dialect.OPENAI, {"data": odd}) == (DiscoveredModel("ok"),)
    assert models_of(Dialect.OPENAI, {"data": [{"id": "models/g", "max_model_len": 5}]}) == (
        DiscoveredModel("g", ModelFacts(5)),
    )
    for no_list in (None, [], "x", {"data": "x"}, {"models": []}):
        assert models_of(Dialect.OPENAI, no_list) is None
    assert shown_facts([]) == shown_facts({"model_info": 5}) == ModelFacts()


def test_a_failing_provider_is_tried_again_later_each_time_and_a_good_one_regularly() -> None:
    clock = ManualClock()
    health, bad, good = Health(), Probe(1, "refused"), Probe(20)
    waits = list[float]()
    for _ in range(8):
        began = clock.now()
        health = health.after(bad, began, 60, chance=1)
        assert health.due_at
        waits.append((health.due_at - began).total_seconds())
        clock.advance(waits[-1])
        assert health.is_due(clock.now())
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]
    assert (health.state, health.since) == (HealthState.FAILING, ManualClock().now())
    health = health.after(good, clock.now(), 60, chance=0)
    assert (health.state, health.latency_ms, health.failures) == (HealthState.HEALTHY, 20, 0)
    assert health.due_at == clock.now() + timedelta(seconds=54)
