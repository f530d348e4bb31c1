"""Who may do what with AI: tables, enumerated by tests."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from opencode.kernel.errors import Unauthenticated
from opencode.kernel.principal import Principal, PrincipalKind
from opencode.modules.ai.domain.configuration.model import Team

TO_USE = "ai:use"
TO_MANAGE = "ai:manage"
TO_MANAGE_TOKENS = "tokens:manage"


def require_manager(by: Principal) -> None:
    """
    Providers, their credentials and the configuration are for administrators.

    Raises:
        Unauthenticated, Forbidden
    """
    by.require(TO_MANAGE)


def require_known(by: Principal) -> None:
    """
    Names of models are for people who are signed in.

    Raises:
        Unauthenticated
    """
    if by.kind is PrincipalKind.ANONYMOUS:
        raise Unauthenticated("This needs you to be signed in.", action="Sign in, then try again.")


def require_user(by: Principal) -> None:
    """
    Models are asked by people with an account, and by programs with a token of theirs that has the scope `ai`.

    Raises:
        Unauthenticated, Forbidden
    """
    by.require(TO_USE)


def sees_key(by: Principal, owner_id: str) -> bool:
    """The limits of a key, and what is used of them, are for whoever holds it, and for administrators."""
    return by.may(TO_MANAGE) or (by.is_user and by.id == owner_id)


def require_key_keeper(by: Principal) -> None:
    """
    Limits of a key that somebody sees are changed by whoever may make tokens. A token with the scope `ai` may not, so
    that nobody who finds one can lift its limits.

    Raises:
        Unauthenticated, Forbidden
    """
    if not by.may(TO_MANAGE):
        by.require(TO_MANAGE_TOKENS)


def require_own_or_manager(by: Principal, person_id: str) -> None:
    """
    What somebody has used is for themselves, and for administrators.

    Args:
        person_id: whose it is; empty for everybody's.

    Raises:
        Unauthenticated, Forbidden
    """
    require_user(by)
    if person_id != by.id:
        by.require(TO_MANAGE)


def may_use_models(by: Principal) -> bool:
    return by.may(TO_USE)


def team_of(email: str, teams: Mapping[str, Team]) -> str:
    """The name of the team of the holder of an account; the first one that names them, or empty."""
    wanted = email.strip().lower()
    if not wanted:
        return ""
    return next((name for name, team in teams.items() if any(wanted == each.lower() for each in team.members)), "")


def is_allowed(name: str, targets: Iterable[str], patterns: Iterable[str] | None) -> bool:
    """
    Whether a list of models lets one through.

    Args:
        name: `<provider>/<model>` or an alias.
        targets: what an alias stands for. One whose targets are all allowed is allowed as well.
        patterns: names in which `*` stands for any part; None lets everything through.
    """
    if patterns is None:
        return True
    listed = tuple(patterns)
    behind = tuple(targets)
    return _matches(name, listed) or (bool(behind) and all(_matches(each, listed) for each in behind))


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(_compiled(each).fullmatch(name) for each in patterns)


@lru_cache(maxsize=10_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Stars one behind the other mean the same as one, and would make the search for a match long.
    return re.compile(".*".join(map(re.escape, re.sub(r"\*+", "*", pattern).split("*"))), re.DOTALL)
