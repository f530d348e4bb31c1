"""
Versions, and ranges of them as npm's `semver` reads them: `3`, `3.x`, `~3.11`, `^18.2`, `>=1.2 <2`, `1.2 - 1.4`,
`3 || 5`.

Toolchains rarely have the three numbers that Semantic Versioning asks for: `5.36` counts as `5.36.0` here. Ranges are
read by the letter, so what npm refuses matches nothing.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

LONGEST = 256  # characters of a version or a range; the same in npm's semver
LARGEST = 2**53 - 1  # of a number in it: JavaScript's MAX_SAFE_INTEGER

_NUMBER = "0|[1-9][0-9]*"
_LABEL = f"(?:[0-9]*[a-zA-Z-][a-zA-Z0-9-]*|{_NUMBER})"
_LABELS = rf"{_LABEL}(?:\.{_LABEL})*"
_PART = rf"({_NUMBER}|[xX*])"

_LOOSE_VERSION = re.compile(rf"[v=\s]*([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-({_LABELS})(?=\+|$))?")
_PARTIAL = rf"(?:{_PART}(?:\.{_PART}(?:\.{_PART}(?:-({_LABELS}))?)?)?)"
_COMPARATOR = re.compile(rf"(~>?|\^|[<>]?=?)([v=]*){_PARTIAL}")
_HYPHEN = re.compile(rf"([v=]*){_PARTIAL} - ([v=]*){_PARTIAL}")
_BUILD = re.compile(r"\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*")
# `>= 1.2` is one comparator, as `>=1.2` is.
_GAP = re.compile(r"(~>?|\^|[<>]=?|=) (?=[v=0-9xX*])")

Label = tuple[int, int, str]


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """
    A version that can be compared (semver.org, section 11).

    Attributes:
        rank: 1 for a release, 0 for a prerelease, which comes before it.
        labels: of a prerelease, numbers before words.
    """

    major: int
    minor: int
    patch: int
    rank: int = 1
    labels: tuple[Label, ...] = ()

    @property
    def release(self) -> tuple[int, int, int]:
        return self.major, self.minor, self.patch


@dataclass(frozen=True, slots=True)
class _Bound:
    """`operator` is one of `<`, `<=`, `>`, `>=`, `=`."""

    operator: str
    version: Version

    def holds(self, version: Version) -> bool:
        match self.operator:
            case "<":
                return version < self.version
            case "<=":
                return version <= self.version
            case ">":
                return version > self.version
            case ">=":
                return version >= self.version
            case _:
                return version == self.version


_Bounds = tuple[_Bound, ...]
"""All of them must hold; none is `*`."""


@dataclass(frozen=True, slots=True)
class _Partial:
    """A version of which the last numbers may be left open: `3.x` has no minor. What follows an open one is ignored."""

    major: int | None
    minor: int | None
    patch: int | None
    labels: tuple[Label, ...]

    @property
    def floor(self) -> Version:
        """The lowest version that it names."""
        if self.patch is None or not self.labels:
            return Version(self.major or 0, self.minor or 0, self.patch or 0)
        return Version(self.major or 0, self.minor or 0, self.patch, 0, self.labels)

    @property
    def beyond(self) -> Version:
        """The lowest version above all that it names, prereleases included."""
        if self.minor is None:
            return _before((self.major or 0) + 1, 0, 0)
        return _before(self.major or 0, self.minor + 1, 0)


class _NoRange(Exception):
    """The text is no range."""


def full_version(text: str) -> str | None:
    """
    A version with three numbers: `5.36` is `5.36.0`, `9.04.1.2` is `9.4.1`. Words after a hyphen stay, as in
    `2.0.0-beta.1`; build metadata and what follows a fourth number do not. None when it does not begin with a number.
    """
    found = _LOOSE_VERSION.match(text[:LONGEST])
    if found is None:
        return None
    major, minor, patch, labels = found.groups()
    numbers = ".".join(str(int(number or 0)) for number in (major, minor, patch))
    return f"{numbers}-{labels}" if labels else numbers


@lru_cache(maxsize=1024)
def version_of(text: str) -> Version | None:
    """The version that a text is, after `full_version`; None when it is none."""
    full = full_version(text)
    if full is None:
        return None
    numbers, _, labels = full.partition("-")
    major, minor, patch = (int(number) for number in numbers.split("."))
    if max(major, minor, patch) > LARGEST:
        return None
    return Version(major, minor, patch, 0 if labels else 1, _labels(labels))


def matches(range_text: str, version: str) -> bool:
    """
    Whether the version is in the range. A prerelease is in it only if the range names one of the same three numbers.
    """
    known = version_of(version)
    return known is not None and any(_within(known, bounds) for bounds in _alternatives(range_text))


def best_match(range_text: str, versions: Iterable[str]) -> str | None:
    """The highest version in the range, as it was given; of equal ones the first. None when there is none."""
    best: tuple[Version, str] | None = None
    for text in versions:
        known = version_of(text)
        if known is not None and matches(range_text, text) and (best is None or known > best[0]):
            best = known, text
    return best[1] if best else None


def _within(version: Version, bounds: _Bounds) -> bool:
    if not all(bound.holds(version) for bound in bounds):
        return False
    return version.rank == 1 or any(
        bound.version.rank == 0 and bound.version.release == version.release for bound in bounds
    )


@lru_cache(maxsize=1024)
def _alternatives(range_text: str) -> tuple[_Bounds, ...]:
    if len(range_text) > LONGEST:
        return ()
    text = " ".join(_BUILD.sub("", range_text).split())
    try:
        alternatives = tuple(_bounds(part.strip()) for part in text.split("||"))
    except _NoRange:
        return ()
    # Where one alternative is `*`, npm forgets the others, and with them the prereleases that they name.
    return ((),) if () in alternatives else alternatives


def _bounds(text: str) -> _Bounds:
    if found := _HYPHEN.fullmatch(text):
        noise, *parts, other_noise = found.group(1, 2, 3, 4, 5, 7, 8, 9, 10, 6)
        low, high = _partial(parts[:4]), _partial(parts[4:])
        # As below: npm writes `>=` and `<=` before what it finds.
        low_is_odd = "=" in (noise or "") and low.patch is not None
        high_is_odd = "=" in (other_noise or "") and high.patch is not None and not high.labels
        if low_is_odd or high_is_odd:
            raise _NoRange
        return _hyphen(low, high)
    bounds: list[_Bound] = []
    for word in _GAP.sub(r"\1", text).split():
        found = _COMPARATOR.fullmatch(word)
        if found is None:
            raise _NoRange
        operator, noise, *parts = found.groups()
        partial = _partial(parts)
        # npm takes `==1.2` for `=1.2`, but not `==1.2.3`; and no number may follow an open one, but after `~` and `^`.
        is_odd = _is_odd(parts) or ("=" in noise and partial.patch is not None)
        if is_odd and operator[:1] not in {"~", "^"}:
            raise _NoRange
        bounds += _comparator(operator, partial)
    return tuple(bounds)


def _comparator(operator: str, partial: _Partial) -> _Bounds:
    if operator.startswith("~"):
        return _between(partial, partial.beyond)
    if operator == "^":
        return _between(partial, _caret_end(partial))
    if partial.patch is not None:
        return (_Bound(operator or "=", partial.floor),)
    match operator:
        case "<" if partial.major is None:
            return (_Bound("<", _before(0, 0, 0)),)
        case ">" if partial.major is None:
            return (_Bound("<", _before(0, 0, 0)),)
        case "<":
            return (_Bound("<", _before(*partial.floor.release)),)
        case ">":
            return (_Bound(">=", _checked(Version(*partial.beyond.release))),)
        case "<=":
            return () if partial.major is None else (_Bound("<", partial.beyond),)
        case ">=":
            return () if partial.major is None else (_Bound(">=", partial.floor),)
        case _:
            return _between(partial, partial.beyond)


def _between(partial: _Partial, end: Version) -> _Bounds:
    return () if partial.major is None else (_Bound(">=", partial.floor), _Bound("<", end))


def _caret_end(partial: _Partial) -> Version:
    """A caret allows what leaves the first number that is not zero as it is."""
    major, minor, patch = partial.major or 0, partial.minor, partial.patch
    if major or minor is None:
        return _before(major + 1, 0, 0)
    if minor or patch is None:
        return _before(0, minor + 1, 0)
    return _before(0, 0, patch + 1)


def _hyphen(low: _Partial, high: _Partial) -> _Bounds:
    bounds: list[_Bound] = []
    if low.major is not None:
        bounds.append(_Bound(">=", low.floor))
    if high.major is not None:
        bounds.append(_Bound("<", high.beyond) if high.patch is None else _Bound("<=", high.floor))
    return tuple(bounds)


def _partial(parts: Iterable[str | None]) -> _Partial:
    *numbers, labels = parts
    major, minor, patch = (None if part is None or part in "xX*" else int(part) for part in numbers)
    minor = None if major is None else minor
    patch = None if minor is None else patch
    if max(major or 0, minor or 0, patch or 0) > LARGEST:
        raise _NoRange
    return _Partial(major, minor, patch, _labels(labels or ""))


def _is_odd(parts: Sequence[str | None]) -> bool:
    """`1.x.3`: a number follows an open one."""
    is_open = [part is None or part in "xX*" for part in parts[:3]]
    return any(first and not then for first, then in pairwise(is_open))


def _before(major: int, minor: int, patch: int) -> Version:
    """The lowest prerelease of a version: what is below it is below all of them."""
    return _checked(Version(major, minor, patch, 0, _labels("0")))


def _checked(version: Version) -> Version:
    if max(version.release) > LARGEST:
        raise _NoRange
    return version


def _labels(text: str) -> tuple[Label, ...]:
    # Numbers come before words, and are compared as numbers.
    words = text.split(".") if text else []
    return tuple((0, int(word), "") if word.isdigit() else (1, 0, word) for word in words)
