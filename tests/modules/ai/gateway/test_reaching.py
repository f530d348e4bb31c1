"""Who is asked next, when, and how often: with deployments that are scripts, and a clock that is moved by waiting."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from opencode.kernel.clock import ManualClock
from opencode.modules.ai.domain.asking import AskingFailed, Take
from opencode.modules.ai.domain.balancing import Load, in_order
from opencode.modules.ai.domain.calls import Tries
from opencode.modules.ai.domain.configuration.model import Breaker, ModelPrice, ProviderType, Retries, Strategy
from opencode.modules.ai.domain.configuration.model import Dialect as ProviderDialect
from opencode.modules.ai.domain.dialects.canonical import Dialect, Failure, FailureKind
from opencode.modules.ai.domain.dialects.exchange import ChatExchange
from opencode.modules.ai.domain.models import ModelFacts
from opencode.modules.ai.domain.registry import Deployment, Route, Upstream
from opencode.modules.ai.domain.retrying import RetryBudget
from opencode.modules.ai.domain.routing import Stage
from opencode.modules.ai.domain.usage import Flag
from opencode.modules.ai.service.fleet import Fleet
from opencode.modules.ai.service.reaching import Reaching
from opencode.modules.ai.service.trying import Trying

FAILED = Failure(FailureKind.UPSTREAM_FAILED, "It broke.")
EXCHANGE = ChatExchange(
    Dialect.OPENAI_CHAT, b'{"model":"any","messages":[{"role":"user","content":"Hi"}]}', seed=lambda: "seed", now_s=1
)
ANSWER = (
    b'{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",'
    b'"message":{"role":"assistant","content":"Hi"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}'
)


class Told:
    """`domain.asking.Asked` with a fixed answer."""

    media_type = "application/json"
    first_byte_s = 0.02

    async def piece(self) -> bytes:
        return ANSWER

    async def pour(self, take: Take) -> bool:
        return take(ANSWER)

    async def whole(self) -> bytes:
        return ANSWER

    async def close(self) -> None: ...


class Scripts:
    """`domain.asking.Asking`: each provider does next what its script says, and from its end on what was last in it."""

    def __init__(self, **scripts: list[Failure | None]) -> None:
        self._scripts = scripts
        self.asked: list[str] = []

    async def ask(self, upstream: Upstream, path: str, body: bytes, headers: Any) -> Told:
        self.asked.append(upstream.name)
        script = self._scripts[upstream.name]
        if failure := script.pop(0) if len(script) > 1 else script[0]:
            raise AskingFailed(failure)
        return Told()


def deployment(name: str, *, price: ModelPrice | None = None, weight: float = 1.0, **policy: Any) -> Deployment:
    upstream = Upstream(name, ProviderType.CUSTOM, ProviderDialect.OPENAI, "http://127.0.0.1:1", **policy)
    return Deployment(upstream, "m", ModelFacts(price=price), weight)


def stage(*deployments: Deployment, **how: Any) -> Stage:
    return Stage(Route("any", deployments, **how), ())


class World:
    def __init__(self, clock: ManualClock, scripts: Scripts) -> None:
        self.clock, self.scripts = clock, scripts
        self.fleet = Fleet(clock, lambda _name: False)
        self.waits: list[float] = []
        trying = Trying(self.fleet, lambda: scripts)
        self.reaching = Reaching(self.fleet, trying, sleep=self._sleep, chance=random.Random(1))

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.advance(seconds)

    async def ask(self, *stages: Stage) -> str | FailureKind:
        """The name of who answered, or what went wrong."""
        self.tries = Tries()
        try:
            return (await self.reaching.begin(EXCHANGE, stages, {}, self.tries)).deployment.upstream.name
        except AskingFailed as error:
            return error.failure.kind


@pytest.fixture
def world(clock: ManualClock) -> Callable[..., World]:
    def made(**scripts: list[Failure | None]) -> World:
        return World(clock, Scripts(**scripts))

    return made


async def test_each_is_asked_once_before_any_is_asked_again(world: Callable[..., World]) -> None:
    w = world(a=[FAILED, None], b=[FAILED])
    assert await w.ask(stage(deployment("a"), deployment("b", weight=0))) == "a"
    assert w.scripts.asked == ["a", "b", "a"]
    assert 0.125 <= w.waits[0] <= 0.25


async def test_another_try_and_a_fallback_are_marked_and_a_balanced_call_is_not(world: Callable[..., World]) -> None:
    w = world(a=[None, FAILED, None, FAILED], b=[None])
    only = deployment("a", retries=Retries(attempts=2), breaker=Breaker(failures=2))
    assert (await w.ask(stage(only)), w.tries.flags) == ("a", Flag(0))
    assert (await w.ask(stage(only)), w.tries.flags) == ("a", Flag.RETRIED)
    assert (await w.ask(stage(only), stage(deployment("b"))), w.tries.flags) == ("b", Flag.RETRIED)
    # It is left alone now: of two who would do, the other one is simply the first; a fallback is second best.
    asked = len(w.scripts.asked)
    assert (await w.ask(stage(only, deployment("b"))), w.tries.flags) == ("b", Flag(0))
    assert (await w.ask(stage(only), stage(deployment("b"))), w.tries.flags) == ("b", Flag.RETRIED)
    assert w.scripts.asked[asked:] == ["b", "b"]


async def test_waits_grow_and_end(world: Callable[..., World]) -> None:
    w = world(a=[FAILED])
    assert (
        await w.ask(stage(deployment("a", retries=Retries(attempts=4), breaker=Breaker(failures=100)))) is FAILED.kind
    )
    assert len(w.scripts.asked) == 4
    assert w.waits == sorted(w.waits)


async def test_what_the_provider_asks_for_is_waited_for(world: Callable[..., World]) -> None:
    w = world(a=[Failure(FailureKind.RATE_LIMITED, "Slower.", 3.0), None])
    assert await w.ask(stage(deployment("a"))) == "a"
    assert w.waits == [3.0]


async def test_a_provider_that_wants_more_patience_than_there_is_is_left_for_the_next(
    world: Callable[..., World],
) -> None:
    w = world(a=[Failure(FailureKind.RATE_LIMITED, "Slower.", 60.0), None], b=[None])
    assert await w.ask(stage(deployment("a")), stage(deployment("b"))) == "b"
    # Until then nobody bothers it.
    assert await w.ask(stage(deployment("a")), stage(deployment("b"))) == "b"
    assert (w.scripts.asked, w.waits) == (["a", "b", "b"], [])
    w.clock.advance(60)
    assert await w.ask(stage(deployment("a"))) == "a"


async def test_retries_are_a_share_of_calls_so_that_a_provider_that_is_down_is_not_kept_there(
    world: Callable[..., World],
) -> None:
    w = world(a=[FAILED])
    down = deployment("a", retries=Retries(attempts=10, budget=0.2), breaker=Breaker(failures=1000))
    for _ in range(100):
        await w.ask(stage(down))
        w.clock.advance(-sum(w.waits))
        w.waits.clear()
    assert 100 < len(w.scripts.asked) <= 135


async def test_a_breaker_opens_probes_with_one_call_and_closes(world: Callable[..., World]) -> None:
    w = world(a=[FAILED, FAILED, FAILED, None])
    only = stage(deployment("a", retries=Retries(attempts=1), breaker=Breaker(failures=2, open_s=10)))
    assert [await w.ask(only) for _ in range(3)] == [FAILED.kind, FAILED.kind, FailureKind.OVERLOADED]
    w.clock.advance(9.9)
    assert await w.ask(only) is FailureKind.OVERLOADED
    w.clock.advance(0.1)
    assert await w.ask(only) is FAILED.kind  # the probe fails: open again, at once
    assert await w.ask(only) is FailureKind.OVERLOADED
    w.clock.advance(10)
    assert await w.ask(only) == "a"
    assert await w.ask(only) == "a"
    assert len(w.scripts.asked) == 5


async def test_while_a_probe_is_under_way_nobody_else_asks(world: Callable[..., World]) -> None:
    w = world(a=[FAILED])
    only = deployment("a", retries=Retries(attempts=1), breaker=Breaker(failures=1, open_s=10))
    await w.ask(stage(only))
    w.clock.advance(10)
    probe = w.fleet.begin(only)
    assert await w.ask(stage(only)) is FailureKind.OVERLOADED
    probe.end()  # its client left: nothing was learned, and the next may probe
    assert not w.fleet.wait_s(only)


@pytest.mark.parametrize("kind", [FailureKind.RATE_LIMITED, FailureKind.BAD_REQUEST, FailureKind.UNAUTHENTICATED])
async def test_what_is_not_its_fault_opens_no_breaker(world: Callable[..., World], kind: FailureKind) -> None:
    w = world(a=[Failure(kind, "No.")])
    only = deployment("a", retries=Retries(attempts=1), breaker=Breaker(failures=1, open_s=10))
    assert await w.ask(stage(only)) is kind
    assert await w.ask(stage(only)) is kind


async def test_half_of_all_calls_fail_and_people_notice_nothing(world: Callable[..., World]) -> None:
    chance = random.Random(7)
    flaky = {name: [FAILED if chance.random() < 0.5 else None for _ in range(20_000)] for name in "abcde"}
    w = world(**flaky)
    everybody = stage(*(deployment(name, breaker=Breaker(failures=1000)) for name in "abcde"))
    failed = 0
    for _ in range(3_000):
        failed += isinstance(await w.ask(everybody), FailureKind)
        w.clock.advance(0.01)
    assert failed <= 3


def test_weights_are_shares() -> None:
    heavy, light, never = deployment("heavy", weight=3), deployment("light"), deployment("never", weight=0)
    route, chance = Route("any", (light, never, heavy)), random.Random(1)
    firsts = Counter(in_order(route, lambda _each: Load(), chance)[0].upstream.name for _ in range(4_000))
    assert firsts["heavy"] == pytest.approx(3_000, abs=150)
    assert firsts["never"] == 0


@pytest.mark.parametrize(
    ("strategy", "best"), [(Strategy.LEAST_BUSY, "b"), (Strategy.LATENCY, "c"), (Strategy.COST, "a")]
)
def test_the_best_by_each_measure_comes_first(strategy: Strategy, best: str) -> None:
    a, b = deployment("a", price=ModelPrice(1, 1)), deployment("b", price=ModelPrice(2, 2))
    c = deployment("c")
    loads = {"a/m": Load(5, 0.3), "b/m": Load(1, 0.2), "c/m": Load(9, 0.1)}
    route = Route("any", (a, b, c), strategy)
    assert in_order(route, lambda each: loads[each.name], random.Random(1))[0].upstream.name == best


def test_providers_that_fail_their_tests_come_last() -> None:
    route = Route("any", (deployment("a", weight=1000), deployment("b", weight=0.001)))
    order = in_order(route, lambda each: Load(failing=each.upstream.name == "a"), random.Random(1))
    assert [each.upstream.name for each in order] == ["b", "a"]


def test_a_budget_of_retries_forgets_after_ten_seconds() -> None:
    budget = RetryBudget()
    assert [budget.take(0.0, 0.2) for _ in range(6)] == [True] * 5 + [False]
    assert budget.take(11.0, 0.2)
    assert not budget.take(11.0, 0.0)
