"""The way in: whoever owns the documents decides, once they have said that they do."""

from opencode.contracts.collaboration import DocumentGate, Entry
from opencode.kernel.errors import Unavailable
from opencode.kernel.principal import Principal


class Entrance:
    """Implements `DocumentGate` by asking the owner of documents. Nobody enters before `open`."""

    def __init__(self) -> None:
        self._gate: DocumentGate | None = None

    def open(self, gate: DocumentGate) -> None:
        """From now on, ask this owner."""
        self._gate = gate

    async def enter(self, principal: Principal, audience: str) -> Entry:
        return await self._owner().enter(principal, audience)

    async def enter_again(self, peer_id: str, audience: str) -> Entry:
        return await self._owner().enter_again(peer_id, audience)

    def _owner(self) -> DocumentGate:
        if self._gate is None:
            raise Unavailable("The server is still starting.", action="Try again in a moment.")
        return self._gate
