"""In which order the deployments of a route are asked."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from opencode.modules.ai.domain.configuration.model import Strategy
from opencode.modules.ai.domain.registry import Deployment, Route


@dataclass(frozen=True, slots=True)
class Load:
    """
    What is known of a deployment just now.

    Attributes:
        busy: calls under way.
        first_byte_s: how long the last answers took to begin, about; 0 where nobody knows, so that it is found out.
        failing: its provider fails its tests.
    """

    busy: int = 0
    first_byte_s: float = 0.0
    failing: bool = False


def in_order(route: Route, load_of: Callable[[Deployment], Load], random: Random) -> tuple[Deployment, ...]:
    """The deployments of a route, best first. Those of failing providers come last, whatever else is said."""
    if len(route.deployments) == 1:
        return route.deployments
    loads = {each.name: load_of(each) for each in route.deployments}

    def place(deployment: Deployment) -> tuple[bool, float, float]:
        load = loads[deployment.name]
        return load.failing, _rank(route.strategy, deployment, load), _drawn(deployment.weight, random)

    # One model may stand behind a name twice.
    return tuple({each.name: each for each in sorted(route.deployments, key=place)}.values())


def _rank(strategy: Strategy, deployment: Deployment, load: Load) -> float:
    match strategy:
        case Strategy.WEIGHTED:
            return 0.0
        case Strategy.LEAST_BUSY:
            return load.busy / deployment.weight if deployment.weight else float("inf")
        case Strategy.LATENCY:
            return load.first_byte_s
        case Strategy.COST:
            price = deployment.facts.price
            # What nobody has priced may cost anything.
            return price.input + price.output if price else float("inf")


def _drawn(weight: float, random: Random) -> float:
    """
    A number that is smallest of all with a chance of weight / sum of weights: exponentially distributed (Efraimidis and
    Spirakis, 2006). Without a weight it is last.
    """
    return random.expovariate(weight) if weight > 0 else float("inf")
