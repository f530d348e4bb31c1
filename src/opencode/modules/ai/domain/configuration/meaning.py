"""What a configuration of the right shape may still get wrong: names that name nothing, and words that do not agree."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from opencode.kernel.ids import is_id
from opencode.modules.ai.domain.configuration.jsonc import Node, Path, shown
from opencode.modules.ai.domain.configuration.model import (
    Alias,
    Configuration,
    Dialect,
    ModelEntry,
    Provider,
    ProviderType,
    Target,
)
from opencode.modules.ai.domain.configuration.presets import PRESETS, Preset
from opencode.modules.ai.domain.configuration.problems import Problem, likely
from opencode.modules.ai.domain.configuration.shape import node_at

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def preset_of(name: str, provider: Provider) -> Preset | None:
    """What is known of a provider: by its preset, or else by its own name."""
    if provider.preset is None and provider.base_url is None and provider.entry_point is None:
        return PRESETS.get(name)
    return PRESETS.get(provider.preset or "")


def name_of(model: str | ModelEntry) -> str:
    return model if isinstance(model, str) else model.name


def target_of(target: str | Target) -> Target:
    return Target(target) if isinstance(target, str) else target


def targets_of(alias: str | Alias) -> tuple[Target, ...]:
    """What a name stands for."""
    return (Target(alias),) if isinstance(alias, str) else tuple(map(target_of, alias.targets))


def meaning_problems(configuration: Configuration, node: Node, unclear: Collection[str] = ()) -> list[Problem]:
    """
    All of them.

    Args:
        unclear: providers of which a part is wrong and was left out, so that what is missing in them says nothing.
    """
    return list(_Check(configuration, node, unclear).all())


@dataclass(frozen=True, slots=True)
class _Check:
    configuration: Configuration
    node: Node
    unclear: Collection[str]

    def all(self) -> Iterator[Problem]:
        for name, provider in self.configuration.providers.items():
            if name not in self.unclear:
                yield from self._provider(name, provider)
        for name, alias in self.configuration.aliases.items():
            yield from self._alias(name, alias)
        for name, others in self.configuration.fallbacks.items():
            yield from self._fallbacks(name, others)
        if default := self.configuration.default_model:
            yield from self._model(default, ["default_model"])
        yield from self._people()
        yield from self._teams()
        yield from self._semantic_cache()

    def _provider(self, name: str, provider: Provider) -> Iterator[Problem]:
        path: Path = ["providers", name]
        if not _NAME.fullmatch(name):
            yield self._key(path, f"{name!r} is no name of a provider: letters, digits, dot, _ and - only.")
        if provider.preset is not None and provider.preset not in PRESETS:
            known = "" if likely(provider.preset, PRESETS) else f" Known are {', '.join(sorted(PRESETS))}."
            message = f"There is no preset {provider.preset!r}.{known}"
            yield self._value([*path, "preset"], message, likely(provider.preset, PRESETS))
            return
        yield from self._address(name, provider, path)
        twice = [model for model, times in Counter(map(name_of, provider.models)).items() if times > 1]
        for number, model in enumerate(provider.models):
            if name_of(model) in twice and name_of(model) in map(name_of, provider.models[:number]):
                yield self._value([*path, "models", number], f"The model {name_of(model)!r} is here twice.")
        if not provider.models and not provider.discover and provider.enabled:
            message = f"The provider {name!r} has no models: name them in `models`, or set `discover` to true."
            yield self._key(path, message)
        if provider.retries.first_wait_s > provider.retries.longest_wait_s:
            yield self._value([*path, "retries"], "`first_wait_s` is longer than `longest_wait_s`.")

    def _address(self, name: str, provider: Provider, path: Path) -> Iterator[Problem]:
        preset = preset_of(name, provider)
        if provider.entry_point is not None and provider.type is not ProviderType.CUSTOM:
            yield self._value(
                [*path, "entry_point"], "Only a provider of the type `custom` has an entry point.", "custom"
            )
        if provider.entry_point is not None and provider.base_url is not None:
            yield self._value([*path, "entry_point"], "A provider has an entry point or an address, not both.")
        if provider.entry_point is not None and provider.dialect not in (None, Dialect.OPENAI):
            message = "A Python object speaks no dialect: leave `dialect` out."
            yield self._value([*path, "dialect"], message)
        if preset is not None and provider.type is not preset.type and provider.type is not ProviderType.CUSTOM:
            where = [*path, "type"]
            yield self._value(where, f"The preset is of the type {preset.type}, not {provider.type}.", preset.type)
        if preset is None and provider.base_url is None and provider.entry_point is None:
            likely_preset = likely(name, PRESETS)
            message = f"The provider {name!r} has no address: give `base_url`, or a `preset` that has one."
            yield self._key(path, message, likely_preset)
        if preset is not None and preset.has_key and not provider.api_key and provider.base_url is None:
            yield self._key(path, f"The provider {name!r} needs an `api_key`: best as ${{VARIABLE}}.")

    def _alias(self, name: str, alias: str | Alias) -> Iterator[Problem]:
        path: Path = ["aliases", name]
        if "/" in name or not name.strip():
            yield self._key(path, f"{name!r} is no name for an alias: it has no slash, which stands behind providers.")
        is_short = isinstance(alias, str)
        for number, target in enumerate(targets_of(alias)):
            yield from self._model(target.model, path if is_short else [*path, "targets", number])
        if self._comes_back(name):
            yield self._value(path, f"The alias {name!r} leads back to itself.")

    def _comes_back(self, name: str) -> bool:
        seen, waiting = set[str](), [name]
        while waiting:
            for target in targets_of(self.configuration.aliases[waiting.pop()]):
                if target.model == name:
                    return True
                if target.model in self.configuration.aliases and target.model not in seen:
                    seen.add(target.model)
                    waiting.append(target.model)
        return False

    def _fallbacks(self, name: str, others: Sequence[str]) -> Iterator[Problem]:
        path: Path = ["fallbacks", name]
        yield from self._model(name, path, of_key=True)
        for number, other in enumerate(others):
            if other == name:
                yield self._value([*path, number], f"{name!r} is no fallback for itself.")
            else:
                yield from self._model(other, [*path, number])
            if other in others[:number]:
                yield self._value([*path, number], f"The fallback {other!r} is here twice.")

    def _model(self, model: str, path: Path, *, of_key: bool = False) -> Iterator[Problem]:
        """Whether a model or alias is one."""
        providers, aliases = self.configuration.providers, self.configuration.aliases
        tell = self._key if of_key else self._value
        if model in aliases:
            return
        provider_name, slash, name = model.partition("/")
        if not slash:
            every = [*aliases, *self._all_models()]
            ending = next((each for each in every if each.endswith(f"/{model}")), "")
            yield tell(
                path,
                f"There is no alias {model!r}, and a model is called <provider>/<model>.",
                ending or likely(model, every),
            )
        elif provider_name not in providers:
            meant = likely(provider_name, providers)
            yield tell(path, f"There is no provider {provider_name!r}.", f"{meant}/{name}" if meant else "")
        else:
            provider = providers[provider_name]
            known = [name_of(each) for each in provider.models]
            if name not in known and not provider.discover and provider_name not in self.unclear:
                meant = likely(name, known)
                message = f"The provider {provider_name!r} has no model {name!r}."
                yield tell(path, message, f"{provider_name}/{meant}" if meant else "")

    def _all_models(self) -> list[str]:
        providers = self.configuration.providers.items()
        return [f"{name}/{name_of(model)}" for name, provider in providers for model in provider.models]

    def _people(self) -> Iterator[Problem]:
        first: dict[str, str] = {}
        for name in self.configuration.people:
            path: Path = ["people", name]
            if "@" not in name and not is_id(name, "usr"):
                yield self._key(path, f"{name!r} is nobody: people are named by their e-mail addresses.")
            elif (other := first.setdefault(name.strip().lower(), name)) != name:
                yield self._key(path, f"{name!r} is here already, as {other!r}.")

    def _teams(self) -> Iterator[Problem]:
        team_of: dict[str, str] = {}
        for team, about in self.configuration.teams.items():
            for number, member in enumerate(about.members):
                first = team_of.setdefault(member.lower(), team)
                if first != team:
                    path: Path = ["teams", team, "members", number]
                    yield self._value(path, f"{member!r} is in the team {first!r} already, and nobody is in two.")

    def _semantic_cache(self) -> Iterator[Problem]:
        cache, path = self.configuration.cache, ["cache", "semantic"]
        if cache.semantic is None:
            return
        yield from self._model(cache.semantic.embedding_model, [*path, "embedding_model"])
        if not cache.enabled:
            message = (
                "Nothing is kept that questions could be like: set `cache.enabled` to true, or `semantic` to null."
            )
            yield self._key([*path], message)

    def _value(self, path: Path, message: str, suggestion: str = "") -> Problem:
        return Problem(node_at(self.node, path).place, shown(path), message, suggestion)

    def _key(self, path: Path, message: str, suggestion: str = "") -> Problem:
        within = node_at(self.node, path[:-1]).value
        member = within.get(str(path[-1])) if isinstance(within, dict) else None
        place = member.key if member else node_at(self.node, path).place
        return Problem(place, shown(path), message, suggestion)
