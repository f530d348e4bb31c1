"""A Python object that answers in place of a server."""

from collections.abc import AsyncIterator
from typing import Any


class Echo:
    @staticmethod
    async def chat(request: Any) -> AsyncIterator[Any]:
        yield request
