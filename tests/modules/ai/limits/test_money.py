"""What calls cost, and how much of a budget is taken at once: whole numbers, and never too little."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as some

from opencode.modules.ai.domain.calls import Estimate, Outcome, used
from opencode.modules.ai.domain.configuration.model import ModelPrice
from opencode.modules.ai.domain.money import MOST_NANO, NANO, Price, cost_of, most_cost_of, nano_of
from opencode.modules.ai.domain.slices import SHARE, fitting, slice_of
from opencode.modules.ai.domain.usage import MOST_TOKENS, Usage, tokens_of_request

TOKENS = some.integers(0, 10_000_000)
NANOS = some.integers(0, 1_000 * NANO)
PRICES = some.builds(Price, NANOS, NANOS, NANOS, NANOS)
USAGES = some.builds(Usage, TOKENS, TOKENS, TOKENS, TOKENS).map(Usage.bounded)


def exact(price: Price, usage: Usage) -> Fraction:
    plain = usage.input - usage.cached - usage.cache_write
    parts = plain * price.input + usage.output * price.output
    return Fraction(parts + usage.cached * price.cached_input + usage.cache_write * price.cache_write, 1_000_000)


@given(PRICES, USAGES)
def test_a_call_costs_what_its_tokens_cost_rounded_up_once(price: Price, usage: Usage) -> None:
    assert 0 <= cost_of(price, usage) - exact(price, usage) < 1


@given(PRICES, USAGES)
def test_what_is_reserved_is_enough_whatever_comes_out_of_a_cache(price: Price, usage: Usage) -> None:
    assert most_cost_of(price, Usage(usage.input, usage.output)) >= cost_of(price, usage)


@given(PRICES, USAGES, USAGES)
def test_two_calls_never_cost_less_than_one_of_both(price: Price, first: Usage, second: Usage) -> None:
    both = Usage(
        first.input + second.input,
        first.output + second.output,
        first.cached + second.cached,
        first.cache_write + second.cache_write,
    )
    assert 0 <= cost_of(price, first) + cost_of(price, second) - cost_of(price, both) <= 1


def test_one_token_of_the_cheapest_model_costs_something() -> None:
    assert cost_of(Price.of(ModelPrice(input=0.01)), Usage(input=1)) == 10
    assert cost_of(Price(input=1), Usage(input=1)) == 1


@given(some.integers(0, 10**9))
def test_dollars_are_what_somebody_wrote(millionths: int) -> None:
    assert nano_of(float(f"{millionths / 1_000_000:.6f}")) == millionths * 1_000


def test_a_provider_that_says_nonsense_breaks_no_sum() -> None:
    usage = Usage(10**30, -5, 10**31, 10**32).bounded()
    assert usage == Usage(MOST_TOKENS, 0, MOST_TOKENS, 0)
    assert cost_of(Price(10**15, 10**15, 10**15, 10**15), Usage(MOST_TOKENS, MOST_TOKENS)) <= MOST_NANO


def test_a_call_whose_usage_is_not_told_is_charged_by_its_bytes() -> None:
    estimate = Estimate("lab/model", Price(), Usage(tokens_of_request(b"x" * 300), 1_000))
    assert used(estimate, Outcome(None, answer_bytes=31)) == Usage(100, 11)


@given(some.integers(-(10**12), 10**12), some.integers(1, 10**12))
def test_a_slice_is_enough_or_nothing_and_never_more_than_is_left(left: int, needed: int) -> None:
    taken = slice_of(left, needed, needed)
    assert taken == 0 if left < needed else needed <= taken <= max(needed, left // SHARE)


@given(some.integers(1, 10**6), some.integers(0, 99))
def test_when_little_is_left_a_slice_is_exactly_what_is_needed(needed: int, calls: int) -> None:
    assert slice_of(needed * (calls + 1), needed, needed) == needed


@given(some.integers(0, 100), some.lists(some.integers(1, 50), max_size=8))
def test_as_many_calls_are_served_as_there_is_enough_for_first_come_first_served(left: int, costs: list[int]) -> None:
    served = fitting(left, costs)
    assert served <= left
    if costs and costs[0] <= left:
        assert served >= costs[0]
    if sum(costs) <= left:
        assert served == sum(costs)
    assert served or all(cost > left for cost in costs)
