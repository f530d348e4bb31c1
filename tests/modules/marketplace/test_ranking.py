"""The published formulas do what they say."""

from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.marketplace.domain.ranking import HALF_LIFE_S, boost, popularity, rarity, trend

moments = st.lists(st.tuples(st.floats(0.5, 100), st.floats(1.6e9, 1.9e9)), min_size=1, max_size=20)


def key_of(happened: list[tuple[float, float]]) -> float:
    key = float("-inf")
    for weight, at in happened:
        key = trend(key, weight, at)
    return key


@given(moments, moments, st.floats(0, 1e8))
def test_the_order_by_trend_does_not_change_as_time_passes(
    one: list[tuple[float, float]], other: list[tuple[float, float]], later: float
) -> None:
    def weight_at(happened: list[tuple[float, float]], now: float) -> float:
        return sum(weight * 2.0 ** ((at - now) / HALF_LIFE_S) for weight, at in happened)

    now = 1.9e9 + later % (50 * HALF_LIFE_S)
    difference = key_of(one) - key_of(other)
    if abs(difference) > 1e-6:
        assert (weight_at(one, now) > weight_at(other, now)) is (difference > 0)


def test_what_happened_a_week_ago_weighs_half() -> None:
    assert abs(trend(float("-inf"), 2.0, 0.0) - trend(float("-inf"), 1.0, HALF_LIFE_S)) < 1e-9


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_more_stars_and_more_downloads_never_lower_anybody(stars: int, downloads: int) -> None:
    assert popularity(stars + 1, downloads) > popularity(stars, downloads)
    assert popularity(stars, downloads + 1) > popularity(stars, downloads)
    assert boost(popularity(stars, downloads)) >= 1.0


@given(st.integers(1, 10**6), st.data())
def test_a_rarer_word_tells_more_and_none_tells_less_than_nothing(projects: int, data: st.DataObject) -> None:
    having = data.draw(st.integers(0, projects - 1))
    assert rarity(projects, having) > rarity(projects, having + 1) > 0
