"""The models that somebody may use."""

from collections.abc import Iterator
from dataclasses import dataclass

from opencode.contracts.identity import Identity
from opencode.infra.db import Database
from opencode.kernel.ids import is_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.domain.health import HealthState
from opencode.modules.ai.domain.keys import KeyLimits
from opencode.modules.ai.domain.models import ModelFacts
from opencode.modules.ai.policy import is_allowed, may_use_models, require_known, team_of
from opencode.modules.ai.service.live import Live, Snapshot
from opencode.modules.ai.service.providers import Providers
from opencode.modules.ai.store import reading


@dataclass(frozen=True, slots=True)
class ModelShown:
    """
    Attributes:
        targets: what an alias stands for; empty for a model.
        state: of its provider; of an alias, the best of them.
    """

    name: str
    targets: tuple[str, ...]
    facts: ModelFacts
    state: HealthState
    is_default: bool


@dataclass(frozen=True, slots=True)
class Allowance:
    """
    What somebody may use: what all of their lists let through.

    Attributes:
        lists: patterns as in `policy.is_allowed`; none for everything.
    """

    lists: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, *lists: tuple[str, ...] | None) -> "Allowance":
        return cls(tuple(each for each in lists if each is not None))

    def covers(self, name: str, targets: tuple[str, ...] = ()) -> bool:
        return all(is_allowed(name, targets, patterns) for patterns in self.lists)


class Models:
    def __init__(self, database: Database, identity: Identity, live: Live, providers: Providers) -> None:
        self._database = database
        self._identity = identity
        self._live = live
        self._providers = providers

    async def page(self, by: Principal, page: PageRequest) -> Page[ModelShown]:
        """
        Models and aliases that somebody may use, by name.

        Raises:
            Unauthenticated
        """
        require_known(by)
        if not may_use_models(by):
            return Page([])
        snapshot = self._live.current
        allowance = await self.allowance(by, snapshot)
        position = page.position(str)
        shown = {each.name: each for each in self._all(snapshot) if allowance.covers(each.name, each.targets)}
        names = sorted(name for name in shown if position is None or name > position[0])
        return Page.cut([shown[name] for name in names[: page.limit + 1]], page.limit, lambda each: (each.name,))

    @property
    def any(self) -> bool:
        """Does the configuration in force have any model at all?"""
        return bool(self._live.current.registry.deployments)

    async def names(self, by: Principal) -> list[str]:
        """All models and aliases that somebody may use, the default one first, the others by name."""
        snapshot = self._live.current
        allowance = await self.allowance(by, snapshot)
        shown = {each.name: each for each in self._all(snapshot) if allowance.covers(each.name, each.targets)}
        return sorted(shown, key=lambda name: (not shown[name].is_default, name))

    async def allowance(self, by: Principal, snapshot: Snapshot) -> Allowance:
        """What somebody's team and the key that they show let them use; without these, everything."""
        teams = snapshot.configuration.teams
        name = await self.team(by, snapshot)
        key = await self.key(by)
        return Allowance.of(teams[name].models if name else None, key.models if key else None)

    async def key(self, by: Principal) -> KeyLimits | None:
        """What is set for the key that somebody shows; None for a session, and where nothing is."""
        if not is_id(by.credential_id or "", "tok"):
            return None
        async with reading(self._database) as stores:
            found = await stores.keys.find(by.credential_id or "")
        return found.own if found else None

    async def team(self, by: Principal, snapshot: Snapshot) -> str:
        """The name of somebody's team; empty without one."""
        teams = snapshot.configuration.teams
        if not teams or not by.is_user:
            return ""
        return team_of(await self._address(by), teams)

    async def address(self, by: Principal, snapshot: Snapshot) -> str:
        """Somebody's e-mail address; empty where the configuration has no limits for any."""
        people = snapshot.configuration.people
        return await self._address(by) if by.is_user and any("@" in name for name in people) else ""

    async def _address(self, by: Principal) -> str:
        return (await self._identity.email_addresses(frozenset({by.id}))).get(by.id, "")

    def _all(self, snapshot: Snapshot) -> Iterator[ModelShown]:
        registry, default = snapshot.registry, snapshot.configuration.default_model
        by_name = {each.name: each for each in registry.deployments}
        for name, each in by_name.items():
            state = self._providers.health_of(each.upstream.name).state
            yield ModelShown(name, (), each.facts, state, name == default)
        for alias in registry.aliases:
            targets = registry.targets(alias)
            if not targets:
                continue
            states = {self._providers.health_of(target.partition("/")[0]).state for target in targets}
            best = next(s for s in (HealthState.HEALTHY, HealthState.UNKNOWN, HealthState.FAILING) if s in states)
            first = by_name.get(targets[0])
            yield ModelShown(alias, targets, first.facts if first else ModelFacts(), best, alias == default)
