"""When to try again what failed: later each time, and not everybody at once."""


def delay_s(attempts: int, chance: float, *, first_s: float, longest_s: float) -> float:
    """
    How long to wait after so many failed attempts: twice as long each time, and between half and all of it, so that
    somebody who comes back is not met by everybody at once.

    Args:
        chance: from 0 to 1.
        first_s: the most after the first failure.
        longest_s: the most ever.
    """
    longest = min(first_s * 2 ** min(attempts - 1, 20), longest_s)
    return longest * (0.5 + chance / 2)
