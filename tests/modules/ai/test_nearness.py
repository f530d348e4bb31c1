"""Which question is the nearest: none of another bucket, none that is too old, no more of them than there may be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.ai.domain.nearness import (
    MOST_DIMENSIONS,
    MOST_IN_BUCKET,
    Direction,
    Nearness,
    direction_of,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
vectors = st.lists(finite, min_size=3, max_size=3).filter(lambda vector: any(vector))
puts = st.tuples(st.sampled_from("ab"), st.sampled_from("klmnopq"), vectors, st.floats(1, 100))


def at(degrees: float) -> Direction:
    found = direction_of([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])
    assert found is not None
    return found


def found_by(nearness: Nearness, degrees: float, *, least: float) -> str | None:
    found = nearness.nearest("a", at(degrees), least=least, now_s=0)
    return found.key if found else None


@given(vectors)
def test_a_direction_has_the_length_of_one_however_large_or_small_its_numbers_are(vector: list[float]) -> None:
    direction = direction_of(vector)
    assert direction is not None
    assert np.linalg.norm(direction) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("vector", [[], [0.0, 0.0], [math.inf, 1.0], [math.nan], [1.0] * (MOST_DIMENSIONS + 1)])
def test_what_points_nowhere_is_no_direction(vector: list[float]) -> None:
    assert direction_of(vector) is None


@given(st.lists(puts, max_size=40), st.integers(1, 6), vectors, st.floats(-1, 1), st.floats(0, 120))
def test_what_is_found_is_the_nearest_of_its_bucket_and_the_bound_always_holds(
    kept: list[tuple[str, str, list[float], float]], most: int, asked: list[float], least: float, now_s: float
) -> None:
    nearness, model = Nearness(most), dict[tuple[str, str], tuple[Direction, float]]()
    for bucket, key, vector, until_s in kept:
        direction = direction_of(vector)
        assert direction is not None
        nearness.put(bucket, key, direction, until_s)
        model.pop((bucket, key), None)
        model[bucket, key] = direction, until_s
        while len(model) > most:
            del model[next(iter(model))]
        assert len(nearness) == len(model) <= most
    wanted = direction_of(asked)
    assert wanted is not None
    cosines = {
        key: float(direction @ wanted)
        for (bucket, key), (direction, until_s) in model.items()
        if bucket == "a" and until_s > now_s
    }
    found = nearness.nearest("a", wanted, least=least, now_s=now_s)
    if found is None:
        assert all(cosine < least + 1e-5 for cosine in cosines.values())
    else:
        assert -1 <= found.similarity <= 1
        assert found.similarity >= least
        assert found.similarity == pytest.approx(max(cosines.values()), abs=1e-5)
        assert cosines[found.key] == pytest.approx(found.similarity, abs=1e-5)


def test_one_bucket_has_room_for_so_many_and_what_was_not_found_for_the_longest_goes() -> None:
    nearness = Nearness(10 * MOST_IN_BUCKET)
    for number in range(MOST_IN_BUCKET):
        nearness.put("a", str(number), at(number * 90 / MOST_IN_BUCKET), 100)
    assert found_by(nearness, 0, least=0.999_999) == "0"
    nearness.put("a", "new", at(180), 100)
    assert len(nearness) == MOST_IN_BUCKET
    # The first one was found since; the second one was not.
    assert found_by(nearness, 0, least=0.999_999) == "0"
    assert found_by(nearness, 90 / MOST_IN_BUCKET, least=0.999_999) is None


def test_vectors_of_another_length_are_not_compared() -> None:
    nearness = Nearness(10)
    nearness.put("a", "short", at(0), 100)
    longer = direction_of([1.0, 0.0, 0.0])
    assert longer is not None
    assert nearness.nearest("a", longer, least=-1, now_s=0) is None
    # Whoever makes longer ones now makes no short ones any more.
    nearness.put("a", "long", longer, 100)
    assert len(nearness) == 1
    found = nearness.nearest("a", longer, least=0.9, now_s=0)
    assert found is not None
    assert found.key == "long"


def test_what_is_too_old_is_forgotten_and_so_is_what_one_forgets() -> None:
    nearness = Nearness(10)
    nearness.put("a", "old", at(0), 5)
    nearness.put("a", "young", at(45), 50)
    found = nearness.nearest("a", at(0), least=0.5, now_s=5)
    assert found is not None
    assert (found.key, found.similarity) == ("young", pytest.approx(math.sqrt(0.5)))
    assert len(nearness) == 1
    nearness.forget("a", "young")
    nearness.forget("a", "young")
    assert nearness.nearest("a", at(0), least=-1, now_s=5) is None
    assert len(nearness) == 0
