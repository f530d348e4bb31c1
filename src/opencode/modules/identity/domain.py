"""
The rules of accounts and credentials, without I/O: roles and what they permit, scopes, and which addresses, names and
passwords are accepted.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import InviteId, SessionId, TokenId, UserId
from opencode.kernel.principal import Principal, PrincipalKind
from opencode.modules.identity.errors import FieldsRefused


class Role(StrEnum):
    """What an account is on this server, the most powerful first."""

    ADMIN = "admin"
    INTERVIEWER = "interviewer"
    MODERATOR = "moderator"
    MEMBER = "member"


RESOURCES: dict[str, tuple[str, ...]] = {
    "account": ("manage",),
    "ai": ("use", "manage"),
    "audit": ("read",),
    "interviews": ("create", "read", "manage"),
    "invites": ("create",),
    "notices": ("read", "manage"),
    "projects": ("write", "manage", "moderate"),
    "runs": ("create",),
    "runtimes": ("manage",),
    "tokens": ("manage",),
    "users": ("manage",),
}
"""Every resource and its actions; a permission is `<resource>:<action>`."""

PERMISSIONS = frozenset(f"{resource}:{action}" for resource, actions in RESOURCES.items() for action in actions)

_MEMBER = frozenset({"account:manage", "tokens:manage", "projects:write", "notices:read", "notices:manage"})
_MODERATOR = _MEMBER | {"projects:moderate"}
_INTERVIEWER = _MEMBER | {"interviews:create", "interviews:read", "interviews:manage", "runs:create", "ai:use"}

GRANTS: dict[Role, frozenset[str]] = {
    Role.ADMIN: PERMISSIONS,
    Role.INTERVIEWER: _INTERVIEWER,
    Role.MODERATOR: _MODERATOR,
    Role.MEMBER: _MEMBER,
}
"""What each role permits. What somebody may do to one interview, that module's own policy decides."""

SCOPES: dict[str, frozenset[str]] = {
    **{permission: frozenset({permission}) for permission in PERMISSIONS},
    "ai": frozenset({"ai:use"}),
    "interviews:write": frozenset({"interviews:create", "interviews:manage"}),
    "run": frozenset({"runs:create"}),
    "runtimes": frozenset({"runtimes:manage"}),
}
"""What each scope of a token lets through: every permission is one, and a few words stand for the usual ones."""

MAX_TOKENS = 100
"""Tokens that one account can hold."""

# A row is written at most this often to say that a credential was used: reading must not turn into writing.
TOUCH_EVERY = timedelta(hours=1)
SETUP_LINK_LIFETIME = timedelta(hours=24)

_EMAIL_MAX = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
_LOCAL_PART_MAX = 64  # RFC 5321, section 4.5.3.1.1
_NAME_MAX = 80
# Joiners stay allowed: names in Persian and in Indian scripts are spelt with them, and so are many emoji.
_UNPRINTABLE = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
# They turn the writing direction, so that a name can disturb the text after it (Unicode Annex 9).
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PASSWORD_MIN = 10
_PASSWORD_MAX = 128

_COMMON_PASSWORDS = frozenset(
    """
    0123456789 0987654321 1029384756 1111111111 1122334455 12345678910 1234567890 1234567891 123456789a 123456789q
    1234567890q 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 9876543210 abcdefghij abcdefghijk administrator changeme123
    football123 iloveyou123 letmein123 letmein1234 password01 password10 password11 password12 password123
    password1234 password12345 passw0rd123 princess123 q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedcrfv qwerty12345 qwerty123456
    qwertyuiop qwertyuiop123 qwertyuiop[] superman123 welcome123 welcome1234 zaq12wsxcde
    """.split()  # noqa: SIM905 - forty quoted strings would be harder to read
)


@dataclass(frozen=True, slots=True)
class Account:
    """
    A person.

    Attributes:
        email: as it was typed, in NFC; None until the administrator of the setup link has chosen one.
        password_hash: argon2id in PHC form; None likewise.
    """

    id: UserId
    email: str | None
    password_hash: str | None
    display_name: str
    roles: frozenset[Role]
    created_at: datetime

    def with_roles(self, roles: Iterable[Role]) -> "Account":
        return replace(self, roles=frozenset(roles))


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in of one browser. `touched_at`: when its expiry was last pushed ahead."""

    id: SessionId
    account_id: UserId
    secret_hash: str
    touched_at: datetime
    expires_at: datetime

    def touch(self, now: datetime, lifetime: timedelta) -> "Session | None":
        """The session with a later expiry, or None when that was done within the last hour."""
        if now - self.touched_at < TOUCH_EVERY:
            return None
        return replace(self, touched_at=now, expires_at=now + lifetime)


@dataclass(frozen=True, slots=True)
class Token:
    """A credential for programs. `last_used_at` is coarse: it lags by up to an hour."""

    id: TokenId
    account_id: UserId
    name: str
    scopes: tuple[str, ...]
    secret_hash: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None

    def is_stale(self, now: datetime) -> bool:
        """Is it time to note that the token is used?"""
        return self.last_used_at is None or now - self.last_used_at >= TOUCH_EVERY


@dataclass(frozen=True, slots=True)
class Guest:
    """A credential of somebody without an account, good for one audience."""

    guest_id: str
    name: str
    audience: str
    secret_hash: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invite:
    """The leave to make one account, of one role."""

    id: InviteId
    role: Role
    secret_hash: str
    created_by: UserId
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """
    A line of the trail of security events.

    Attributes:
        kind: such as `sign_in.failed`.
        actor_id: who did it; empty for nobody we know.
        subject_id: whom or what it concerns; may be empty.
        address: where it came from; empty when nobody's request was behind it.
    """

    id: str
    at: datetime
    kind: str
    actor_id: str
    subject_id: str
    address: str
    detail: str


@cache
def permissions_of(roles: frozenset[Role], of_every_role: frozenset[str] = frozenset()) -> frozenset[str]:
    """
    All that any of these roles permits.

    Args:
        of_every_role: what each role permits on this server beside what it permits everywhere.
    """
    return frozenset[str]().union(*(GRANTS[role] | of_every_role for role in roles))


def roles_with(permission: str, of_every_role: frozenset[str] = frozenset()) -> frozenset[Role]:
    """The roles that permit this."""
    return frozenset(role for role in Role if permission in GRANTS[role] | of_every_role)


def permissions_within(permissions: frozenset[str], scopes: Iterable[str]) -> frozenset[str]:
    """What remains of permissions within the scopes of a token."""
    return permissions & frozenset[str]().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))


def principal_of(
    account: Account,
    credential_id: str,
    scopes: Iterable[str] | None = None,
    of_every_role: frozenset[str] = frozenset(),
) -> Principal:
    """
    Args:
        scopes: those of the token that was shown; None for a session, which may do all that its account may.
        of_every_role: see `permissions_of`.
    """
    permissions = permissions_of(account.roles, of_every_role)
    return Principal(
        id=account.id,
        kind=PrincipalKind.USER,
        name=account.display_name,
        roles=frozenset(account.roles),
        permissions=permissions if scopes is None else permissions_within(permissions, scopes),
        credential_id=credential_id,
    )


def guest_principal(guest: Guest) -> Principal:
    return Principal(
        id=guest.guest_id,
        kind=PrincipalKind.GUEST,
        name=guest.name,
        audience=guest.audience,
        credential_id=guest.guest_id,
    )


def refuse(**problems: str | None) -> None:
    """
    Args:
        problems: what is wrong with each field; None for nothing.

    Raises:
        FieldsRefused: something is wrong with a field; all of them are named.
    """
    found = tuple(FieldProblem(f"/{name}", detail) for name, detail in problems.items() if detail)
    if found:
        raise FieldsRefused(found)


def tidy(text: str) -> str:
    """Text from a form as it is kept: NFC (Unicode Annex 15), so that equal looks are equal, and no space around."""
    return unicodedata.normalize("NFC", text).strip()


def email_key(email: str) -> str:
    """What two spellings of one address have in common. Mail servers tell case apart in theory only."""
    return unicodedata.normalize("NFC", tidy(email).casefold())


def email_problem(email: str) -> str | None:
    local, _, domain = email.rpartition("@")
    if not local or not domain or "@" in local or any(character.isspace() for character in email):
        return "must be an e-mail address, such as ada@example.org"
    if len(email) > _EMAIL_MAX or len(local) > _LOCAL_PART_MAX:
        return f"must have at most {_EMAIL_MAX} characters, {_LOCAL_PART_MAX} of them before the @"
    if any(unicodedata.category(character).startswith("C") for character in email):
        return "must not hold control or invisible characters"
    return None


def name_problem(name: str) -> str | None:
    if not 1 <= len(name) <= _NAME_MAX:
        return f"must have 1 to {_NAME_MAX} characters"
    if any(unicodedata.category(character) in _UNPRINTABLE or character in _TURNING for character in name):
        return "must not hold control characters"
    if not any(unicodedata.category(character)[0] in "LNPS" for character in name):
        return "must hold a character that can be seen"
    return None


def password_problem(password: str, email: str | None) -> str | None:
    if not _PASSWORD_MIN <= len(password) <= _PASSWORD_MAX:
        return f"must have {_PASSWORD_MIN} to {_PASSWORD_MAX} characters"
    plain = password.casefold()
    if email is not None and plain in {email_key(email), email_key(email).partition("@")[0]}:
        return "must not be the e-mail address"
    if plain in _COMMON_PASSWORDS or len(set(plain)) <= 2:
        return "is one of the first that anybody would try; choose another"
    return None


def scopes_problem(scopes: Iterable[str]) -> str | None:
    if unknown := sorted(set(scopes) - SCOPES.keys()):
        return f"{', '.join(map(repr, unknown))} is not known; there are {', '.join(sorted(SCOPES))}"
    return None
