"""Who may do what over the Piston API, and how often when it is open to everybody."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from opencode.contracts.identity import Identity
from opencode.infra.security import Rate, RateLimiter
from opencode.kernel.errors import Busy
from opencode.kernel.principal import Credentials, Principal

RUN = "runs:create"
MANAGE = "runtimes:manage"
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


@dataclass(frozen=True, slots=True)
class Door:
    """
    Lets visitors in.

    Attributes:
        is_open: anybody may run programs. Credentials are not looked at then: clients of a public Piston send keys
            of their own, which mean nothing here.
        runs_per_minute: of one address, while it is open; 0 for any number.
    """

    identity: Identity
    limiter: RateLimiter
    is_open: bool
    runs_per_minute: int

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
        principal = await self.identity.authenticate(session=shown.session, bearer=shown.bearer)
        principal.require(permission)
        return principal


def network_of(address: str) -> str:
    """What counts as one address. Whoever has one IPv6 address has a /64 of them (RFC 6177)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
