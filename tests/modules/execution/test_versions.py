"""Ranges of versions, as npm's semver reads them."""

import pytest

from opencode.modules.execution.domain.versions import highest

INSTALLED = ("3.11.2", "3.12.0", "2.7.18", "0.9.3", "0.10.1")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("*", "3.12.0"),
        ("", "3.12.0"),
        ("x", "3.12.0"),
        ("3", "3.12.0"),
        ("3.x", "3.12.0"),
        ("3.11", "3.11.2"),
        ("3.11.2", "3.11.2"),
        ("=3.11.2", "3.11.2"),
        ("v3.11.2", "3.11.2"),
        ("3.11.1", None),
        ("^3.10", "3.12.0"),
        ("^0.9.1", "0.9.3"),
        ("^0.8", None),
        ("^0", "0.10.1"),
        ("~3.11", "3.11.2"),
        ("~3.11.3", None),
        ("~3", "3.12.0"),
        (">=3 <3.12", "3.11.2"),
        (">= 3  < 3.12.0", "3.11.2"),
        (">3.11", "3.12.0"),
        ("<=2", "2.7.18"),
        ("<0.10", "0.9.3"),
        ("2.7 - 3.11", "3.11.2"),
        ("1 || 2", "2.7.18"),
        ("4", None),
        ("latest", None),
        ("3 latest", None),
        ("3;rm", None),
        ("^", None),
        ("9" * 500, None),
    ],
)
def test_the_highest_version_that_fits_is_taken(wanted: str, found: str | None) -> None:
    assert highest(wanted, INSTALLED) == found
