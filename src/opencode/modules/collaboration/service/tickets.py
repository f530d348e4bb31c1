"""Tickets: two minutes of leave to open one document, signed, so that opening a socket asks no table for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from opencode.contracts.collaboration import Entry
from opencode.infra.security import Signer
from opencode.kernel.clock import Clock
from opencode.modules.collaboration.errors import TicketRefused


class Ticket(msgspec.Struct, frozen=True, array_like=True, tag="ticket.v1"):
    """Whose, for which document, as what, until when (seconds since 1970)."""

    document_id: str
    peer_id: str
    role: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class SignedTicket:
    ticket: str
    expires_at: datetime


class Tickets:
    """Makes and checks tickets. One may be used again until it expires: stock clients reconnect with the same."""

    def __init__(self, signer: Signer, clock: Clock, *, lifetime_s: int) -> None:
        self._signer = signer
        self._clock = clock
        self._lifetime = timedelta(seconds=lifetime_s)

    def issue(self, document_id: str, entry: Entry) -> SignedTicket:
        expires_at = self._clock.now() + self._lifetime
        ticket = Ticket(document_id, entry.peer_id, entry.role, int(expires_at.timestamp()))
        return SignedTicket(self._signer.sign(ticket), expires_at.replace(microsecond=0))

    def check(self, signed: str, document_id: str) -> Ticket:
        """
        Raises:
            TicketRefused: missing, not ours, expired, or for another document.
        """
        if not signed:
            raise TicketRefused("is missing")
        ticket = self._signer.verify(signed, Ticket)
        if ticket is None:
            raise TicketRefused("was not made by this server")
        if ticket.document_id != document_id:
            raise TicketRefused("is for another document")
        if ticket.expires_at <= self._clock.timestamp():
            raise TicketRefused("has expired")
        return ticket
