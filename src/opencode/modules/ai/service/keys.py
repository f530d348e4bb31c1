"""Limits of keys: set by those who hold them, or by administrators."""

from collections.abc import Sequence
from dataclasses import dataclass

from opencode.contracts.identity import Identity
from opencode.infra.plugs import Parts
from opencode.kernel.ids import is_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai import policy
from opencode.modules.ai.domain.keys import KeyLimits, LimitedKey
from opencode.modules.ai.domain.limits import LimitCounters, Measure, bounds_of
from opencode.modules.ai.domain.usage import Subject, SubjectKind
from opencode.modules.ai.errors import KeyNotFound
from opencode.modules.ai.service.callers import Callers
from opencode.modules.ai.service.standing import Standing, Standings
from opencode.modules.ai.store import AiWork, reading, writing

_LOOKED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class KeyShown:
    """
    Attributes:
        key: None where nothing is set.
        used: how much of each limit is taken now; only of those that are set.
        budget: None where there is none.
    """

    token_id: str
    owner_id: str
    key: LimitedKey | None
    used: dict[Measure, int]
    budget: Standing | None


class Keys:
    def __init__(
        self, parts: Parts, identity: Identity, callers: Callers, counters: LimitCounters, standings: Standings
    ) -> None:
        self._parts = parts
        self._identity = identity
        self._callers = callers
        self._counters = counters
        self._standings = standings

    async def put(self, token_id: str, own: KeyLimits, by: Principal) -> KeyShown:
        """
        Set all limits of a key. They hold at once in this process, and in others within seconds.

        Raises:
            Unauthenticated, Forbidden, KeyNotFound
        """
        owner_id = await self._owner_to_change(token_id, by)
        key = LimitedKey(token_id, owner_id, own, by.id, self._parts.clock.now())
        async with AiWork(self._parts) as work:
            await work.stores.keys.put(key)
        self._callers.forget_key(token_id)
        await self._identity.record("ai.key_limited", actor=by, subject_id=token_id)
        return (await self._shown([key]))[0]

    async def delete(self, token_id: str, by: Principal) -> None:
        """
        Take all limits of a key away. Twice is the same as once.

        Raises:
            Unauthenticated, Forbidden, KeyNotFound
        """
        await self._owner_to_change(token_id, by)
        async with AiWork(self._parts) as work:
            await work.stores.keys.delete([token_id])
        self._callers.forget_key(token_id)
        await self._identity.record("ai.key_unlimited", actor=by, subject_id=token_id)

    async def find(self, token_id: str, by: Principal) -> KeyShown:
        """
        Raises:
            Unauthenticated, KeyNotFound
            LimitsUnknown: Redis counts, and does not answer.
        """
        owner_id = await self._owner(token_id, by)
        async with reading(self._parts.database) as stores:
            key = await stores.keys.find(token_id)
        return (await self._shown([key]))[0] if key else KeyShown(token_id, owner_id, None, {}, None)

    async def page(
        self, by: Principal, person_id: str, page: PageRequest, *, everybody: bool = False
    ) -> Page[KeyShown]:
        """
        The keys with limits of a person, or of everybody, by id.

        Args:
            person_id: empty for the caller.

        Raises:
            Unauthenticated, Forbidden, LimitsUnknown
        """
        owner_id = None if everybody else person_id or by.id
        policy.require_own_or_manager(by, owner_id or "")
        if owner_id is not None and not is_id(owner_id, "usr"):
            return Page([])
        async with reading(self._parts.database) as stores:
            found = await stores.keys.page(owner_id, page)
        # Tokens that have ended since are not there any more, though their limits may be for some minutes.
        good = await self._identity.owners_of_tokens(frozenset(key.token_id for key in found.items))
        return Page(await self._shown([key for key in found.items if key.token_id in good]), found.next_cursor)

    async def forget_ended(self) -> None:
        """Delete the limits of tokens that have ended."""
        after = ""
        while True:
            async with reading(self._parts.database) as stores:
                ids = await stores.keys.ids_after(after, _LOOKED_AT_ONCE)
            if not ids:
                return
            after = ids[-1]
            ended = frozenset(ids) - (await self._identity.owners_of_tokens(frozenset(ids))).keys()
            if ended:
                async with writing(self._parts.database) as stores:
                    await stores.keys.delete(ended)

    async def _owner(self, token_id: str, by: Principal) -> str:
        """Whose key it is; nobody learns of one that is not theirs."""
        policy.require_known(by)
        owners = await self._identity.owners_of_tokens(frozenset({token_id})) if is_id(token_id, "tok") else {}
        owner_id = owners.get(token_id)
        if owner_id is None or not policy.sees_key(by, owner_id):
            raise KeyNotFound(token_id)
        return owner_id

    async def _owner_to_change(self, token_id: str, by: Principal) -> str:
        owner_id = await self._owner(token_id, by)
        policy.require_key_keeper(by)
        return owner_id

    async def _shown(self, keys: Sequence[LimitedKey]) -> list[KeyShown]:
        bounds = [bounds_of([(Subject(SubjectKind.KEY, key.token_id), key.own.limits)]) for key in keys]
        counts = [bound for each in bounds for bound in each.counts]
        used = dict(zip(counts, await self._counters.used(counts), strict=True))
        standings = await self._standings.of([bound for each in bounds for bound in each.budgets])
        by_subject = {standing.bound.subject: standing for standing in standings}
        return [
            KeyShown(
                key.token_id,
                key.owner_id,
                key,
                {bound.measure: used[bound] for bound in each.counts},
                by_subject.get(Subject(SubjectKind.KEY, key.token_id)),
            )
            for key, each in zip(keys, bounds, strict=True)
        ]
