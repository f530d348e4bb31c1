"""Models of an Ollama server, fetched and deleted through us, for those who manage AI."""

from collections.abc import AsyncGenerator, Callable

from opencode.contracts.identity import Identity
from opencode.kernel.principal import Principal
from opencode.modules.ai.domain.configuration.model import Dialect
from opencode.modules.ai.domain.pulls import PullAsked, Puller
from opencode.modules.ai.domain.registry import Upstream
from opencode.modules.ai.errors import NotOllama
from opencode.modules.ai.policy import require_manager
from opencode.modules.ai.service.live import Live
from opencode.modules.ai.service.providers import Providers


class Pulling:
    def __init__(self, identity: Identity, live: Live, providers: Providers, puller: Callable[[], Puller]) -> None:
        self._identity = identity
        self._live = live
        self._providers = providers
        self._puller = puller

    async def pull(self, asked: PullAsked, by: Principal) -> AsyncGenerator[bytes]:
        """
        Have a server fetch a model.

        Yields:
            Its lines of progress, as they come and as they are (NDJSON).

        Raises:
            Unauthenticated, Forbidden, NotOllama, ProviderUnreachable: before the first line.
        """
        upstream = self._ollama(asked.provider, by)
        await self._identity.record("ai.model_pulled", actor=by, subject_id=asked.provider, detail=asked.model)
        async for piece in self._puller().pull(upstream, asked.model):
            yield piece
        await self._providers.test(asked.provider)

    async def delete(self, asked: PullAsked, by: Principal) -> None:
        """
        Have a server delete a model.

        Raises:
            Unauthenticated, Forbidden, NotOllama, ProviderUnreachable
        """
        upstream = self._ollama(asked.provider, by)
        await self._puller().delete(upstream, asked.model)
        await self._identity.record("ai.model_deleted", actor=by, subject_id=asked.provider, detail=asked.model)
        await self._providers.test(asked.provider)

    def _ollama(self, provider: str, by: Principal) -> Upstream:
        require_manager(by)
        upstream = self._live.current.registry.upstreams.get(provider)
        if upstream is None or upstream.dialect is not Dialect.OLLAMA or not upstream.enabled:
            raise NotOllama(provider)
        return upstream
