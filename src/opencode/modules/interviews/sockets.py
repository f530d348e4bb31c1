"""Terminal sockets: who is let in, and the life of one connection."""

from opencode.contracts.collaboration import Entry
from opencode.infra.websocket import Admission, Socket, SocketRoute, UpgradeRequest, ticket_of, ticket_subprotocol
from opencode.modules.interviews.errors import InterviewRunNotFound
from opencode.modules.interviews.service.shared_terminal import SharedTerminal, Viewer
from opencode.modules.interviews.service.terminals import Terminals

PREFIX = "/api/v1/runs/"
SUFFIX = "/terminal"
MAX_MESSAGE_BYTES = 32 * 1024


class TerminalSockets:
    """Lets sockets in to terminals."""

    def __init__(self, terminals: Terminals) -> None:
        self._terminals = terminals

    @property
    def route(self) -> SocketRoute:
        return SocketRoute(PREFIX, self.admit, MAX_MESSAGE_BYTES)

    async def admit(self, request: UpgradeRequest) -> Admission:
        """Raises what `Terminals.enter` raises."""
        run_id = request.path.removeprefix(PREFIX).removesuffix(SUFFIX)
        if not request.path.endswith(SUFFIX):
            raise InterviewRunNotFound(run_id[:40])
        terminal, entry = await self._terminals.enter(run_id, ticket_of(request))
        handler = TerminalSocket(terminal, entry)
        return Admission(handler, ticket_subprotocol(request), handler.told)


class TerminalSocket:
    """One connection; see `infra.websocket.SocketHandler`. Its work is the viewer's."""

    def __init__(self, terminal: SharedTerminal, entry: Entry) -> None:
        self._terminal = terminal
        self._entry = entry
        self._viewer: Viewer | None = None

    def opened(self, socket: Socket) -> None:
        self._viewer = Viewer(self._terminal, socket, self._entry)
        self._terminal.join(self._viewer)

    def received(self, message: bytes) -> None:
        if self._viewer:
            self._viewer.typed(message)

    def told(self, text: str) -> None:
        if self._viewer:
            self._viewer.told(text)

    def congested(self) -> None:
        if self._viewer:
            self._viewer.congested()

    def writable(self) -> None:
        if self._viewer:
            self._viewer.writable()

    def closed(self) -> None:
        if self._viewer:
            self._viewer.close()
