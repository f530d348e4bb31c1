"""Who may do what to accounts and credentials."""

from opencode.kernel.errors import Forbidden, Unauthenticated
from opencode.kernel.principal import Principal
from opencode.modules.identity.domain import SCOPES, Account, Role
from opencode.modules.identity.errors import LastAdministrator, NotASession, ScopesBeyondReach


def require_user(principal: Principal) -> None:
    """
    Raises:
        Unauthenticated: the caller has no account.
    """
    if not principal.is_user:
        raise Unauthenticated("This needs you to be signed in.", action="Sign in, then try again.")


def require_session(principal: Principal) -> None:
    """
    Raises:
        Unauthenticated: nobody is signed in.
        NotASession: the call came with a token.
    """
    require_user(principal)
    if not (principal.credential_id or "").startswith("ses_"):
        raise NotASession


def keeps_tokens_of_others(principal: Principal) -> bool:
    """Administrators do, at a browser: whoever finds a token must not learn of everybody's, and not end them."""
    return principal.may("users:manage") and (principal.credential_id or "").startswith("ses_")


def require_keeper_of_others(principal: Principal) -> None:
    """
    Raises:
        Unauthenticated, Forbidden: the caller does not see tokens of others.
    """
    principal.require("users:manage")
    if not keeps_tokens_of_others(principal):
        raise Forbidden("A token does not show the tokens of others.", action="Sign in as an administrator.")


def require_within_reach(principal: Principal, scopes: tuple[str, ...]) -> None:
    """
    Raises:
        ScopesBeyondReach: a token with these scopes could do what its maker may not.
    """
    beyond = [scope for scope in scopes if not SCOPES[scope] <= principal.permissions]
    if beyond:
        raise ScopesBeyondReach(beyond)


def require_an_administrator_left(before: Account, after: Account, administrators: int) -> None:
    """
    Args:
        administrators: how many there are before the change.

    Raises:
        LastAdministrator: the change would leave none.
    """
    if Role.ADMIN in before.roles and Role.ADMIN not in after.roles and administrators <= 1:
        raise LastAdministrator
