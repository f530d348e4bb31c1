"""A meter on a real database."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from opencode.infra.plugs import Parts
from opencode.modules.ai.domain.limits import Bounds
from tests.modules.ai.limits.house import Till


@pytest.fixture
async def open_till(parts: Parts, tmp_path: Path) -> AsyncIterator[Callable[[Bounds], Till]]:
    """Makes tills, each a process of its own as far as the database can tell; they are closed at the end."""
    async with AsyncExitStack() as stack:

        def opened(bounds: Bounds) -> Till:
            till = Till(parts, tmp_path / "calls", bounds)
            stack.push_async_callback(till.close)
            return till

        yield opened
