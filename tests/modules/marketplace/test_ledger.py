"""The rules of money alone: whatever is heard, in whatever order and however often, the books say the same."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opencode.kernel.ids import OrderId, ProjectId
from opencode.modules.marketplace.domain.claims import MOST_CLAIMS, DisputeState, HeardDispute, HeardFee, HeardRefund
from opencode.modules.marketplace.domain.entitlements import KEY_BITS, licence_key_of, tidy_licence_key
from opencode.modules.marketplace.domain.ledger import Account, Happening, Transaction, booked, provider_holds
from opencode.modules.marketplace.domain.orders import (
    DisputeTold,
    Ended,
    Fact,
    GivenBack,
    Order,
    OrderState,
    Paid,
    PaymentMismatchError,
    RefundTold,
    fee_given_back,
    fee_of,
)

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)

amounts = st.integers(1, 10**11)
basis_points = st.integers(0, 10_000)


def order_of(amount_minor: int, points: int = 0) -> Order:
    return Order(
        id=OrderId("ord_1"),
        project_id=ProjectId("prj_1"),
        slug="ada.engine",
        title="Engine",
        buyer_id="usr_buyer",
        buyer_handle="grace",
        seller_id="usr_seller",
        quantity=1,
        amount_minor=amount_minor,
        currency="EUR",
        fee_minor=fee_of(amount_minor, points),
        provider="stripe",
        state=OrderState.PENDING,
        invoice_number=None,
        checkout_id=None,
        checkout_url=None,
        payment_reference=None,
        heard_back_minor=0,
        created_at=NOW,
        expires_at=NOW,
        paid_at=None,
    )


def heard_all(order: Order, facts: Iterable[Fact]) -> tuple[Order, list[Transaction]]:
    written: list[Transaction] = []
    for fact in facts:
        after = order.heard(fact, NOW)
        written += booked(order, after, NOW)
        order = after
    return order, written


def balances(written: Iterable[Transaction]) -> dict[Account, int]:
    found: Counter[Account] = Counter()
    for transaction in written:
        for entry in transaction.entries:
            found[entry.account] += entry.amount_minor
    return {account: amount for account, amount in found.items() if amount}


def refund_told(number: int, amount_minor: int, failed: bool) -> RefundTold:
    return RefundTold(HeardRefund(f"re_{number}", amount_minor, failed), "EUR")


def dispute_told(number: int, amount_minor: int, state: DisputeState, fees: tuple[HeardFee, ...] = ()) -> DisputeTold:
    return DisputeTold(HeardDispute(f"dp_{number}", amount_minor, state, fees), "EUR")


# The same booking with another fee cannot be, and must end the same all the same.
dispute_fees = st.lists(
    st.builds(
        HeardFee,
        id=st.sampled_from(["txn_1", "txn_2"]),
        amount_minor=st.integers(-2_000, 2_000),
        currency=st.sampled_from(["EUR", "USD"]),
    ),
    max_size=2,
).map(tuple)


@st.composite
def stories(draw: st.DrawFn) -> tuple[Order, list[Fact], list[Fact]]:
    """An order, what is told about it, and the same shuffled, doubled, and with some of it once more at the end."""
    order = order_of(draw(amounts), draw(basis_points))
    money = order.amount_minor
    facts: list[Fact] = draw(
        st.lists(
            st.one_of(
                st.just(Paid(money, "EUR", "pi_1")),
                st.builds(GivenBack, total_minor=st.integers(0, money + 5), currency=st.just("EUR")),
                st.builds(
                    refund_told,
                    st.integers(1, 3),
                    st.integers(0, money + 5),
                    st.booleans(),
                ),
                st.builds(
                    dispute_told,
                    st.integers(1, 2),
                    st.integers(0, money + 5),
                    st.sampled_from(DisputeState),
                    dispute_fees,
                ),
                st.builds(Ended, state=st.sampled_from([OrderState.CANCELLED, OrderState.EXPIRED])),
            ),
            max_size=10,
        )
    )
    late = draw(st.lists(st.sampled_from(facts), max_size=4)) if facts else []
    return order, facts, [*draw(st.permutations([*facts, *late])), *late]


@given(stories())
def test_facts_in_any_order_and_any_number_end_in_the_same_state_and_the_same_books(
    story: tuple[Order, list[Fact], list[Fact]],
) -> None:
    order, facts, other_order = story
    (first, written), (second, written_too) = heard_all(order, facts), heard_all(order, other_order)
    assert (first.state, first.refunded_minor) == (second.state, second.refunded_minor)
    assert (first.claims, first.disputed_minor) == (second.claims, second.disputed_minor)
    assert balances(written) == balances(written_too)
    keys = [transaction.key for transaction in written_too]
    assert len(keys) == len(set(keys))
    assert all(sum(entry.amount_minor for entry in each.entries) == 0 for each in written_too)


@given(stories())
def test_the_books_agree_with_the_order_at_every_step(story: tuple[Order, list[Fact], list[Fact]]) -> None:
    order, _, facts = story
    written: list[Transaction] = []
    for fact in facts:
        after = order.heard(fact, NOW)
        written += booked(order, after, NOW)
        order = after
        found = balances(written)
        is_paid = order.state in {OrderState.PAID, OrderState.REFUNDED}
        fees_minor = found.get(Account.DISPUTE_FEES, 0)
        assert found.get(Account.PROVIDER_CLEARING, 0) + fees_minor == (order.rest_minor if is_paid else 0)
        held = Counter[str]()
        for transaction in written:
            for entry in transaction.entries:
                held[transaction.currency] += entry.amount_minor * (entry.account is Account.PROVIDER_CLEARING)
        assert {currency: amount for currency, amount in held.items() if amount} == provider_holds(order)
        assert found.get(Account.DISPUTED, 0) == order.disputed_minor
        assert 0 <= order.refunded_minor <= order.refunded_minor + order.disputed_minor <= order.amount_minor
        assert found.get(Account.PLATFORM_FEE, 0) <= 0 <= found.get(Account.REFUNDS, 0)
        # The seller never owes more than they were given.
        assert found.get(Account.SELLER_PAYABLE, 0) + found.get(Account.REFUNDS, 0) <= 0
        if order.state is OrderState.REFUNDED:
            assert Account.PLATFORM_FEE not in found


@given(stories())
def test_what_is_heard_at_one_moment_is_listed_in_the_order_in_which_it_was_booked(
    story: tuple[Order, list[Fact], list[Fact]],
) -> None:
    order, _, facts = story
    for fact in facts:
        after = order.heard(fact, NOW)
        moments = [transaction.at for transaction in booked(order, after, NOW)]
        assert moments == sorted(set(moments))
        order = after


@given(amounts, basis_points, st.lists(st.integers(1, 10**11), max_size=6))
@example(3, 5_000, [1, 1, 1])
def test_many_small_refunds_give_the_same_part_of_the_fee_back_as_a_large_one(
    amount: int, points: int, steps: list[int]
) -> None:
    order, _ = heard_all(order_of(amount, points), [Paid(amount, "EUR", "pi_1")])
    total = 0
    facts: list[Fact] = []
    for step in steps:
        total = min(amount, total + step)
        facts.append(GivenBack(total, "EUR"))
    _, small = heard_all(order, facts)
    _, large = heard_all(order, facts[-1:])
    assert balances(small) == balances(large)
    assert fee_given_back(order, amount) == order.fee_minor


def test_a_fee_is_rounded_down() -> None:
    assert [fee_of(999, 250), fee_of(1, 9_999), fee_of(1_000, 10_000), fee_of(1_000, 0)] == [24, 0, 1_000, 0]


def test_money_that_arrives_late_outweighs_a_cancelled_order() -> None:
    order, written = heard_all(order_of(900), [Ended(OrderState.CANCELLED), Paid(900, "EUR", "pi_1")])
    assert order.state is OrderState.PAID
    assert balances(written) == {Account.PROVIDER_CLEARING: 900, Account.SELLER_PAYABLE: -900}


@pytest.mark.parametrize(
    "fact",
    [
        Paid(899, "EUR", "x"),
        Paid(900, "USD", "x"),
        GivenBack(1, "USD"),
        GivenBack(-1, "EUR"),
        RefundTold(HeardRefund("re_1", 1, failed=True), "USD"),
        RefundTold(HeardRefund("re_1", -1, failed=True), "EUR"),
        DisputeTold(HeardDispute("dp_1", 1, DisputeState.LOST), "USD"),
        DisputeTold(HeardDispute("dp_1", 10**16, DisputeState.LOST), "EUR"),
        DisputeTold(HeardDispute("dp_1", 1, DisputeState.LOST, (HeardFee("txn_1", -(10**16), "USD"),)), "EUR"),
    ],
)
def test_other_money_than_the_orders_is_never_booked(fact: Fact) -> None:
    with pytest.raises(PaymentMismatchError):
        order_of(900).heard(fact, NOW)


def test_a_refund_that_failed_and_was_made_again_is_given_back_once() -> None:
    facts = [Paid(900, "EUR", "pi_1"), GivenBack(300, "EUR"), RefundTold(HeardRefund("re_1", 300, failed=True), "EUR")]
    failed, written = heard_all(order_of(900), facts)
    assert (failed.state, failed.refunded_minor, failed.rest_minor) == (OrderState.PAID, 0, 900)
    assert balances(written) == {Account.PROVIDER_CLEARING: 900, Account.SELLER_PAYABLE: -900}
    # The provider's own total no longer has the one that failed.
    again = [*facts, GivenBack(300, "EUR"), RefundTold(HeardRefund("re_2", 300, failed=False), "EUR")]
    assert heard_all(order_of(900), again)[0].refunded_minor == 300


def test_the_fee_of_a_dispute_is_booked_once_by_itself_and_in_its_own_money() -> None:
    fee, back = HeardFee("txn_1", 1_500, "USD"), HeardFee("txn_2", -1_500, "USD")
    opened = dispute_told(1, 900, DisputeState.OPEN, (fee,))
    lost, won = dispute_told(1, 900, DisputeState.LOST, (fee,)), dispute_told(1, 900, DisputeState.WON, (back, fee))
    # It is heard of before the payment is, as everything may be.
    order, written = heard_all(order_of(900), [opened, Paid(900, "EUR", "pi_1"), opened, lost, lost])
    (booked_fee,) = [each for each in written if each.happening is Happening.DISPUTE_FEE]
    assert (booked_fee.currency, balances([booked_fee])) == (
        "USD",
        {Account.DISPUTE_FEES: 1_500, Account.PROVIDER_CLEARING: -1_500},
    )
    assert provider_holds(order) == {"USD": -1_500}
    order, more = heard_all(order, [won, lost, won])
    assert Account.DISPUTE_FEES not in balances([*written, *more])
    assert provider_holds(order) == {"EUR": 900}


def test_a_dispute_holds_the_money_and_gives_it_to_whoever_wins() -> None:
    paid = [Paid(900, "EUR", "pi_1"), DisputeTold(HeardDispute("dp_1", 900, DisputeState.OPEN), "EUR")]
    disputed, written = heard_all(order_of(900, 1_000), paid)
    assert (disputed.state, disputed.rest_minor, disputed.disputed_minor) == (OrderState.PAID, 0, 900)
    assert balances(written)[Account.DISPUTED] == 900
    won, written = heard_all(
        order_of(900, 1_000), [*paid, DisputeTold(HeardDispute("dp_1", 900, DisputeState.WON), "EUR")]
    )
    assert (won.state, won.rest_minor) == (OrderState.PAID, 900)
    lost, written = heard_all(
        order_of(900, 1_000), [*paid, DisputeTold(HeardDispute("dp_1", 900, DisputeState.LOST), "EUR")]
    )
    assert lost.state is OrderState.REFUNDED
    assert balances(written) == {Account.SELLER_PAYABLE: -810, Account.REFUNDS: 810}


def test_an_order_has_no_more_claims_than_somebody_can_look_at() -> None:
    order = order_of(900)
    for number in range(MOST_CLAIMS):
        order = order.heard(RefundTold(HeardRefund(f"re_{number:03}", 1, failed=False), "EUR"), NOW)
    with pytest.raises(PaymentMismatchError):
        order.heard(RefundTold(HeardRefund("re_more", 1, failed=False), "EUR"), NOW)
    assert order.heard(RefundTold(HeardRefund("re_000", 1, failed=False), "EUR"), NOW) == order


def test_a_second_payment_of_an_order_changes_nothing() -> None:
    paid = order_of(900).heard(Paid(900, "EUR", "pi_1"), NOW)
    assert paid.heard(Paid(900, "EUR", "pi_2"), NOW) is paid
    assert replace(paid).heard(Ended(OrderState.EXPIRED), NOW) == paid


@given(st.integers(0, 2**KEY_BITS - 1))
def test_a_licence_key_is_read_however_it_is_typed(number: int) -> None:
    key = licence_key_of(number)
    assert len(key) == 33
    misread = key[4:].lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert tidy_licence_key(key) == tidy_licence_key(misread) == tidy_licence_key(f" ocl-{misread}") == key


@pytest.mark.parametrize("typed", ["", "OCL", "OCL-" + "A" * 24, "A" * 26, "U" * 25, "Ü" * 25, "-" * 300, "0" * 10**6])
def test_what_is_no_licence_key_is_none(typed: str) -> None:
    assert tidy_licence_key(typed) is None
