"""Other servers, which are played here: no sandbox is made."""

import pytest


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> None:
    """There is nothing to look for after each test."""
