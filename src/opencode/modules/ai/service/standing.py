"""How budgets stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opencode.infra.plugs import Parts
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.domain.limits import BudgetBound, bounds_for, bounds_of
from opencode.modules.ai.domain.periods import day_of, span_of
from opencode.modules.ai.domain.usage import Caller, Subject, SubjectKind
from opencode.modules.ai.policy import require_user
from opencode.modules.ai.service.live import Live
from opencode.modules.ai.service.models import Models
from opencode.modules.ai.store import reading


@dataclass(frozen=True, slots=True)
class Standing:
    """
    A budget in its period, in nano-dollars.

    Attributes:
        spent: what is in the ledger.
        reserved: what servers have taken and not spent yet: for calls under way, and to have it at hand.
    """

    bound: BudgetBound
    spent: int
    reserved: int
    begins_at: datetime
    ends_at: datetime


class Standings:
    def __init__(self, parts: Parts, live: Live, models: Models) -> None:
        self._parts = parts
        self._live = live
        self._models = models

    async def page(self, by: Principal, page: PageRequest) -> Page[Standing]:
        """
        All budgets that somebody's calls may be charged to: their own, those of their team and of their keys. By the
        kind and id of whose it is.

        Raises:
            Unauthenticated, Forbidden
        """
        require_user(by)
        snapshot = self._live.current
        team = await self._models.team(by, snapshot)
        async with reading(self._parts.database) as stores:
            keys = await stores.keys.of(by.id)
        own = bounds_for(Caller(by.id, teams=(team,) if team else ()), snapshot.configuration)
        of_keys = bounds_of([(Subject(SubjectKind.KEY, key.token_id), key.own.limits) for key in keys])
        position = page.position(str)
        bounds = sorted([*own.budgets, *of_keys.budgets], key=lambda each: each.subject.words)
        wanted = [each for each in bounds if position is None or each.subject.words > position[0]]
        cut = Page.cut(wanted[: page.limit + 1], page.limit, lambda each: (each.subject.words,))
        return Page(await self.of(cut.items), cut.next_cursor)

    async def of(self, bounds: Sequence[BudgetBound]) -> list[Standing]:
        """How they stand, in the same order."""
        today = day_of(self._parts.clock.now().date())
        spans = [span_of(bound.period, today) for bound in bounds]
        keys = [
            (bound.subject.words, bound.period.value, span.begins) for bound, span in zip(bounds, spans, strict=True)
        ]
        async with reading(self._parts.database) as stores:
            rows = await stores.budgets.standings(keys)
        standings: list[Standing] = []
        for bound, span, key in zip(bounds, spans, keys, strict=True):
            row = rows.get(key)
            spent, reserved = (row.spent, row.held) if row else (0, 0)
            standings.append(Standing(bound, spent, reserved, span.begins_at, span.ends_at))
        return standings
