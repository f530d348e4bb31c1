"""
How `pytest -n 2` shares out the tests among its processes: those of a file stay together, and so do those of several
files that use one thing of the machine, or that have something costly in common. Without `-n` nothing here is used.
"""

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

GROUPS = {
    "browser": ("tests/e2e/",),
    "sandboxes": (
        "tests/modules/execution/",
        "tests/conformance/test_code_runner.py",
        "tests/modules/interviews/test_real_runs.py",
    ),
    "servers": ("tests/app/", "tests/house/test_wheel.py"),
    "documents": ("tests/clients/", "tests/scenarios/"),
}
"""
Paths whose tests run in one process, one after the other. The groups begin before all other files, in this order: the
long ones first, so that none is left at the end, when the other processes have nothing to do any more. So do the paths
of a group: those of `execution` count what is left open in their process, and nothing of others must be about to close.
The stock clients and the scenarios are one group for the minute that a test of the clients lasts: it passes meanwhile.
"""


class GroupScheduling(LoadScopeScheduling):
    """Gives a process one group after the other."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """The name of the group of a test: one of the above, or its file."""
    file = nodeid.partition("::")[0]
    return next((name for name, paths in GROUPS.items() if file.startswith(paths)), file)


def in_order_of_start(items: list[pytest.Item]) -> list[pytest.Item]:
    """The groups and their paths in the order above, then the other files; within these, everything as it was."""
    paths = [path for group in GROUPS.values() for path in group]
    ranks = {path: rank for rank, path in enumerate(paths)}

    def rank_of(item: pytest.Item) -> int:
        return next((ranks[path] for path in paths if item.nodeid.startswith(path)), len(ranks))

    return sorted(items, key=rank_of)
