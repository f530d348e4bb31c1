"""What people have tried on other sandboxes, as data: a file for each kind."""

import pytest

from . import compile_time, escape, exhaustion, network, secrets, verdicts
from .kit import Attack

GROUPS: dict[str, tuple[Attack, ...]] = {
    "exhaustion": exhaustion.ATTACKS,
    "compile_time": compile_time.ATTACKS,
    "secrets": secrets.ATTACKS,
    "escape": escape.ATTACKS,
    "network": network.ATTACKS,
    "verdicts": verdicts.ATTACKS,
}

ATTACKS: dict[str, Attack] = {
    f"{group}: {attack.name}": attack for group, attacks in GROUPS.items() for attack in attacks
}

PARAMETERS = [pytest.param(name, marks=pytest.mark.soak if attack.slow else ()) for name, attack in ATTACKS.items()]
"""As `pytest.mark.parametrize` takes them."""
