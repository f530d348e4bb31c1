"""Who may do what: everything here is one's own, and what is somebody else's is not there."""

from enum import StrEnum

from opencode.kernel.errors import Forbidden, Unauthenticated
from opencode.kernel.principal import Principal

TO_READ = "notices:read"
TO_MANAGE = "notices:manage"


class Action(StrEnum):
    """What people do with what is theirs."""

    READ_NOTICES = "read notices"
    MARK_NOTICES = "mark or delete notices"
    CHOOSE = "choose what is told where"
    SEE_WEBHOOKS = "see webhooks"
    CHANGE_WEBHOOKS = "change webhooks"


NEEDED: dict[Action, str] = {
    Action.READ_NOTICES: TO_READ,
    Action.MARK_NOTICES: TO_MANAGE,
    Action.CHOOSE: TO_MANAGE,
    Action.SEE_WEBHOOKS: TO_READ,
    Action.CHANGE_WEBHOOKS: TO_MANAGE,
}
"""The permission that each action needs; every account has both, a token only if its scopes say so."""


def require(action: Action, by: Principal) -> None:
    """
    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: a guest, who has no inbox, or a token without the scope.
    """
    if by.is_guest:
        raise Forbidden("Guests have no notices: this needs an account.", action="Register, then try again.")
    if not by.is_user:
        raise Unauthenticated("This needs you to be signed in.", action="Sign in, then try again.")
    by.require(NEEDED[action])
