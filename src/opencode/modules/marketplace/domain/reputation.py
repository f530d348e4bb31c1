"""
The published formula of reputation, which a ring of accounts that star each other cannot lift.

    score = stars of people whom somebody trusts + a proved repository + stars of others

Trust begins at the people whom the operator has chosen, administrators and moderators, and nowhere else. Each has one
unit. Somebody who is trusted passes `PASSED_ON` of what they got on to the people whose projects they starred, in equal
parts, three steps far. What reaches somebody is counted when it comes by for the first time only (Hopcroft and Sheldon,
"Manipulation-resistant reputations using hitting time", WAW 2007): so nobody lifts themself by the stars that they
give, and a ring as a whole never has more than what people outside of it gave to its members. Accounts that nobody
trusts have nothing to pass on, however many they are.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

STEPS = 3
PASSED_ON = 0.8
CHOSEN_LEAST = 10
"""Among so many people at the least a chosen one divides what they pass on: one star is not all of it."""
AGE = timedelta(days=14)
"""Stars count from accounts that are as old."""
STARS_A_DAY = 20
"""Stars of one account on one day that count; the first ones."""
TRUST_UNIT = 100.0
TRUST_POINTS = 10.0
"""Points for a tenfold of trust."""
PROOF_POINTS = 5
MOST_OTHER_POINTS = 5

Numbers = npt.NDArray[np.int64]
Trust = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gift:
    """A star, as one that a person gives to a person."""

    giver_id: str
    owner_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reputation:
    """
    What the score of a person is made of.

    Attributes:
        trust: what has reached them, see above; a chosen person's own unit is not counted.
        admirers: people with an account of some age, not themself, who starred any published project of theirs.
        has_proof: is a published project's repository proved to be theirs?
    """

    trust: float = 0.0
    admirers: int = 0
    has_proof: bool = False

    @property
    def trust_points(self) -> int:
        return round(TRUST_POINTS * math.log10(1.0 + TRUST_UNIT * self.trust))

    @property
    def proof_points(self) -> int:
        return PROOF_POINTS if self.has_proof else 0

    @property
    def other_points(self) -> int:
        """Anybody can make accounts, so there are few of these points: one for each doubling."""
        return min(MOST_OTHER_POINTS, (1 + self.admirers).bit_length() - 1)

    @property
    def score(self) -> int:
        return self.trust_points + self.proof_points + self.other_points


def counted(gifts: Iterable[Gift]) -> list[tuple[str, str]]:
    """Who gave to whom, each pair once: without what people gave themselves, and without too many of one day."""
    given: dict[tuple[str, str], None] = {}
    on_day: Counter[tuple[str, int]] = Counter()
    for gift in sorted(gifts, key=lambda gift: (gift.at, gift.owner_id)):
        pair = (gift.giver_id, gift.owner_id)
        day = (gift.giver_id, gift.at.toordinal())
        if gift.giver_id == gift.owner_id or pair in given or on_day[day] >= STARS_A_DAY:
            continue
        on_day[day] += 1
        given[pair] = None
    return list(given)


def trust_of(chosen: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, float]:
    """
    How much trust reaches everybody whom any reaches.

    Args:
        chosen: the people at whom trust begins.
        pairs: who gave a star to whom, as `counted` gives them back.
    """
    numbers: dict[str, int] = {}
    for person in chosen:
        numbers.setdefault(person, len(numbers))
    many_chosen = len(numbers)
    # One number after the other: a thread that makes an array of many pairs at once keeps all others waiting.
    ends = np.fromiter((_number(person, numbers) for pair in pairs for person in pair), dtype=np.int64)
    if not len(ends) or not many_chosen:
        return {}
    trust = _flow(len(numbers), many_chosen, ends[::2], ends[1::2])
    return {person: float(trust[number]) for person, number in numbers.items() if trust[number] > 0}


def _number(person: str, numbers: dict[str, int]) -> int:
    return numbers.setdefault(person, len(numbers))


def _flow(people: int, chosen: int, givers: Numbers, owners: Numbers) -> Trust:
    """Args: chosen: the first so many are the chosen ones."""
    given = np.bincount(givers, minlength=people)
    given[:chosen] = np.maximum(given[:chosen], CHOSEN_LEAST)
    share = PASSED_ON / given[givers]  # what goes this way, of all that its giver got

    def step(before: Trust) -> Trust:
        return _summed(owners, before[givers] * share, people)

    def passed(arrived: Trust) -> Trust:
        # What comes to a chosen one ends there; they have their own to pass on.
        onward = arrived.copy()
        onward[:chosen] = 0.0
        return onward

    start = np.zeros(people)
    start[:chosen] = 1.0
    first = step(start)
    second = step(passed(first))
    # What comes back to somebody on the third step was there on the first.
    returned = passed(first) * _coming_back(people, chosen, givers, owners, share)
    third = np.maximum(step(passed(second)) - returned, 0.0)
    return first + second + third


def _coming_back(people: int, chosen: int, givers: Numbers, owners: Numbers, share: Trust) -> Trust:
    """Of what each person passes on, how much comes back by way of one other, who is no chosen one."""
    there, back = givers * people + owners, owners * people + givers
    order = np.argsort(there)
    place = np.minimum(np.searchsorted(there, back, sorter=order), len(there) - 1)
    opposite = order[place]
    is_mutual = (there[opposite] == back) & (owners >= chosen)
    return _summed(givers, np.where(is_mutual, share * share[opposite], 0.0), people)


def _summed(places: Numbers, amounts: Trust, people: int) -> Trust:
    return np.bincount(places, weights=amounts, minlength=people).astype(np.float64, copy=False)
