"""A configuration of ours from one of the coding agent that has files of the same name (its docs, page `config`)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from opencode.modules.ai.domain.configuration.model import SCHEMA_ID
from opencode.modules.ai.domain.configuration.presets import PRESETS

Json = dict[str, Any]

_VARIABLE = re.compile(r"\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_UNTAKEN_NAME = re.compile(r"[^A-Za-z0-9._-]")
_TAKEN_OF_ROOT = frozenset({"$schema", "provider", "model", "small_model", "disabled_providers"})
_TAKEN_OF_PROVIDER = frozenset({"npm", "name", "options", "models", "api", "env"})
_TAKEN_OF_OPTIONS = frozenset({"baseURL", "apiKey", "headers"})
_ANTHROPIC_PACKAGE = "@ai-sdk/anthropic"


@dataclass(frozen=True, slots=True)
class Imported:
    """
    Attributes:
        configuration: what to write into a file of ours.
        left_out: keys of the file that have no counterpart, and what has to be looked at.
    """

    configuration: Json
    left_out: tuple[str, ...]


def imported(agents: Json) -> Imported:
    """What a file of the agent says of providers and models, in our words. Nothing is filled in."""
    return _Import(agents).whole()


class _Import:
    def __init__(self, agents: Json) -> None:
        self.agents = agents
        self._left_out = [key for key in agents if key not in _TAKEN_OF_ROOT]
        self._disabled = {each for each in _list(agents.get("disabled_providers")) if isinstance(each, str)}

    def whole(self) -> Imported:
        providers = {
            _UNTAKEN_NAME.sub("-", name): self._provider(name, _dict(each))
            for name, each in _dict(self.agents.get("provider")).items()
        }
        # Models that are named without their provider being described are of a well-known service.
        for name in self._models_named():
            provider, _, model = name.partition("/")
            if provider in PRESETS and provider not in providers:
                providers[provider] = {"type": PRESETS[provider].type.value, "models": []}
                if PRESETS[provider].has_key:
                    providers[provider]["api_key"] = f"${{{provider.upper()}_API_KEY}}"
            models = providers.get(provider, {}).get("models")
            if models is not None and model and model not in map(_name_of, models):
                models.append(model)
        configuration: Json = {"$schema": SCHEMA_ID, "providers": providers}
        model, small = self.agents.get("model"), self.agents.get("small_model")
        if isinstance(small, str):
            configuration["aliases"] = {"small": small}
        if isinstance(model, str):
            configuration["default_model"] = model
        return Imported(configuration, tuple(self._left_out))

    def _models_named(self) -> Iterator[str]:
        for key in ("model", "small_model"):
            if isinstance(name := self.agents.get(key), str):
                yield name

    def _provider(self, name: str, said: Json) -> Json:
        path = f"provider.{name}"
        options = _dict(said.get("options"))
        self._left_out += [f"{path}.{key}" for key in said if key not in _TAKEN_OF_PROVIDER]
        self._left_out += [f"{path}.options.{key}" for key in options if key not in _TAKEN_OF_OPTIONS]
        address = options.get("baseURL") or said.get("api")
        preset = PRESETS.get(name)
        provider: Json = {"type": preset.type.value if preset else "custom"}
        if isinstance(address, str):
            provider["base_url"] = _text(address).rstrip("/")
        elif preset is None:
            self._left_out.append(f"{path} has no address: give it a base_url")
        if said.get("npm") == _ANTHROPIC_PACKAGE and preset is None:
            provider["dialect"] = "anthropic"
        if isinstance(key := options.get("apiKey"), str):
            provider["api_key"] = _text(key)
        elif preset and preset.has_key:
            provider["api_key"] = f"${{{name.upper()}_API_KEY}}"
        headers = {
            each: _text(value) for each, value in _dict(options.get("headers")).items() if isinstance(value, str)
        }
        if headers:
            provider["headers"] = headers
        if name in self._disabled:
            provider["enabled"] = False
        provider["models"] = [_model(each, _dict(about)) for each, about in _dict(said.get("models")).items()]
        return provider


def _model(name: str, about: Json) -> str | Json:
    limit = _dict(about.get("limit"))
    known = {"context_window": limit.get("context"), "max_output_tokens": limit.get("output")}
    told = {key: value for key, value in known.items() if type(value) is int}
    called = about.get("id")
    return {"name": called if isinstance(called, str) else name, **told} if told or called else name


def _name_of(model: str | Json) -> str:
    return model if isinstance(model, str) else str(model["name"])


def _text(said: str) -> str:
    """`{env:NAME}` in our words; a dollar sign, which means nothing there, is written twice here."""
    return _VARIABLE.sub(r"${\1}", said.replace("$", "$$"))


def _dict(said: object) -> Json:
    return cast("Json", said) if isinstance(said, dict) else {}


def _list(said: object) -> list[Any]:
    return cast("list[Any]", said) if isinstance(said, list) else []
