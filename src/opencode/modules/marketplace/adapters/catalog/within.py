"""The embedded index in this very process, with what keeping it takes."""

from collections.abc import Sequence

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.adapters.catalog.at_once import AtOnce
from opencode.modules.marketplace.adapters.catalog.embedded import EmbeddedCatalog
from opencode.modules.marketplace.adapters.catalog.looking import Look


class WithinCatalog(AtOnce):
    """See `domain.snapshots.LoadedIndex`."""

    def __init__(self, index: EmbeddedCatalog | None = None) -> None:
        super().__init__(EmbeddedCatalog)
        self.index: EmbeddedCatalog = EmbeddedCatalog() if index is None else index

    async def successor(self) -> "WithinCatalog":
        return WithinCatalog()

    def look_through(self) -> "LookWithin":
        return LookWithin(self.index.look_through())


class LookWithin:
    """See `domain.snapshots.Look`."""

    def __init__(self, look: Look) -> None:
        self._look = look

    async def outdated(self, ids: Sequence[ProjectId], versions: Sequence[int]) -> list[ProjectId]:
        return self._look.outdated(ids, versions)

    async def unpublished(self) -> list[ProjectId]:
        return self._look.unpublished()

    async def standing_otherwise(
        self, ids: Sequence[ProjectId], popularity: Sequence[float], trending: Sequence[float]
    ) -> list[ProjectId]:
        return self._look.standing_otherwise(ids, popularity, trending)
