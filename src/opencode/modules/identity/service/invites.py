"""Invitations: the leave to make one account."""

from dataclasses import dataclass
from datetime import timedelta

from opencode.infra.security import hash_secret, new_secret
from opencode.kernel.ids import InviteId, UserId, new_id
from opencode.kernel.principal import Principal
from opencode.modules.identity.domain import Invite, Role
from opencode.modules.identity.errors import RegistrationClosed
from opencode.modules.identity.service.base import Service


@dataclass(frozen=True, slots=True)
class NewInvite:
    """An invitation and its secret, which is in no other place."""

    invite: Invite
    secret: str


class Invites(Service):
    async def invite(self, principal: Principal, role: Role, *, expires_in_days: int, address: str) -> NewInvite:
        """
        Raises:
            Forbidden: only administrators invite.
            RegistrationClosed: this server takes no new accounts, invited or not.
        """
        principal.require("invites:create")
        if self._settings.registration == "closed":
            raise RegistrationClosed
        secret = new_secret("oci")
        invite = Invite(
            id=InviteId(new_id("inv")),
            role=role,
            secret_hash=hash_secret(secret),
            created_by=UserId(principal.id),
            expires_at=self._now() + timedelta(days=expires_in_days),
        )
        async with self._work() as work:
            await work.stores.invites.add(invite)
            await self._note(
                work.stores,
                "invite.created",
                actor=principal.id,
                subject=invite.id,
                address=address,
                detail=role.value,
            )
        return NewInvite(invite, secret)
