"""What administrators do with providers while the server runs: see them, test them, add, change and delete them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from opencode.contracts.identity import Identity
from opencode.infra.plugs import Parts
from opencode.infra.security import Rate, SealBroken
from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import ProviderId, UserId, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.adapters.files import Layer
from opencode.modules.ai.domain.configuration.problems import Problem
from opencode.modules.ai.domain.health import Health
from opencode.modules.ai.domain.registry import Upstream
from opencode.modules.ai.domain.stored import Secrets, StoredProvider
from opencode.modules.ai.errors import (
    ConfigurationNotFound,
    KeyNotGivenAgain,
    ProviderNotFound,
    ProviderOfFile,
    ProviderOutdated,
    ProviderRefused,
    TestsTooFast,
    TooManyProviders,
)
from opencode.modules.ai.policy import require_manager
from opencode.modules.ai.service.configuring import layer_of_provider, load
from opencode.modules.ai.service.live import Live
from opencode.modules.ai.service.providers import Providers
from opencode.modules.ai.service.storing import Storing, said_by
from opencode.modules.ai.settings import AiSettings
from opencode.modules.ai.store import AiWork

_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class ProviderShown:
    """
    Attributes:
        upstream: None where it is stored and not in force.
        models: how many can be called.
        layer, place: where it is named.
        stored: what the database has of it.
        problem: why a stored one is not in force; empty for one that is.
    """

    name: str
    upstream: Upstream | None
    health: Health
    models: int
    layer: str
    place: str
    stored: StoredProvider | None
    problem: str = ""


class Administering:
    def __init__(
        self, parts: Parts, settings: AiSettings, identity: Identity, live: Live, providers: Providers, storing: Storing
    ) -> None:
        self._parts = parts
        self._settings = settings
        self._identity = identity
        self._live = live
        self._providers = providers
        self._storing = storing

    async def page(self, by: Principal, page: PageRequest) -> Page[ProviderShown]:
        """
        All providers, by name.

        Raises:
            Unauthenticated, Forbidden
        """
        require_manager(by)
        shown = self._shown(await self._storing.all())
        position = page.position(str)
        names = sorted(name for name in shown if position is None or name > position[0])
        rows = [shown[name] for name in names[: page.limit + 1]]
        return Page.cut(rows, page.limit, lambda each: (each.name,))

    async def find(self, name: str, by: Principal) -> ProviderShown:
        """
        Raises:
            Unauthenticated, Forbidden, ProviderNotFound
        """
        require_manager(by)
        shown = self._shown(await self._storing.all())
        if name not in shown:
            raise ProviderNotFound(name)
        return shown[name]

    async def test(self, name: str, by: Principal) -> ProviderShown:
        """
        Test a connection now.

        Raises:
            Unauthenticated, Forbidden, ProviderNotFound, TestsTooFast
        """
        require_manager(by)
        rate = Rate(self._settings.ai_tests_per_minute, _MINUTE_S)
        if wait_s := await self._parts.limiter.attempt(f"ai:test:{by.id}", rate):
            raise TestsTooFast(wait_s)
        await self._providers.test(name)
        return await self.find(name, by)

    async def put(
        self,
        name: str,
        by: Principal,
        said: Mapping[str, object],
        *,
        api_key: str | None,
        headers: Mapping[str, str] | None,
        revision: int | None,
    ) -> ProviderShown:
        """
        Add a provider, or change one that was added, whole. It is in force when this returns.

        Args:
            said: as a configuration would say it, without key and headers.
            api_key: None keeps the one there is; empty takes it away.
            headers: None keeps those there are.
            revision: of what is changed, 0 for nothing; None changes whatever there is.

        Raises:
            Unauthenticated, Forbidden
            ProviderOfFile, ProviderOutdated, TooManyProviders, KeyNotGivenAgain, ProviderNameTaken
            ProviderRefused: the configuration would have mistakes with it; carries all of them.
        """
        require_manager(by)
        self._require_not_of_file(name)
        stored = await self._storing.all()
        before = next((each for each in stored if each.name == name), None)
        if revision is not None and revision != (before.revision if before else 0):
            raise ProviderOutdated(name, before.revision if before else 0)
        if before is None and len(stored) >= self._settings.ai_stored_providers:
            raise TooManyProviders(self._settings.ai_stored_providers)
        secrets = self._secrets(before, dict(said), api_key, headers)
        after = self._made(name, before, dict(said), by)
        after = replace(after, sealed=self._storing.sealed(secrets, after.what))
        await self._require_good(stored, name, said_by(after, secrets))
        async with AiWork(self._parts) as work:
            if before is None:
                await work.stores.providers.add(after)
            else:
                self._require_same(before, await work.stores.providers.all(to_change=True))
                await work.stores.providers.save(after)
        await self._tell("ai.provider_changed" if before else "ai.provider_added", name, by)
        return await self.find(name, by)

    async def delete(self, name: str, by: Principal) -> None:
        """
        Delete a provider that was added.

        Raises:
            Unauthenticated, Forbidden, ProviderNotFound, ProviderOfFile
            ProviderRefused: something else in the configuration names it.
        """
        require_manager(by)
        stored = await self._storing.all()
        before = next((each for each in stored if each.name == name), None)
        if before is None:
            self._require_not_of_file(name)
            raise ProviderNotFound(name)
        await self._require_good(stored, name, None)
        async with AiWork(self._parts) as work:
            await work.stores.providers.delete(before)
        await self._tell("ai.provider_deleted", name, by)

    def _secrets(
        self,
        before: StoredProvider | None,
        said: dict[str, object],
        api_key: str | None,
        headers: Mapping[str, str] | None,
    ) -> Secrets:
        if before is None or before.sealed is None or (api_key is not None and headers is not None):
            return Secrets(api_key or "", dict(headers or {}))
        try:
            kept = self._storing.secrets_of(before)
        except (SealBroken, OSError):
            # Headers that cannot be read again are lost with the key that they were sealed beside.
            if api_key is not None:
                return Secrets(api_key, dict(headers or {}))
            raise KeyNotGivenAgain from None
        secrets = Secrets(
            kept.api_key if api_key is None else api_key, dict(kept.headers if headers is None else headers)
        )
        is_kept = bool((api_key is None and kept.api_key) or (headers is None and kept.headers))
        if is_kept and before.leads_elsewhere(said):
            raise KeyNotGivenAgain
        return secrets

    def _made(self, name: str, before: StoredProvider | None, said: dict[str, object], by: Principal) -> StoredProvider:
        now, who = self._parts.clock.now(), UserId(by.id)
        if before is not None:
            return replace(before, settings=said, revision=before.revision + 1, changed_by=who, changed_at=now)
        made = ProviderId(new_id("prv"))
        return StoredProvider(id=made, name=name, settings=said, changed_by=who, created_at=now, changed_at=now)

    async def _require_good(
        self, stored: Sequence[StoredProvider], name: str, said: Mapping[str, object] | None
    ) -> None:
        """Nothing may be wrong that was right before; what was wrong before is none of this provider's business."""
        providers = dict(self._storing.layer_of(stored).providers)
        changed = {**providers, name: said} if said is not None else {k: v for k, v in providers.items() if k != name}
        try:
            before = await asyncio.to_thread(load, self._live.places, providers)
            after = await asyncio.to_thread(load, self._live.places, changed)
        except ConfigurationNotFound as error:
            raise ProviderRefused((FieldProblem("", error.detail),)) from None
        known = {(each.path, each.message) for each in before.checked.problems}
        if new := [each for each in after.checked.problems if (each.path, each.message) not in known]:
            raise ProviderRefused(tuple(_field_problem(each, name) for each in new))

    def _require_not_of_file(self, name: str) -> None:
        loaded = self._live.current.loaded
        where = layer_of_provider(loaded, name) if loaded else None
        if where and where[0] not in (Layer.DATABASE, Layer.ENVIRONMENT):
            raise ProviderOfFile(name, str(where[1]))

    def _require_same(self, before: StoredProvider, now: Sequence[StoredProvider]) -> None:
        same = next((each for each in now if each.id == before.id), None)
        if same is None or same.revision != before.revision:
            raise ProviderOutdated(before.name, same.revision if same else 0)

    async def _tell(self, kind: str, name: str, by: Principal) -> None:
        await self._identity.record(kind, actor=by, subject_id=name)
        await self._live.tell_others()

    def _shown(self, stored: Sequence[StoredProvider]) -> dict[str, ProviderShown]:
        snapshot = self._live.current
        by_name = {each.name: each for each in stored}
        counts: dict[str, int] = {}
        for deployment in snapshot.registry.deployments:
            counts[deployment.upstream.name] = counts.get(deployment.upstream.name, 0) + 1
        shown: dict[str, ProviderShown] = {}
        for name, upstream in snapshot.registry.upstreams.items():
            where = layer_of_provider(snapshot.loaded, name) if snapshot.loaded else None
            layer, place = (where[0], str(where[1])) if where else ("built-in", "")
            health = self._providers.health_of(name)
            shown[name] = ProviderShown(name, upstream, health, counts.get(name, 0), layer, place, by_name.get(name))
        for name, each in by_name.items():
            if name not in shown:
                problem = self._why_not_in_force(each)
                shown[name] = ProviderShown(name, None, Health(), 0, Layer.DATABASE, Layer.DATABASE, each, problem)
        return shown

    def _why_not_in_force(self, provider: StoredProvider) -> str:
        try:
            self._storing.secrets_of(provider)
        except (SealBroken, OSError):
            return "Its stored key cannot be opened: give it again."
        return "The configuration has mistakes, so that a change of it is not in force."


def _field_problem(problem: Problem, name: str) -> FieldProblem:
    """A mistake of the configuration, pointing into the request where it lies there."""
    prefix = f"providers.{name}"
    inside = problem.path.removeprefix(prefix).lstrip(".") if problem.path.startswith(prefix) else ""
    pointer = "".join(f"/{step}" for step in inside.replace("[", ".").replace("]", "").split(".") if step)
    meant = f" Did you mean {problem.suggestion!r}?" if problem.suggestion else ""
    where = "" if problem.place.source == Layer.DATABASE else f"{problem.place}: "
    return FieldProblem(pointer, f"{where}{problem.message}{meant}")
