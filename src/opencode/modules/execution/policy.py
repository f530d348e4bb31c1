"""Who may do what over the Piston API, and how often when it is open to everybody."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from opencode.contracts.identity import Identity
from opencode.infra.security import Rate, RateLimiter
from opencode.kernel.addresses import network_of
from opencode.kernel.errors import Busy
from opencode.kernel.principal import ANONYMOUS, Credentials, Principal

RUN = "runs:create"
MANAGE = "runtimes:manage"
FRESH_S = 2.0
"""
For so long a credential is taken for good. One that is revoked is forgotten as soon as this process hears of it; with
several processes, one that does not hear takes it for so long.
"""
MOST_KNOWN = 10_000
_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Visitor:
    """
    Who knocks.

    Attributes:
        address: where the request comes from.
        show: the credentials that came with it; called only where they matter.
    """

    address: str
    show: Callable[[], Credentials]


@dataclass(slots=True)
class Door:
    """
    Lets visitors in.

    Who a credential belongs to is remembered for `FRESH_S`: asking the database costs four times as much as all else
    that a call of `execute` costs this server.

    Attributes:
        is_open: anybody may run programs. Credentials are not looked at then: clients of a public Piston send keys
            of their own, which mean nothing here.
        runs_per_minute: of one address, while it is open; 0 for any number.
    """

    identity: Identity
    limiter: RateLimiter
    is_open: bool
    runs_per_minute: int
    now: Callable[[], float] = time.monotonic
    _known: dict[Credentials, tuple[float, Principal]] = field(
        default_factory=dict[Credentials, tuple[float, Principal]]
    )

    async def admit_run(self, visitor: Visitor) -> str:
        """
        Let somebody run a program.

        Returns:
            The owner of the run; see `RunRequest.owner`.

        Raises:
            Unauthenticated, Forbidden: the visitor may not.
            Busy: too many runs of this address in this minute.
        """
        if not self.is_open:
            return (await self._principal(visitor, RUN)).id
        owner = f"address:{network_of(visitor.address)}"
        if self.runs_per_minute:
            rate = Rate(self.runs_per_minute, _MINUTE_S)
            if wait_s := await self.limiter.attempt(f"execution.piston.{owner}", rate):
                raise Busy(
                    f"Your address has used up the {self.runs_per_minute} runs of this minute.",
                    action=f"Try again in {wait_s} s.",
                    retry_after_s=wait_s,
                )
        return owner

    async def admit_reader(self, visitor: Visitor) -> None:
        """
        Let somebody see what can be run.

        Raises:
            Unauthenticated, Forbidden: the visitor may not.
        """
        if not self.is_open:
            await self._principal(visitor, RUN)

    async def admit_manager(self, visitor: Visitor) -> Principal:
        """
        Let somebody change what is installed; open or not, that needs the permission.

        Raises:
            Unauthenticated, Forbidden: the visitor may not.
        """
        return await self._principal(visitor, MANAGE)

    async def _principal(self, visitor: Visitor, permission: str) -> Principal:
        shown = visitor.show()
        known_at, principal = self._known.get(shown, (-math.inf, ANONYMOUS))
        if self.now() - known_at >= FRESH_S:
            principal = await self.identity.authenticate(session=shown.session, bearer=shown.bearer)
            self._remember(shown, principal)
        principal.require(permission)
        return principal

    def forget(self, principal_id: str) -> None:
        """Credentials of somebody have been revoked."""
        self._known = {shown: known for shown, known in self._known.items() if known[1].id != principal_id}

    def _remember(self, shown: Credentials, principal: Principal) -> None:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        if principal.id:
            self._known[shown] = self.now(), principal
