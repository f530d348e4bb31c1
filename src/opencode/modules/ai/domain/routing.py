"""Everything about where a call may go that does not depend on who makes it: worked out once for a configuration."""

from dataclasses import dataclass

from opencode.modules.ai.domain.money import Price, price_of
from opencode.modules.ai.domain.registry import Deployment, Registry, Route
from opencode.modules.ai.errors import ModelUnknown

ASSUMED_OUTPUT_TOKENS = 8_192
"""Of an answer, where neither the request nor what is known of the model says how long it may get."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One route, and the models behind it by which lists of allowed ones may let it through."""

    route: Route
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Itinerary:
    """
    A route and its fallbacks.

    Attributes:
        stages: at least one; each next one is asked when all of the one before it fail.
        dearest: the most that any of them costs.
        most_output_tokens: of an answer, where the request does not say.
    """

    name: str
    stages: tuple[Stage, ...]
    dearest: Price
    most_output_tokens: int


def itinerary_of(registry: Registry, name: str) -> Itinerary:
    """
    Raises:
        ModelUnknown
    """
    route = registry.resolve(name)
    stages = [_stage(registry, route)]
    for fallback in route.fallbacks:
        try:
            stages.append(_stage(registry, registry.resolve(fallback)))
        except ModelUnknown:
            # Its provider is switched off, or has lost the model: the next one may do.
            continue
    deployments = [each for stage in stages for each in stage.route.deployments]
    return Itinerary(name, tuple(stages), _dearest(deployments), _longest_answer(deployments))


def _stage(registry: Registry, route: Route) -> Stage:
    return Stage(route, registry.targets(route.name) if route.name in registry.aliases else ())


def _dearest(deployments: list[Deployment]) -> Price:
    prices = [price_of(each.facts.price) for each in deployments]
    return Price(
        max(price.input for price in prices),
        max(price.output for price in prices),
        max(price.cached_input for price in prices),
        max(price.cache_write for price in prices),
    )


def _longest_answer(deployments: list[Deployment]) -> int:
    return max(each.facts.max_output_tokens or ASSUMED_OUTPUT_TOKENS for each in deployments)
