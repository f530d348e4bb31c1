"""How budgets stand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opencode.contracts.identity import Identity
from opencode.infra.plugs import Parts
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.domain.configuration.model import Limits, Period
from opencode.modules.ai.domain.limits import BudgetBound, bounds_for, bounds_of
from opencode.modules.ai.domain.periods import day_of, span_of
from opencode.modules.ai.domain.setting import PeoplesLimits
from opencode.modules.ai.domain.usage import Caller, Subject, SubjectKind
from opencode.modules.ai.policy import require_manager, require_user
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
        label: what a person or key is called; None for teams, for those that are gone, and where nobody asks.
    """

    bound: BudgetBound
    spent: int
    reserved: int
    begins_at: datetime
    ends_at: datetime
    label: str | None = None


class Standings:
    def __init__(self, parts: Parts, identity: Identity, live: Live, models: Models) -> None:
        self._parts = parts
        self._identity = identity
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
        people = PeoplesLimits(snapshot.configuration)
        limits = people.of(by.id, await self._models.address(by, snapshot))
        own = bounds_for(Caller(by.id, teams=(team,) if team else ()), snapshot.configuration, limits)
        of_keys = bounds_of([(Subject(SubjectKind.KEY, key.token_id), key.own.limits) for key in keys])
        position = page.position(str)
        bounds = sorted([*own.budgets, *of_keys.budgets], key=lambda each: each.subject.words)
        wanted = [each for each in bounds if position is None or each.subject.words > position[0]]
        cut = Page.cut(wanted[: page.limit + 1], page.limit, lambda each: (each.subject.words,))
        return Page(await self._labelled(await self.of(cut.items)), cut.next_cursor)

    async def everybodys(self, by: Principal, page: PageRequest) -> Page[Standing]:
        """
        The budgets of persons who have asked models in the period that runs, by id, and behind them those of teams,
        by name.

        Raises:
            Unauthenticated, Forbidden
        """
        require_manager(by)
        configuration, position = self._live.current.configuration, page.position(str, str)
        kind, after = position or (SubjectKind.PERSON.value, "")
        bounds: list[BudgetBound] = []
        if kind == SubjectKind.PERSON.value:
            bounds = await self._of_persons(PeoplesLimits(configuration), after, page.limit + 1)
            after = ""
        teams = [(Subject(SubjectKind.TEAM, name), configuration.teams[name].limits) for name in configuration.teams]
        of_teams = sorted(bounds_of(teams).budgets, key=lambda bound: bound.subject.id)
        bounds += [bound for bound in of_teams if bound.subject.id > after]
        cut = Page.cut(bounds[: page.limit + 1], page.limit, lambda each: (each.subject.kind.value, each.subject.id))
        return Page(await self._labelled(await self.of(cut.items)), cut.next_cursor)

    async def _of_persons(self, people: PeoplesLimits, after: str, most: int) -> list[BudgetBound]:
        """The budgets of so many persons, from the one behind `after`; of those who have one."""
        today = day_of(self._parts.clock.now().date())
        begins = {period: span_of(period, today).begins for period in Period}
        bounds: list[BudgetBound] = []
        while len(bounds) < most:
            async with reading(self._parts.database) as stores:
                ids = await stores.budgets.subjects(SubjectKind.PERSON, begins, after, most)
            limited = await self._limited(people, ids)
            bounds += bounds_of(
                [(Subject(SubjectKind.PERSON, each), limits) for each, limits in limited.items()]
            ).budgets
            if len(ids) < most:
                break
            after = ids[-1]
        return bounds[:most]

    async def _limited(self, people: PeoplesLimits, ids: Sequence[str]) -> dict[str, Limits]:
        """What each of some persons may use, in the same order."""
        addresses = await self._identity.email_addresses(frozenset(ids)) if people.needs_addresses else {}
        return {each: people.of(each, addresses.get(each, "")) for each in ids}

    async def _labelled(self, standings: Sequence[Standing]) -> list[Standing]:
        ids = frozenset(each.bound.subject.id for each in standings)
        labels = {**await self._identity.display_names(ids), **await self._identity.names_of_tokens(ids)}
        return [replace(each, label=labels.get(each.bound.subject.id)) for each in standings]

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
