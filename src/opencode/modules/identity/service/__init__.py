"""The use cases: one public method is one thing that a person can do, and one transaction."""

from opencode.modules.identity.service.accounts import Accounts, Changes, Newcomer
from opencode.modules.identity.service.invites import Invites, NewInvite
from opencode.modules.identity.service.local import LocalIdentity
from opencode.modules.identity.service.passwords import Passwords
from opencode.modules.identity.service.sessions import Sessions, SignedIn
from opencode.modules.identity.service.setup import Setup
from opencode.modules.identity.service.tokens import NewToken, OwnedToken, Tokens
from opencode.modules.identity.service.trail import Trail

__all__ = [
    "Accounts",
    "Changes",
    "Invites",
    "LocalIdentity",
    "NewInvite",
    "NewToken",
    "Newcomer",
    "OwnedToken",
    "Passwords",
    "Sessions",
    "Setup",
    "SignedIn",
    "Tokens",
    "Trail",
]
