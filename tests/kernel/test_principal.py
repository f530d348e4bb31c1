"""What a principal may do."""

import pytest

from opencode.kernel.errors import Forbidden, Unauthenticated
from opencode.kernel.principal import ANONYMOUS, SYSTEM, Principal, PrincipalKind

ADA = Principal("usr_1", PrincipalKind.USER, "Ada", permissions=frozenset({"runs:create"}))
GUEST = Principal("par_1", PrincipalKind.GUEST, "Mel", audience="int_1")


def test_a_permission_that_is_held_lets_through() -> None:
    ADA.require("runs:create")
    assert ADA.may("runs:create")


def test_the_server_itself_may_do_anything() -> None:
    SYSTEM.require("anything:at_all")


def test_nobody_is_asked_to_sign_in() -> None:
    with pytest.raises(Unauthenticated):
        ANONYMOUS.require("runs:create")


@pytest.mark.parametrize("principal", [ADA, GUEST])
def test_somebody_who_lacks_a_permission_is_told_which(principal: Principal) -> None:
    with pytest.raises(Forbidden, match="users:manage"):
        principal.require("users:manage")
