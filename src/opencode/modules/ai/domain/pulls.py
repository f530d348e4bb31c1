"""What a server of models can be told to do with its models."""

from collections.abc import AsyncGenerator
from typing import Protocol

from opencode.modules.ai.domain.registry import Upstream


class Puller(Protocol):
    def pull(self, upstream: Upstream, model: str) -> AsyncGenerator[bytes]:
        """
        Fetch a model; yields lines of progress as the server writes them.

        Raises:
            ProviderUnreachable
        """
        ...

    async def delete(self, upstream: Upstream, model: str) -> None:
        """
        Raises:
            ProviderUnreachable
        """
        ...
