"""Who is calling: what every rule about permission looks at."""

from dataclasses import dataclass, field
from enum import StrEnum

from opencode.kernel.errors import Forbidden, Unauthenticated


class PrincipalKind(StrEnum):
    ANONYMOUS = "anonymous"
    USER = "user"
    GUEST = "guest"
    """A person without an account, let in to one thing only, such as a candidate to their interview."""
    SYSTEM = "system"
    """The server itself: a job or a reaction."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody shows: the secret of a session, or a bearer token, or nothing."""

    session: str | None = None
    bearer: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """
    Who is calling, and what they may do in general. What they may do to one thing, that thing's `policy` decides.

    Attributes:
        id: `usr_…` of an account, `par_…` of a guest, empty for nobody.
        name: what others see, 1 to 80 characters.
        permissions: `<resource>:<action>` words, already narrowed to the scopes of a token.
        audience: the one thing that a guest was let in to, such as `int_…`.
        credential_id: the session or token that was shown, so that it can be ended.
    """

    id: str
    kind: PrincipalKind
    name: str = ""
    roles: frozenset[str] = field(default_factory=frozenset[str])
    permissions: frozenset[str] = field(default_factory=frozenset[str])
    audience: str | None = None
    credential_id: str | None = None

    @property
    def is_user(self) -> bool:
        return self.kind is PrincipalKind.USER

    @property
    def is_guest(self) -> bool:
        return self.kind is PrincipalKind.GUEST

    def may(self, permission: str) -> bool:
        return self.kind is PrincipalKind.SYSTEM or permission in self.permissions

    def require(self, permission: str) -> None:
        """
        Raises:
            Unauthenticated: nobody is signed in.
            Forbidden: somebody is, without this permission.
        """
        if self.may(permission):
            return
        if self.kind is PrincipalKind.ANONYMOUS:
            raise Unauthenticated("This needs you to be signed in.", action="Sign in, then try again.")
        raise Forbidden(
            f"Your account lacks the permission {permission}.",
            action="Ask an administrator of this server for a role that has it.",
        )


ANONYMOUS = Principal(id="", kind=PrincipalKind.ANONYMOUS)
SYSTEM = Principal(id="system", kind=PrincipalKind.SYSTEM, name="OpenCode")
