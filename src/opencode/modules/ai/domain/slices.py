"""
How much of a budget a process takes at once. It spends from its slice without asking again, so that a call costs no
transaction; the smaller the rest, the smaller the slice, and in the end it is exactly what is asked for.
"""

from collections.abc import Iterable

from opencode.modules.ai.domain.money import NANO

SHARE = 100
"""A slice is at most the hundredth part of what is left,"""
CALLS = 100
"""and at most a hundred times what the calls that wait may cost,"""
ANYWAY = NANO // 20
"""or five cents where that is more."""


def slice_of(left: int, needed: int, cost: int) -> int:
    """
    What to take of a budget with so much left, all in nano-dollars. It is 0 when not even what is needed is there.

    Args:
        needed: above zero; a part of the cost may be there already.
        cost: of the calls that wait.
    """
    if left < needed:
        return 0
    return min(left, max(needed, min(left // SHARE, max(CALLS * cost, ANYWAY))))


def fitting(left: int, costs: Iterable[int]) -> int:
    """What those calls cost together that there is enough for, first come, first served."""
    total = 0
    for cost in costs:
        if total + cost <= left:
            total += cost
    return total
