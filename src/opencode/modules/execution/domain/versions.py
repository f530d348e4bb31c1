"""Versions as npm's semver reads them: `3`, `3.x`, `^3.10`, `~1.2`, `>=1 <2`, `1.2 - 1.4`, `3 || 4`, `*`."""

import re
from collections.abc import Sequence

Parts = tuple[int, int, int]
Span = tuple[Parts, Parts]
"""From the first, up to and without the second."""

_LAST: Parts = (2**63, 0, 0)
_PARTIAL = re.compile(r"[v=]*(\d{1,9}|[xX*])(?:\.(\d{1,9}|[xX*]))?(?:\.(\d{1,9}|[xX*]))?(?:[-+.].*)?")
_COMPARATOR = re.compile(r"(\^|~>?|>=|<=|>|<|=)?\s*([^\s<>=~^|]+)")
LONGEST_RANGE = 100


def highest(wanted: str, versions: Sequence[str]) -> str | None:
    """The highest of these versions that a range lets through; None when there is none, or it is no range."""
    if len(wanted) > LONGEST_RANGE:
        return None
    spans = [span for part in wanted.split("||") if (span := _span(part.strip())) is not None]
    fitting = [version for version in versions if any(low <= _parts(version) < high for low, high in spans)]
    return max(fitting, key=_parts, default=None)


def _parts(version: str) -> Parts:
    major, minor, patch = ([int(number) for number in re.findall(r"\d+", version)] + [0, 0, 0])[:3]
    return major, minor, patch


def _span(words: str) -> Span | None:
    """All comparators of one alternative together; None when one cannot be read."""
    if between := re.fullmatch(r"(\S+)\s+-\s+(\S+)", words):
        words = f">={between[1]} <={between[2]}"
    low, high = (0, 0, 0), _LAST
    rest = words or "*"
    while rest:
        found = _COMPARATOR.match(rest)
        span = _comparator(found[1] or "", found[2]) if found else None
        if found is None or span is None:
            return None
        low, high = max(low, span[0]), min(high, span[1])
        rest = rest[found.end() :].lstrip()
    return low, high


def _comparator(operator: str, version: str) -> Span | None:
    found = _PARTIAL.fullmatch(version)
    if found is None:
        return None
    given = [int(part) for part in found.groups() if part is not None and part not in "xX*"]
    if not given:
        return (0, 0, 0), _LAST
    low = (*given, 0, 0)[:3]
    first: Parts = (low[0], low[1], low[2])
    after = _raised(first, len(given) - 1)
    match operator:
        case "^":
            # The first number that is not 0 stays; where all that are given are 0, the last of them.
            leading = next((place for place, number in enumerate(given) if number), len(given) - 1)
            return first, _raised(first, leading)
        case "~" | "~>":
            return first, _raised(first, min(1, len(given) - 1))
        case ">=":
            return first, _LAST
        case ">":
            return after, _LAST
        case "<":
            return (0, 0, 0), first
        case "<=":
            return (0, 0, 0), after
        case _:
            return first, after


def _raised(parts: Parts, place: int) -> Parts:
    """The first version whose number at `place` is one higher."""
    raised = [*parts[:place], parts[place] + 1, 0, 0][:3]
    return raised[0], raised[1], raised[2]
