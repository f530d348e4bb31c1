"""Providers and models as calls need them: everything about where a call goes is worked out once, when it changes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from opencode.modules.ai.domain.configuration.meaning import name_of, preset_of, targets_of
from opencode.modules.ai.domain.configuration.model import (
    Alias,
    Breaker,
    Configuration,
    Dialect,
    Provider,
    ProviderType,
    Retries,
    Strategy,
    Timeouts,
)
from opencode.modules.ai.domain.models import NOTHING_KNOWN, Catalogue, DiscoveredModel, ModelFacts, facts_of
from opencode.modules.ai.errors import ModelUnknown

ANTHROPIC_VERSION = "2023-06-01"
"""What `anthropic-version` says: the version of the wire format, not of a model."""
LONGEST_NAME = 200
"""Of a model, with its provider's; a longer one is none."""
_NEAREST = 3

Discovered = Mapping[str, Sequence[DiscoveredModel]]
"""What providers said that they have, by their names."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """
    A provider, with everything that the configuration leaves to its preset filled in.

    Attributes:
        preset: the service or server that it is known as.
        base_url: without a slash at the end; empty for a provider with an entry point.
        key_source: where its key comes from, in words; empty without a key.
    """

    name: str
    type: ProviderType
    dialect: Dialect
    base_url: str
    preset: str | None = None
    entry_point: str | None = None
    api_key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    key_source: str = ""
    discover: bool = False
    enabled: bool = True
    weight: float = 1.0
    concurrency: int | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: Retries = field(default_factory=Retries)
    breaker: Breaker = field(default_factory=Breaker)

    @classmethod
    def of(cls, name: str, provider: Provider, key_source: str = "") -> "Upstream":
        preset = preset_of(name, provider)
        known_as = (provider.preset or name) if preset else None
        return cls(
            name=name,
            type=provider.type,
            dialect=provider.dialect or (preset.dialect if preset else Dialect.OPENAI),
            base_url=(provider.base_url or (preset.base_url if preset else "")).rstrip("/"),
            preset=known_as,
            entry_point=provider.entry_point,
            api_key=provider.api_key or "",
            headers=dict(provider.headers),
            key_source=key_source if provider.api_key else "",
            discover=provider.discover,
            enabled=provider.enabled,
            weight=provider.weight,
            concurrency=provider.concurrency,
            timeouts=provider.timeouts,
            retries=provider.retries,
            breaker=provider.breaker,
        )

    def url(self, path: str) -> str:
        """
        The address of a call.

        Args:
            path: as the dialect's makers write it behind the address: `/chat/completions`, `/v1/messages`, `/api/chat`.
        """
        base = self.base_url
        # People write the address of Anthropic's and Ollama's API with the version of the other dialect behind it.
        if self.dialect is not Dialect.OPENAI:
            base = base.removesuffix("/v1")
        return base + path

    def call_headers(self) -> dict[str, str]:
        """What every call carries: the key as the dialect wants it, and what the configuration adds or replaces."""
        headers: dict[str, str] = {}
        if self.dialect is Dialect.ANTHROPIC:
            headers["anthropic-version"] = ANTHROPIC_VERSION
        if self.api_key and self.dialect is Dialect.ANTHROPIC:
            headers["x-api-key"] = self.api_key
        elif self.api_key:
            headers["authorization"] = f"Bearer {self.api_key}"
        return {**headers, **{name.lower(): value for name, value in self.headers.items()}}


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    One model of one provider: where a call can go.

    Attributes:
        model: as the provider calls it.
        weight: its share of the calls beside the others of its route.
        is_listed: the configuration or the provider names it; otherwise its name is whatever a caller wrote.
    """

    upstream: Upstream
    model: str
    facts: ModelFacts
    weight: float = 1.0
    is_listed: bool = True

    @property
    def name(self) -> str:
        return f"{self.upstream.name}/{self.model}"

    @property
    def counted_as(self) -> str:
        """Its name where calls are counted: what callers make up must not fill tables and metrics."""
        return self.name if self.is_listed else f"{self.upstream.name}/*"


@dataclass(frozen=True, slots=True)
class Route:
    """
    What a name of a model leads to.

    Attributes:
        deployments: at least one.
        hedge_after_s: when a second one is asked, should the first not have begun to answer.
        fallbacks: names that are asked when all of these fail, in order.
    """

    name: str
    deployments: tuple[Deployment, ...]
    strategy: Strategy = Strategy.WEIGHTED
    hedge_after_s: float | None = None
    fallbacks: tuple[str, ...] = ()


def upstreams_of(configuration: Configuration, key_sources: Mapping[str, str]) -> dict[str, Upstream]:
    """All providers by name, those that are switched off as well."""
    return {name: Upstream.of(name, each, key_sources.get(name, "")) for name, each in configuration.providers.items()}


class Registry:
    """All providers and models of one configuration. Nothing in it changes."""

    def __init__(
        self,
        configuration: Configuration,
        catalogue: Catalogue,
        discovered: Discovered,
        key_sources: Mapping[str, str] | None = None,
    ) -> None:
        """
        Args:
            discovered: providers that have not been asked yet, or did not answer, are not in it.
            key_sources: where keys come from, in words, by provider.
        """
        self._configuration = configuration
        self._catalogue = catalogue
        self._discovered = discovered
        self.upstreams = upstreams_of(configuration, key_sources or {})
        self._deployments = {each.name: each for each in self._all()}

    @property
    def deployments(self) -> tuple[Deployment, ...]:
        """Those of all providers that are switched on, each provider's in its own order."""
        return tuple(self._deployments.values())

    @property
    def aliases(self) -> tuple[str, ...]:
        return tuple(self._configuration.aliases)

    def resolve(self, name: str | None = None, *, may_see: Callable[[str], bool] = lambda _name: True) -> Route:
        """
        Where calls for a model go.

        Args:
            name: `<provider>/<model>` or an alias; None is the configuration's default model.
            may_see: of which names an error may tell.

        Raises:
            ModelUnknown: nobody has it; carries the nearest names.
        """
        asked = name or self._configuration.default_model
        if asked is None:
            raise ModelUnknown("", self._nearest("", may_see))
        deployments = tuple(self._behind(asked, 1.0))
        if not deployments:
            switched_off = self._is_switched_off(asked) and may_see(asked)
            raise ModelUnknown(asked, self._nearest(asked, may_see), switched_off=switched_off)
        alias = self._configuration.aliases.get(asked)
        fallbacks = self._configuration.fallbacks.get(asked, ())
        if isinstance(alias, Alias):
            return Route(asked, deployments, alias.strategy, alias.hedge_after_s, fallbacks)
        return Route(asked, deployments, fallbacks=fallbacks)

    def facts_of(self, name: str) -> ModelFacts:
        """What is known of `<provider>/<model>`."""
        found = self._deployments.get(name)
        return found.facts if found else NOTHING_KNOWN

    def targets(self, alias: str) -> tuple[str, ...]:
        """The models that an alias stands for in the end."""
        return tuple(dict.fromkeys(each.name for each in self._behind(alias, 1.0)))

    def _behind(self, name: str, weight: float) -> Iterator[Deployment]:
        alias = self._configuration.aliases.get(name)
        if alias is None:
            if found := self._one(name):
                yield replace(found, weight=weight * found.upstream.weight)
            return
        for target in targets_of(alias):
            # A configuration in which an alias leads back to itself is refused before.
            yield from self._behind(target.model, weight * target.weight)

    def _one(self, name: str) -> Deployment | None:
        provider, _, model = name.partition("/")
        if len(name) > LONGEST_NAME:
            return None
        # Ollama calls a model without a tag `latest`, and lists it so.
        if found := self._deployments.get(name) or self._deployments.get(f"{name}:latest"):
            return found
        upstream = self.upstreams.get(provider)
        if upstream is None or not model or not upstream.enabled:
            return None
        # As long as a provider has not said what it has, it is taken at the caller's word.
        if upstream.discover and provider not in self._discovered:
            return Deployment(upstream, model, self._catalogue.about(upstream.preset, model), is_listed=False)
        return None

    def _all(self) -> Iterator[Deployment]:
        for name, upstream in self.upstreams.items():
            if not upstream.enabled:
                continue
            written = {name_of(each): facts_of(each) for each in self._configuration.providers[name].models}
            told = {each.name: each.facts for each in self._discovered.get(name, ()) if upstream.discover}
            for model in (*written, *(each for each in told if each not in written)):
                facts = self._catalogue.about(upstream.preset, model)
                for more in (told.get(model) or told.get(f"{model}:latest"), written.get(model)):
                    facts = facts.under(more) if more else facts
                yield Deployment(upstream, model, facts)

    def _nearest(self, asked: str, may_see: Callable[[str], bool]) -> tuple[str, ...]:
        asked = asked[:LONGEST_NAME]
        known = [each for each in (*self._configuration.aliases, *self._deployments) if may_see(each)]
        if not asked:
            return tuple(known[:_NEAREST])
        with_that_ending = [each for each in known if each.rpartition("/")[2] == asked.rpartition("/")[2]]
        close = get_close_matches(asked, known, n=_NEAREST, cutoff=0.5)
        return tuple(dict.fromkeys((*with_that_ending, *close)))[:_NEAREST]

    def _is_switched_off(self, asked: str) -> bool:
        alias = self._configuration.aliases.get(asked)
        names = [target.model for target in targets_of(alias)] if alias else [asked]
        upstreams = (self.upstreams.get(each.partition("/")[0]) for each in names)
        return any(each is not None and not each.enabled for each in upstreams)
