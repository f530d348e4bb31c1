"""
What was heard of single refunds and disputes of an order, each by the provider's name for it. Each may only be raised,
so the same facts in another order, and twice, come to the same.
"""

from enum import StrEnum
from typing import TypeVar

import msgspec

MOST_CLAIMS = 100
"""Of one order. More are a mistake, or somebody's game: somebody must look at it."""


class DisputeState(StrEnum):
    """How far a dispute has come. What was won outweighs what was lost: then the money came back."""

    OPEN = "open"
    """The provider has taken the money away until it is decided."""
    LOST = "lost"
    """The buyer keeps it."""
    WON = "won"
    """The seller has it again."""


_RANK = {state: rank for rank, state in enumerate(DisputeState)}


class HeardRefund(msgspec.Struct, frozen=True):
    """A refund. `failed`: the buyer's bank did not take it, and the money came back."""

    id: str
    amount_minor: int
    failed: bool


class HeardFee(msgspec.Struct, frozen=True):
    """
    What the provider has charged for a dispute, or given back of it (below zero), by one booking of its own. It is in
    the money of the provider's account, which need not be the order's.
    """

    id: str
    amount_minor: int
    currency: str


class HeardDispute(msgspec.Struct, frozen=True):
    """A dispute, also called a chargeback: the buyer has asked their bank for the money. Fees are sorted."""

    id: str
    amount_minor: int
    state: DisputeState
    fees: tuple[HeardFee, ...] = ()


C = TypeVar("C", HeardRefund, HeardDispute)


class Claims(msgspec.Struct, frozen=True):
    """Sorted by id."""

    refunds: tuple[HeardRefund, ...] = ()
    disputes: tuple[HeardDispute, ...] = ()

    def with_refund(self, heard: HeardRefund) -> "Claims":
        known = next((each for each in self.refunds if each.id == heard.id), heard)
        amount_minor = max(known.amount_minor, heard.amount_minor)
        joined = HeardRefund(heard.id, amount_minor, known.failed or heard.failed)
        return msgspec.structs.replace(self, refunds=_with(self.refunds, joined))

    def with_dispute(self, heard: HeardDispute) -> "Claims":
        known = next((each for each in self.disputes if each.id == heard.id), heard)
        amount_minor = max(known.amount_minor, heard.amount_minor)
        state = max(known.state, heard.state, key=_RANK.__getitem__)
        joined = HeardDispute(heard.id, amount_minor, state, _with_fees(known.fees, heard.fees))
        return msgspec.structs.replace(self, disputes=_with(self.disputes, joined))

    @property
    def count(self) -> int:
        return len(self.refunds) + len(self.disputes) + sum(len(each.fees) for each in self.disputes)

    @property
    def grown(self) -> tuple[int, ...]:
        """Sums that only grow, one of them with whatever is new. Balances may come back to where they were."""
        decided = (DisputeState.LOST, DisputeState.WON)
        return (
            self.failed_minor,
            self.disputed_minor(*DisputeState),
            self.disputed_minor(*decided),
            self.disputed_minor(DisputeState.WON),
        )

    @property
    def given_minor(self) -> int:
        """In all refunds that are known one by one, those that failed too."""
        return sum(each.amount_minor for each in self.refunds)

    @property
    def failed_minor(self) -> int:
        return sum(each.amount_minor for each in self.refunds if each.failed)

    def disputed_minor(self, *states: DisputeState) -> int:
        return sum(each.amount_minor for each in self.disputes if each.state in states)


NO_CLAIMS = Claims()


def _with_fees(known: tuple[HeardFee, ...], heard: tuple[HeardFee, ...]) -> tuple[HeardFee, ...]:
    """A booking never changes; should it all the same, the larger one counts, whichever is heard first."""
    joined: dict[tuple[str, str], HeardFee] = {}
    for fee in (*known, *heard):
        earlier = joined.get((fee.id, fee.currency), fee)
        joined[fee.id, fee.currency] = max(earlier, fee, key=lambda each: each.amount_minor)
    return tuple(joined[key] for key in sorted(joined))


def _with(known: tuple[C, ...], heard: C) -> tuple[C, ...]:
    return tuple(sorted([*(each for each in known if each.id != heard.id), heard], key=lambda each: each.id))
