"""Shapes on the wire."""

from datetime import datetime

import msgspec


class TicketView(msgspec.Struct):
    """A ticket for one document; `expires_at` is two minutes away unless the operator chose otherwise."""

    ticket: str
    expires_at: datetime
