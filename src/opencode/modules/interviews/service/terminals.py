"""Terminals: who is let in to one, what they see of it at once, and what they may do to it."""

from datetime import datetime, timedelta

import msgspec

from opencode.contracts.collaboration import DocumentEnded, DocumentGate, Entry, NotAdmitted, PeerRole
from opencode.infra.plugs import Parts
from opencode.kernel.errors import NotFound
from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.run import Run
from opencode.modules.interviews.errors import (
    InterviewRunNotFound,
    NoTerminal,
    TerminalElsewhere,
    TerminalFull,
    TerminalTicketRefused,
)
from opencode.modules.interviews.policy import Action
from opencode.modules.interviews.service.base import Neighbours, UseCases
from opencode.modules.interviews.service.shared_terminal import Cut, SharedTerminal
from opencode.modules.interviews.settings import InterviewsSettings

TICKET_LIFETIME = timedelta(minutes=2)
MAX_VIEWERS = 100
MAX_VIEWERS_OF_ONE_PERSON = 10


class TerminalTicket(msgspec.Struct, frozen=True, array_like=True, tag="terminal.v1"):
    """Whose, for the terminal of which run, until when (seconds since 1970)."""

    run_id: str
    peer_id: str
    expires_at: int


class Terminals(UseCases):
    """
    The terminals of the runs that this server drives.

    Args:
        gate: says again, whenever it matters, who is in the interview and may write.
    """

    def __init__(self, parts: Parts, settings: InterviewsSettings, neighbours: Neighbours, gate: DocumentGate) -> None:
        super().__init__(parts, settings, neighbours)
        self._gate = gate
        self._open: dict[str, SharedTerminal] = {}

    def open(self, run: Run) -> SharedTerminal | None:
        """The terminal of a run that is about to start; None when it has pipes."""
        if run.terminal is None:
            return None
        terminal = SharedTerminal(run, run.terminal, self.runner, self.parts.pubsub, self._rights)
        self._open[run.id] = terminal
        return terminal

    def forget(self, run_id: str) -> None:
        """The run is over; whoever comes later reads its record."""
        self._open.pop(run_id, None)

    async def issue_ticket(self, run_id: str, by: Principal) -> tuple[str, datetime]:
        """
        Two minutes of leave to open the terminal of a run, for those who may run code in its interview.

        Raises:
            NoTerminal, and what `case_of_run` raises.
        """
        async with self.reading() as stores:
            _, run = await self.case_of_run(stores, run_id, by, Action.RUN)
        if run.terminal is None:
            raise NoTerminal(run.id)
        expires_at = (self.clock.now() + TICKET_LIFETIME).replace(microsecond=0)
        ticket = TerminalTicket(run.id, by.id, int(expires_at.timestamp()))
        return self.parts.signer.sign(ticket), expires_at

    async def enter(self, run_id: str, signed: str) -> tuple[SharedTerminal, Entry]:
        """
        Check the ticket, then ask again whether the person may still enter: a ticket outlives a removal.

        Raises:
            TerminalTicketRefused: no ticket, or not a good one.
            TerminalElsewhere: another server drives the run.
            TerminalFull, InterviewRunNotFound, and what the gate raises.
        """
        ticket = self._check(signed, run_id)
        async with self.reading() as stores:
            run = await stores.runs.find(ticket.run_id)
        if run is None or run.terminal is None:
            raise InterviewRunNotFound(run_id)
        entry = await self._gate.enter_again(ticket.peer_id, run.interview_id)
        terminal = self._open.get(run.id)
        if terminal is None:
            if not run.is_finished:
                raise TerminalElsewhere(run.id)
            return SharedTerminal.of_record(run, run.terminal, self.runner, self.parts.pubsub, self._rights), entry
        _require_place(terminal, entry)
        return terminal, entry

    def end_here(self, principal_id: str) -> None:
        """Cut the sockets of a person whose credentials were revoked."""
        for terminal in list(self._open.values()):
            terminal.cut_person(principal_id, Cut.REVOKED)

    def _check(self, signed: str, run_id: str) -> TerminalTicket:
        if not signed:
            raise TerminalTicketRefused("is missing")
        ticket = self.parts.signer.verify(signed, TerminalTicket)
        if ticket is None:
            raise TerminalTicketRefused("was not made by this server")
        if ticket.run_id != run_id:
            raise TerminalTicketRefused("is for another run")
        if ticket.expires_at <= self.clock.timestamp():
            raise TerminalTicketRefused("has expired")
        return ticket

    async def _rights(self, peer_id: str, interview_id: str) -> bool | Cut:
        """May this person type now? Or why they are no longer to see the terminal at all."""
        try:
            return (await self._gate.enter_again(peer_id, interview_id)).role is PeerRole.WRITE
        except NotAdmitted:
            return Cut.REVOKED
        except DocumentEnded:
            return Cut.ENDED
        except NotFound:
            return Cut.GONE


def _require_place(terminal: SharedTerminal, entry: Entry) -> None:
    own = sum(viewer.peer_id == entry.peer_id for viewer in terminal.viewers)
    if len(terminal.viewers) >= MAX_VIEWERS or own >= MAX_VIEWERS_OF_ONE_PERSON:
        raise TerminalFull(len(terminal.viewers), own)
