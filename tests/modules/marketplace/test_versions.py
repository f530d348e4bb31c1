"""Which version is newer, by both of the ways that packages count."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.marketplace.domain.versions import LONGEST, version_of

# PEP 440, with what its section on ordering says.
PYTHON = (
    "1.0.dev1 1.0.dev2 1.0a1.dev1 1.0a1 1.0a1.post1.dev1 1.0a1.post1 1.0a2 1.0b2 1.0b10 1.0rc1 1.0 1.0+local.1 "
    "1.0+local.2 1.0.post1.dev1 1.0.post1 1.0.1 1.2 1.10 2 2024.5.1 1!0.1"
)
# semver.org, section 11.
SEMANTIC = (
    "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.0+build.1 "
    "2.0.0 2.1.0 2.1.1 2.1.10"
)


def key(text: str) -> str:
    version = version_of(text)
    assert version, text
    return version.key


@pytest.mark.parametrize("listed", [PYTHON, SEMANTIC], ids=["python", "semantic"])
def test_versions_are_in_the_order_that_their_standard_gives_them(listed: str) -> None:
    keys = [key(text) for text in listed.split()]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.0", "1.0.0"), ("v1", "1"), ("1.0rc1", "1.0.0-rc.1"), ("1.0c1", "1.0RC1"), ("1.0_a.1", "1.0alpha1")],
)
def test_two_ways_to_write_a_version_are_one(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.0", False), ("1.0.post1", False), ("1.0+a", False), ("1.0a1", True), ("1.0.dev1", True), ("1.0.0-1", True)],
)
def test_a_version_says_by_itself_whether_it_is_a_prerelease(text: str, expected: bool) -> None:
    version = version_of(text)
    assert version
    assert version.is_prerelease is expected


@given(st.text(alphabet=string.digits + "abcprvostdev.-+!_", max_size=70) | st.text(max_size=70))
def test_any_text_is_a_version_with_a_key_that_fits_or_none(text: str) -> None:
    version = version_of(text)
    if version:
        assert len(version.text) <= LONGEST
        assert len(version.key) <= 400
        assert set(version.key) <= set("0123456789abcdef")
        again = version_of(version.text)
        # `vv1` is none, but `v1` becomes `1`.
        assert again
        assert again.key == version.key


_SMALL = st.lists(st.integers(0, 999), min_size=1, max_size=4)
_LARGE = st.lists(st.integers(0, 10**15 - 1), min_size=1, max_size=4)


@given(_SMALL | _LARGE, _SMALL)
def test_numbers_compare_as_numbers(one: list[int], other: list[int]) -> None:
    def padded(numbers: list[int]) -> tuple[int, ...]:
        return (*numbers, *(0 for _ in range(4 - len(numbers))))

    keys = [key(".".join(map(str, numbers))) for numbers in (one, other)]
    assert (keys[0] < keys[1], keys[0] == keys[1]) == (padded(one) < padded(other), padded(one) == padded(other))
