"""Shapes on the wire."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from opencode.infra.http import Body
from opencode.modules.identity.domain import Account, AuditEntry, Role, permissions_of
from opencode.modules.identity.service import NewInvite, NewToken, OwnedToken

# Longer than any that is accepted: whoever pastes a book into a field is told so before it is worked on.
_Email = Annotated[str, Meta(max_length=320, description="E-mail address; capitals make no difference.")]
_Password = Annotated[str, Meta(max_length=1024, description="10 to 128 characters.")]
_Name = Annotated[str, Meta(max_length=320, description="What others see, 1 to 80 characters.")]
_Secret = Annotated[str, Meta(max_length=100)]

_TokenName = Annotated[str, Meta(max_length=320, description="What the token is for, 1 to 80 characters.")]
_Scopes = Annotated[
    list[Annotated[str, Meta(max_length=100)]],
    Meta(
        min_length=1,
        max_length=50,
        description="What the token may do: `run`, `ai`, `interviews:read`, `interviews:write`, or any permission.",
    ),
]
_TokenDays = Annotated[int, Meta(ge=1, le=365, description="Days until it expires, 1 to 365.")]
_InviteDays = Annotated[int, Meta(ge=1, le=90, description="Days until it expires, 1 to 90.")]


class RegisterBody(Body):
    email: _Email
    password: _Password
    display_name: _Name
    invite: Annotated[_Secret | None, Meta(description="The secret of an invitation, `oci_…`.")] = None


class SignInBody(Body):
    email: _Email
    password: _Password


class SetupBody(Body):
    token: Annotated[_Secret, Meta(description="What follows `#token=` in the link of the first start.")]


class UpdateMeBody(Body):
    """`current_password` is needed to change the address or the password, once there is a password."""

    display_name: _Name | UnsetType = UNSET
    email: _Email | UnsetType = UNSET
    current_password: _Password | UnsetType = UNSET
    new_password: _Password | UnsetType = UNSET


class CreateTokenBody(Body):
    name: _TokenName
    scopes: _Scopes
    expires_in_days: _TokenDays


class CreateInviteBody(Body):
    role: Role
    expires_in_days: _InviteDays = 7


class UpdateUserBody(Body):
    roles: Annotated[list[Role], Meta(min_length=1, max_length=10, description="In place of those it has.")]


class RegistrationPolicyView(msgspec.Struct):
    """`first_account`: nobody has registered yet, and whoever does is the administrator, whatever the policy."""

    registration: Literal["open", "invite", "closed"]
    first_account: bool


class UserView(msgspec.Struct):
    """An account. `email` is null until the administrator of the setup link has chosen one."""

    id: str
    email: str | None
    display_name: str
    roles: list[Role]
    permissions: list[str]
    created_at: datetime

    @classmethod
    def of(cls, account: Account, of_every_role: frozenset[str]) -> "UserView":
        return cls(
            id=account.id,
            email=account.email,
            display_name=account.display_name,
            roles=[role for role in Role if role in account.roles],
            permissions=sorted(permissions_of(account.roles, of_every_role)),
            created_at=account.created_at,
        )


class SessionView(msgspec.Struct):
    """`user` is null where nobody is signed in."""

    user: UserView | None


class TokenView(msgspec.Struct):
    """
    A token without its secret. `last_used_at` lags by up to an hour; null means never used. The name of the owner is
    null for an account that is gone.
    """

    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    owner_id: str
    owner_name: str | None

    @classmethod
    def of(cls, owned: OwnedToken) -> "TokenView":
        token = owned.token
        return cls(
            id=token.id,
            name=token.name,
            scopes=list(token.scopes),
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
            owner_id=token.account_id,
            owner_name=owned.owner_name,
        )


class NewTokenView(msgspec.Struct):
    """A token that was just made: `token` is the secret, shown this once."""

    id: str
    name: str
    scopes: list[str]
    token: str
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, new: NewToken) -> "NewTokenView":
        token = new.token
        return cls(token.id, token.name, list(token.scopes), new.secret, token.created_at, token.expires_at)


class InviteView(msgspec.Struct):
    """An invitation that was just made: `invite` is the secret, shown this once and good for one account."""

    id: str
    role: Role
    invite: str
    expires_at: datetime

    @classmethod
    def of(cls, new: NewInvite) -> "InviteView":
        return cls(new.invite.id, new.invite.role, new.secret, new.invite.expires_at)


class AuditEntryView(msgspec.Struct):
    """One line of the trail. Ids and the address are empty where there was none."""

    id: str
    at: datetime
    kind: str
    actor_id: str
    subject_id: str
    address: str
    detail: str

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditEntryView":
        return cls(entry.id, entry.at, entry.kind, entry.actor_id, entry.subject_id, entry.address, entry.detail)
