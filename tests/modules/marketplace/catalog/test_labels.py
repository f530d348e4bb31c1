"""The values of facets that people see are the most frequent ones, however many are equally frequent."""

import random

import numpy as np
import pytest

from opencode.modules.marketplace.adapters.catalog.label_counts import LabelCounts
from opencode.modules.marketplace.adapters.catalog.labels import Labels
from opencode.modules.marketplace.domain.catalog import FACET_VALUES, FacetValue


@pytest.mark.parametrize("values", [3, FACET_VALUES, 200, 201, 900])
@pytest.mark.parametrize("most", [1, 3, 10_000])
def test_the_most_frequent_values_are_shown_and_of_equal_ones_the_first_by_name(values: int, most: int) -> None:
    chance = random.Random(values * most)
    labels = Labels()
    for number in chance.sample(range(values), values):
        labels.label("tags", f"{'Tt'[number % 2]}ag{number}")
        if number % 7 == 0:
            labels.label("license", f"MIT-{number}")
    counts = np.array([chance.randint(0, most) for _ in labels], dtype=np.int64)
    shown = labels.facets(counts)
    for facet, found in (("tags", shown.tags), ("license", shown.license), ("price", shown.price)):
        having = [(int(counts[each.number]), each.written) for each in labels if each.facet == facet]
        best = sorted((pair for pair in having if pair[0]), key=lambda pair: (-pair[0], pair[1].casefold()))
        assert found == tuple(FacetValue(written, count) for count, written in best[:FACET_VALUES])


def test_values_that_came_after_the_counting_have_none() -> None:
    labels = Labels()
    labels.label("tags", "early")
    counts = np.array([4], dtype=np.int64)
    labels.label("tags", "late")
    assert labels.facets(counts).tags == (FacetValue("early", 4),)


@pytest.mark.parametrize("projects", [1, 63, 64, 65, 130, 4000])
def test_labels_of_many_projects_are_counted_as_one_by_one(projects: int) -> None:
    chance = np.random.default_rng(projects)
    shares = (1.0, 0.9, 0.5, 0.1, 0.02, 0.01, 0.001, 0.0)
    having = [np.flatnonzero(chance.random(projects) < share).astype(np.uint32) for share in shares]
    totals = np.array([len(places) for places in having], dtype=np.int64)
    counted = LabelCounts(projects, totals, ((number, number, places) for number, places in enumerate(having)))
    for share in (0.0, 0.03, 0.5, 1.0):
        mask = chance.random(projects) < share
        found = counted.among(mask, len(having) + 1)
        assert found.tolist() == [*(int(np.count_nonzero(mask[places])) for places in having), 0]
