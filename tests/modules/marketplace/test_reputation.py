"""Reputation grows by the stars of people whom somebody trusts, and not by those of accounts that one makes oneself."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencode.kernel.clock import ManualClock
from opencode.modules.marketplace.domain.reputation import (
    MOST_OTHER_POINTS,
    PASSED_ON,
    STARS_A_DAY,
    Gift,
    Reputation,
    counted,
    trust_of,
)
from tests.modules.marketplace.conftest import PROJECTS, Market, Person

USERS = "/api/v1/users"
DAY_S = 86_400
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
Pairs = list[tuple[str, str]]


def clique(people: Iterable[str]) -> Pairs:
    """Everybody stars everybody else."""
    return list(itertools.permutations(people, 2))


def ring_of(many: int) -> list[str]:
    return [f"ring {number}" for number in range(many)]


def people(prefix: str, many: int) -> st.SearchStrategy[str]:
    return st.integers(0, many - 1).map(lambda number: f"{prefix} {number}")


def test_a_ring_that_nobody_trusts_gets_nothing_however_large_and_honest_work_does() -> None:
    honest: Pairs = [("root", "ada"), ("root", "grace"), ("ada", "grace"), ("grace", "linus")]
    trust = trust_of(["root"], [*honest, *clique(ring_of(200))])
    assert not {person for person in trust if person.startswith("ring")}
    assert Reputation(trust=0.0, admirers=199, has_proof=True).score == 10
    assert Reputation(trust=trust["grace"], admirers=2).score >= 9
    assert Reputation(trust=trust["linus"], admirers=1).score > 0


def test_a_ring_that_one_trusted_person_fell_for_has_no_more_than_that_star_all_together() -> None:
    honest: Pairs = [("root", "ada"), ("ada", "ring 0"), ("ada", "grace")]
    alone = trust_of(["root"], honest)
    with_ring = trust_of(["root"], [*honest, *clique(ring_of(200))])
    assert with_ring["ring 0"] == pytest.approx(alone["ring 0"])
    others = [with_ring[person] for person in ring_of(200)[1:]]
    assert sum(others) <= PASSED_ON * alone["ring 0"] * (1 + 1e-9)
    assert all(Reputation(trust=each).score == 0 for each in others)
    assert with_ring["grace"] == pytest.approx(alone["grace"])


_honest = st.lists(
    st.tuples(st.one_of(st.just("root"), people("honest", 6)), st.one_of(people("honest", 6), people("ring", 2))),
    max_size=25,
    unique=True,
)


@settings(max_examples=200, deadline=None)
@given(_honest, st.integers(2, 8), st.integers(1, 8))
def test_more_members_never_lift_a_ring(honest: Pairs, before: int, more: int) -> None:
    pairs = [(giver, owner) for giver, owner in honest if giver != owner]
    small = trust_of(["root"], [*pairs, *clique(ring_of(before))])
    large = trust_of(["root"], [*pairs, *clique(ring_of(before + more))])
    for member in ring_of(before):
        assert large.get(member, 0.0) <= small.get(member, 0.0) + 1e-12


@settings(max_examples=200, deadline=None)
@given(_honest, st.lists(st.tuples(people("ring", 8), people("ring", 8)), unique=True, max_size=40))
def test_whatever_a_ring_does_among_itself_it_has_no_more_than_it_was_given(honest: Pairs, inside: Pairs) -> None:
    outside = [(giver, owner) for giver, owner in honest if giver != owner]
    given_to_it = trust_of(["root"], outside)
    inflow = sum(amount for person, amount in given_to_it.items() if person.startswith("ring"))
    pairs = [*outside, *((giver, owner) for giver, owner in inside if giver != owner)]
    for person, amount in trust_of(["root"], pairs).items():
        if person.startswith("ring"):
            assert amount <= inflow + 1e-12
        else:
            assert amount == pytest.approx(given_to_it[person])


@settings(max_examples=200, deadline=None)
@given(_honest, st.lists(people("honest", 6), unique=True, max_size=6))
def test_nobody_lifts_themself_by_the_stars_that_they_give(pairs: Pairs, mine: list[str]) -> None:
    me = "honest 0"
    others = [(giver, owner) for giver, owner in pairs if me != giver != owner]
    before = trust_of(["root"], others)
    after = trust_of(["root"], [*others, *((me, owner) for owner in mine if owner != me)])
    assert after.get(me, 0.0) == pytest.approx(before.get(me, 0.0), abs=1e-12)


def test_of_one_day_only_the_first_stars_count_and_of_one_owner_one() -> None:
    gifts = [Gift("ada", f"owner {number:02}", NOON + timedelta(minutes=number)) for number in range(30)]
    gifts += [Gift("ada", "owner 00", NOON + timedelta(days=1)), Gift("ada", "ada", NOON)]
    gifts += [Gift("ada", "late", NOON + timedelta(days=1))]
    pairs = counted(gifts)
    assert len(pairs) == STARS_A_DAY + 1
    assert (("ada", "owner 00") in pairs, ("ada", "owner 29") in pairs, ("ada", "late") in pairs) == (True, False, True)


async def joined(market: Market, name: str) -> Person:
    person = market.member(name)
    await person.get("/api/v1/me/profile")
    return person


async def score(market: Market, handle: str) -> int:
    told = (await market.nobody().get(f"{USERS}/{handle}/reputation")).json()
    assert told["score"] == sum(part["points"] for part in told["parts"])
    assert (await market.nobody().get(f"{USERS}/{handle}")).json()["reputation"] == told["score"]
    return told["score"]


async def test_a_star_of_an_administrator_lifts_and_stars_of_new_accounts_do_not(
    market: Market, clock: ManualClock
) -> None:
    charles = market.administrator()
    await charles.get("/api/v1/me/profile")
    ada, grace = await joined(market, "Ada"), await joined(market, "Grace")
    await ada.create("Engine")
    await grace.create("Compiler")
    told = (await market.nobody().get(f"{USERS}/ada/reputation")).json()
    assert told["computed_at"] is None
    assert told["parts"][0]["why"].startswith("0 of trust came")
    await charles.put(f"{PROJECTS}/ada.engine/star")
    for fan in [await joined(market, f"Fan {number}") for number in range(4)]:
        await fan.put(f"{PROJECTS}/grace.compiler/star")
    await ada.put(f"{PROJECTS}/ada.engine/star")
    await market.module.reputing.compute()
    lifted = await score(market, "ada")
    assert (lifted > 5, await score(market, "grace")) == (True, 0)

    # Accounts come of age; what Ada was given she passes on.
    clock.advance(15 * DAY_S)
    await ada.put(f"{PROJECTS}/grace.compiler/star")
    await market.module.reputing.compute()
    assert MOST_OTHER_POINTS >= 2
    assert await score(market, "grace") > 2
    await charles.delete(f"{PROJECTS}/ada.engine/star")
    clock.advance(1)
    await market.module.reputing.compute()
    assert await score(market, "ada") == 0
    assert await score(market, "grace") == 2


async def test_what_is_archived_lends_nothing_to_its_owner_any_more(market: Market, clock: ManualClock) -> None:
    charles, ada = market.administrator(), await joined(market, "Ada")
    await charles.get("/api/v1/me/profile")
    await ada.create("Engine")
    await charles.put(f"{PROJECTS}/ada.engine/star")
    await market.module.reputing.compute()
    assert await score(market, "ada") > 0
    await ada.patch(f"{PROJECTS}/ada.engine", {"status": "archived"})
    await market.module.reputing.compute()
    assert await score(market, "ada") == 0
    assert (await market.nobody().get(f"{USERS}/nobody/reputation")).status_code == 404
