"""Percentiles and medians of what was measured."""

from collections.abc import Mapping, Sequence
from math import ceil, nan
from statistics import median

Figures = dict[str, float]  # name with its unit → value; NaN where a contender has no such thing


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all do not exceed; NaN of none."""
    if not values:
        return nan
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def medians(rounds: Sequence[Mapping[str, float]]) -> Figures:
    """The median of each figure over several rounds."""
    return {name: median(figures[name] for figures in rounds) for name in rounds[0]}
