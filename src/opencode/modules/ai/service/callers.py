"""Who calls models, as limits and lists of allowed models know them; remembered for a moment: calls come in rows."""

import asyncio
from dataclasses import dataclass, replace
from functools import partial

from opencode.contracts.identity import CredentialsRevoked, Identity
from opencode.infra.plugs import Parts
from opencode.kernel.principal import Credentials, Principal
from opencode.modules.ai.domain.limits import Bounds, bounds_for
from opencode.modules.ai.domain.setting import PeoplesLimits
from opencode.modules.ai.domain.usage import Caller
from opencode.modules.ai.policy import require_user
from opencode.modules.ai.service.live import Live, Snapshot
from opencode.modules.ai.service.models import Allowance, Models

REMEMBERED_S = 5.0
"""A credential that was revoked elsewhere is good here for so long at the most, and limits changed there hold then."""
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """
    Attributes:
        until_s: seconds of the clock.
    """

    principal: Principal
    caller: Caller
    allowance: Allowance
    snapshot: Snapshot
    until_s: float


class Callers:
    def __init__(self, parts: Parts, identity: Identity, live: Live, models: Models) -> None:
        self._clock = parts.clock
        self._identity = identity
        self._live = live
        self._models = models
        self._known: dict[Credentials, Known] = {}
        self._looks: dict[tuple[Credentials, int], asyncio.Task[Known]] = {}
        self._bounds: dict[Caller, Bounds] = {}
        self._bounds_of: Snapshot | None = None
        self._people = PeoplesLimits(live.current.configuration)

    async def known(self, shown: Credentials) -> Known:
        """
        Who shows a credential, and what they may use of the configuration in force.

        Raises:
            Unauthenticated, Forbidden
        """
        now_s, snapshot = self._clock.timestamp(), self._live.current
        found = self._known.get(shown)
        if found and found.snapshot is snapshot and found.until_s > now_s:
            return found
        # All who show it meanwhile wait for one look; whoever of them goes away does not take it from the others.
        look = self._looks.get((shown, id(snapshot)))
        if look is None:
            look = self._looks[shown, id(snapshot)] = asyncio.create_task(self._look(shown, snapshot, now_s))
            look.add_done_callback(partial(self._looked, (shown, id(snapshot))))
        return await asyncio.shield(look)

    async def _look(self, shown: Credentials, snapshot: Snapshot, now_s: float) -> Known:
        principal = await self._identity.authenticate(session=shown.session, bearer=shown.bearer)
        known = await self._know(principal, shows_token=bool(shown.bearer), snapshot=snapshot)
        known = replace(known, until_s=now_s + REMEMBERED_S)
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[shown] = known
        return known

    def _looked(self, which: tuple[Credentials, int], look: asyncio.Task[Known]) -> None:
        del self._looks[which]
        if not look.cancelled():
            look.exception()  # where nobody waits any more, it is not lost

    async def known_account(self, principal: Principal) -> Known:
        """
        The same for the holder of an account on whose behalf the product itself asks.

        Raises:
            Forbidden
        """
        return await self._know(principal, shows_token=False, snapshot=self._live.current)

    async def _know(self, principal: Principal, *, shows_token: bool, snapshot: Snapshot) -> Known:
        require_user(principal)
        team = await self._models.team(principal, snapshot)
        key = await self._models.key(principal) if shows_token else None
        caller = Caller(
            principal.id,
            key_id=(principal.credential_id or "") if shows_token else "",
            teams=(team,) if team else (),
            key_limits=key.limits if key else None,
            address=await self._models.address(principal, snapshot),
        )
        allowance = Allowance.of(
            snapshot.configuration.teams[team].models if team else None, key.models if key else None
        )
        return Known(principal, caller, allowance, snapshot, self._clock.timestamp())

    def bounds(self, caller: Caller) -> Bounds:
        """What limits a caller, by the configuration in force."""
        snapshot = self._live.current
        if snapshot is not self._bounds_of or len(self._bounds) >= MOST_REMEMBERED:
            self._bounds, self._bounds_of = {}, snapshot
            self._people = PeoplesLimits(snapshot.configuration)
        found = self._bounds.get(caller)
        if found is None:
            own = self._people.of(caller.user_id, caller.address)
            found = self._bounds[caller] = bounds_for(caller, snapshot.configuration, own)
        return found

    async def forget(self, revoked: CredentialsRevoked) -> None:
        """Somebody's credentials have ended."""
        ended = [shown for shown, known in self._known.items() if known.principal.id == revoked.principal_id]
        for shown in ended:
            del self._known[shown]

    def forget_key(self, token_id: str) -> None:
        """What is set for a key has changed."""
        ended = [shown for shown, known in self._known.items() if known.caller.key_id == token_id]
        for shown in ended:
            del self._known[shown]
