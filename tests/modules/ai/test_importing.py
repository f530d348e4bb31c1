"""What the coding agent's file says of providers, in our words; nothing of it is lost in silence."""

import json

from opencode.modules.ai.adapters.files import read_secret
from opencode.modules.ai.domain.configuration.checking import check
from opencode.modules.ai.domain.configuration.jsonc import Source, read
from opencode.modules.ai.domain.importing import imported

AGENTS = {
    "$schema": "https://example.org/config.json",
    "model": "anthropic/claude-sonnet-5",
    "small_model": "lab/tiny",
    "theme": "dark",
    "disabled_providers": ["old"],
    "provider": {
        "lab": {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": "http://127.0.0.1:1234/v1/", "apiKey": "{env:LAB_KEY}", "timeout": 5},
            "models": {"tiny": {"limit": {"context": 8192}}, "named": {"id": "real-name"}},
        },
        "old": {"npm": "@ai-sdk/anthropic", "options": {"baseURL": "http://127.0.0.1:9", "apiKey": "a$b"}},
        "nowhere": {"options": {}},
        "openai": {"models": {"gpt-5": {}}},
    },
}


def test_providers_keys_and_models_are_taken_over_and_the_rest_is_told() -> None:
    made = imported(AGENTS)
    assert made.left_out == (
        "theme",
        "provider.lab.options.timeout",
        "provider.nowhere has no address: give it a base_url",
    )
    providers = made.configuration["providers"]
    assert providers["lab"] == {
        "type": "custom",
        "base_url": "http://127.0.0.1:1234/v1",
        "api_key": "${LAB_KEY}",
        "models": [{"name": "tiny", "context_window": 8192}, {"name": "real-name"}],
    }
    assert (providers["old"]["dialect"], providers["old"]["enabled"]) == ("anthropic", False)
    assert providers["old"]["api_key"] == "a$$b"
    assert providers["anthropic"]["models"] == ["claude-sonnet-5"]
    assert made.configuration["aliases"] == {"small": "lab/tiny"}


def test_what_was_taken_over_is_a_configuration_without_mistakes() -> None:
    agents = {**AGENTS, "provider": {k: v for k, v in AGENTS["provider"].items() if k != "nowhere"}}  # type: ignore[attr-defined]
    text = json.dumps(imported(agents).configuration)
    variables = {"LAB_KEY": "k", "ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
    assert check([read(Source("x", text))], variables, read_secret).problems == ()


def test_a_file_of_another_shape_is_taken_for_what_can_be_told() -> None:
    assert imported({"provider": ["x"], "model": 5}).configuration["providers"] == {}
    assert (
        imported({"provider": {"a b": {"options": 3, "models": [1]}}}).configuration["providers"]["a-b"]["models"] == []
    )
