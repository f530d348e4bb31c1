"""Limits by the minute and of calls at once, and what must be offered by whoever counts them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from opencode.modules.ai.domain.configuration.model import Configuration, Limits, Period
from opencode.modules.ai.domain.money import nano_of
from opencode.modules.ai.domain.usage import Caller, Subject, SubjectKind

CALL_LIFETIME_S = 120
"""How long a call that nobody speaks of any more counts as one under way. Who runs it says so more often than that."""


class Measure(StrEnum):
    """What is counted."""

    REQUESTS = "requests a minute"
    TOKENS = "tokens a minute"
    CALLS = "calls at once"


@dataclass(frozen=True, slots=True)
class BudgetBound:
    """So much money in each day, week or month."""

    subject: Subject
    amount_nano: int
    period: Period


@dataclass(frozen=True, slots=True)
class CountBound:
    """So many of something. `key` names what is counted; it is put together once, since every call asks for it."""

    subject: Subject
    measure: Measure
    most: int
    key: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.subject.words}|{self.measure.name}")


@dataclass(frozen=True, slots=True)
class Bounds:
    """All that limits a caller."""

    counts: tuple[CountBound, ...] = ()
    budgets: tuple[BudgetBound, ...] = ()


@dataclass(frozen=True, slots=True)
class Denial:
    """Which bound is in the way, and the seconds until it may not be any more."""

    bound: CountBound
    retry_after_s: int


class Counted(Struct, frozen=True):
    """What was counted for a call: to be corrected when it is over. `second` is that of the windows."""

    call_id: int
    counts: tuple[CountBound, ...]
    tokens: int
    second: int


class LimitCounters(Protocol):
    """Counts calls against bounds: all of them or none."""

    async def take(self, call_id: int, counts: tuple[CountBound, ...], tokens: int) -> Counted | Denial:
        """
        Count a call. Of several bounds in the way, the one with the longest wait is told.

        Args:
            tokens: at most each bound of tokens; who asks has seen to that.
        """
        ...

    async def settle(self, counted: Counted, tokens: int) -> None:
        """The call is over and took so many tokens."""
        ...

    async def refund(self, counted: Counted) -> None:
        """The call never was."""
        ...

    async def renew(self, under_way: Sequence[Counted]) -> None:
        """These calls are still under way."""
        ...

    async def used(self, counts: Sequence[CountBound]) -> list[int]:
        """How much of each bound is taken now."""
        ...


def bounds_for(caller: Caller, configuration: Configuration, own_limits: Limits) -> Bounds:
    """
    What the configuration allows a person and the teams that they are in, and what is set for the key they show.

    Args:
        own_limits: of the person (`setting.PeoplesLimits`).
    """
    own = (Subject(SubjectKind.PERSON, caller.user_id), own_limits)
    key = [(Subject(SubjectKind.KEY, caller.key_id), caller.key_limits)] if caller.key_limits else []
    teams = [
        (Subject(SubjectKind.TEAM, name), configuration.teams[name].limits)
        for name in caller.teams
        if name in configuration.teams
    ]
    return bounds_of([own, *teams, *key])


def bounds_of(limited: Sequence[tuple[Subject, Limits]]) -> Bounds:
    """The bounds of several subjects together."""
    counts: list[CountBound] = []
    budgets: list[BudgetBound] = []
    for subject, limits in limited:
        for measure, most in (
            (Measure.REQUESTS, limits.requests_per_minute),
            (Measure.TOKENS, limits.tokens_per_minute),
            (Measure.CALLS, limits.concurrency),
        ):
            if most is not None:
                counts.append(CountBound(subject, measure, most))
        if limits.budget is not None:
            budgets.append(BudgetBound(subject, nano_of(limits.budget.amount_usd), limits.budget.period))
    return Bounds(tuple(counts), tuple(budgets))
