"""Who may do what, and which models a list lets through."""

import pytest

from opencode.kernel.errors import OpenCodeError
from opencode.kernel.principal import ANONYMOUS, SYSTEM, Principal, PrincipalKind
from opencode.modules.ai import policy
from opencode.modules.ai.domain.configuration.model import Team

MANAGER = Principal("usr_1", PrincipalKind.USER, permissions=frozenset({"ai:use", "ai:manage"}))
USER = Principal("usr_2", PrincipalKind.USER, permissions=frozenset({"ai:use"}))
MEMBER = Principal("usr_3", PrincipalKind.USER)
GUEST = Principal("par_1", PrincipalKind.GUEST, audience="int_1")


@pytest.mark.parametrize(
    ("who", "manages", "is_known", "uses"),
    [
        (MANAGER, True, True, True),
        (USER, False, True, True),
        (MEMBER, False, True, False),
        (GUEST, False, True, False),
        (ANONYMOUS, False, False, False),
        (SYSTEM, True, True, True),
    ],
)
def test_who_may_manage_ask_and_use(who: Principal, manages: bool, is_known: bool, uses: bool) -> None:
    for check, allowed in ((policy.require_manager, manages), (policy.require_known, is_known)):
        try:
            check(who)
        except OpenCodeError:
            assert not allowed
        else:
            assert allowed
    assert policy.may_use_models(who) is uses


HOLDER = Principal("usr_4", PrincipalKind.USER, permissions=frozenset({"tokens:manage", "ai:use"}))


@pytest.mark.parametrize(
    ("who", "sees", "keeps", "own", "others", "all_of_them"),
    [
        (MANAGER, True, True, True, True, True),
        (HOLDER, True, True, True, False, False),
        (USER, False, False, True, False, False),
        (MEMBER, False, False, False, False, False),
        (GUEST, False, False, False, False, False),
        (ANONYMOUS, False, False, False, False, False),
        (SYSTEM, True, True, True, True, True),
    ],
)
def test_who_may_see_and_limit_a_key_and_whose_use_they_may_see(
    who: Principal, *, sees: bool, keeps: bool, own: bool, others: bool, all_of_them: bool
) -> None:
    assert policy.sees_key(who, HOLDER.id) is sees
    checks = (
        (lambda: policy.require_key_keeper(who), keeps),
        (lambda: policy.require_own_or_manager(who, who.id), own and bool(who.id)),
        (lambda: policy.require_own_or_manager(who, "usr_9"), others),
        (lambda: policy.require_own_or_manager(who, ""), all_of_them),
    )
    for check, allowed in checks:
        try:
            check()
        except OpenCodeError:
            assert not allowed
        else:
            assert allowed


def test_a_guest_sees_no_key_even_of_an_account_with_their_id() -> None:
    assert not policy.sees_key(GUEST, GUEST.id)


@pytest.mark.parametrize(
    ("patterns", "name", "targets", "allowed"),
    [
        (None, "openai/gpt", (), True),
        ((), "openai/gpt", (), False),
        (("openai/*",), "openai/gpt", (), True),
        (("openai/*",), "openai2/gpt", (), False),
        (("*",), "anything/at/all", (), True),
        (("*/gpt-*-mini",), "lab/gpt-4o-mini", (), True),
        (("*/gpt-*-mini",), "lab/gpt-4o", (), False),
        (("openai/gpt",), "openai/gpt-4", (), False),
        (("OPENAI/*",), "openai/gpt", (), False),
        (("op?nai/*", "[o]penai/*"), "openai/gpt", (), False),
        (("fast",), "fast", ("openai/gpt",), True),
        (("openai/*",), "fast", ("openai/gpt", "openai/o3"), True),
        (("openai/*",), "fast", ("openai/gpt", "lab/x"), False),
    ],
)
def test_a_list_of_models_lets_through_what_it_names(
    patterns: tuple[str, ...] | None, name: str, targets: tuple[str, ...], allowed: bool
) -> None:
    assert policy.is_allowed(name, targets, patterns) is allowed


def test_somebody_is_in_the_team_that_has_their_address_in_any_case() -> None:
    teams = {"blue": Team(members=("Ada@example.org",)), "red": Team(members=("eve@example.org",))}
    assert policy.team_of("ada@EXAMPLE.org", teams) == "blue"
    assert policy.team_of("", teams) == policy.team_of("bob@example.org", teams) == ""
