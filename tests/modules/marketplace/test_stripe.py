"""Paying through a provider: against a server on loopback that speaks Stripe's API, with all that can go wrong."""

import asyncio
import random
from collections.abc import AsyncGenerator
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import text

from opencode.infra.plugs import Parts
from opencode.infra.settings import SettingsError
from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import new_id
from opencode.modules.marketplace.adapters.payments import Stripe
from opencode.modules.marketplace.adapters.payments import amounts as stripe_amounts
from opencode.modules.marketplace.module import build_stripe
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.conftest import PUBLIC_URL
from tests.doubles.identity import IdentityInMemory
from tests.modules.marketplace.conftest import PROJECTS, Json, Market, Person, running
from tests.modules.marketplace.stripe_server import SECRET_KEY, WEBHOOK_SECRET, StripeServer, taking_payments
from tests.modules.marketplace.test_orders import ORDERS, balances, did, kind_of, ledger_check, notices, ordered, sold

WEBHOOK = "/api/v1/payments/stripe/webhook"


@pytest.fixture
async def stripe(clock: ManualClock) -> AsyncGenerator[StripeServer]:
    async with taking_payments(clock) as server:
        yield server


@pytest.fixture
def settings(stripe: StripeServer) -> MarketplaceSettings:
    return MarketplaceSettings(
        project_writes_per_minute=100_000,
        marketplace_payments="stripe",
        marketplace_fee_basis_points=1_000,
        marketplace_stripe_url=stripe.url,
        marketplace_stripe_secret_key=SECRET_KEY,
        marketplace_stripe_webhook_secret=WEBHOOK_SECRET,
    )


async def tell(market: Market, stripe: StripeServer, body: bytes, **how: object) -> httpx.Response:
    headers = stripe.signed(body, **how)  # type: ignore[arg-type]
    return await market.client.post(WEBHOOK, content=body, headers=headers)


async def heard(market: Market, stripe: StripeServer, body: bytes) -> str:
    answer = await tell(market, stripe, body)
    assert answer.status_code == 200, answer.text
    return answer.json()["outcome"]


async def bought(market: Market, stripe: StripeServer) -> tuple[Person, Person, str, Json]:
    ada, grace, slug = await sold(market)
    order = await ordered(grace, slug)
    assert await heard(market, stripe, stripe.session_event(order)) == "applied"
    return ada, grace, slug, order


async def state_of(who: Person, order: Json) -> tuple[str, int]:
    now = (await who.get(f"{ORDERS}/{order['id']}")).json()
    return now["state"], now["refunded_minor"]


async def test_a_buyer_is_sent_to_a_page_to_pay_at_and_gets_the_project_when_it_is_paid(
    market: Market, stripe: StripeServer
) -> None:
    ada, grace, slug = await sold(market)
    order = await ordered(grace, slug, quantity=2)
    assert order["checkout_url"] == "https://pay.example.org/c/cs_test_0"
    assert (order["provider"], order["invoice_number"]) == ("stripe", None)
    (call,) = stripe.calls
    assert (call.path, call.key) == ("/v1/checkout/sessions", order["id"].lower())
    assert call.form == {
        "mode": "payment",
        "client_reference_id": order["id"],
        "success_url": f"{PUBLIC_URL}/orders/{order['id']}",
        "cancel_url": f"{PUBLIC_URL}/orders/{order['id']}",
        "expires_at": str(int(market.clock.now().timestamp()) + 24 * 3600 - 300),
        "line_items[0][quantity]": "2",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "900",
        "line_items[0][price_data][product_data][name]": "Engine",
        "metadata[order_id]": order["id"],
        "payment_intent_data[metadata][order_id]": order["id"],
    }
    assert (await ada.get(f"{ORDERS}/{order['id']}")).json()["checkout_url"] is None
    assert await heard(market, stripe, stripe.session_event(order)) == "applied"
    assert await state_of(grace, order) == ("paid", 0)
    assert (await grace.get(f"{ORDERS}/{order['id']}")).json()["checkout_url"] is None
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 201
    assert kind_of(await ada.post(f"{ORDERS}/{order['id']}/mark-paid", {"reference": "x"})) == (
        409,
        "payment-comes-by-itself",
    )


async def test_a_call_whose_answer_was_lost_is_made_again_and_opens_one_checkout(
    market: Market, stripe: StripeServer
) -> None:
    _, grace, slug = await sold(market)
    stripe.failing = [(500, b"oh"), None, (200, b"no JSON"), (200, b'{"id": "cs", "url": "javascript:alert(1)"}')]
    stripe.failing += [(401, b"{}"), (429, b"{}")]
    for _ in range(6):
        failed = await grace.post(f"{PROJECTS}/{slug}/orders", {})
        assert kind_of(failed) == (503, "payments-unavailable")
        assert SECRET_KEY not in failed.text
    stripe.losing = 1
    assert (await grace.post(f"{PROJECTS}/{slug}/orders", {})).status_code == 503
    market.clock.advance(60)
    order = await ordered(grace, slug)
    assert order["checkout_url"] == "https://pay.example.org/c/cs_test_0"
    assert len(stripe.calls) == len(stripe.sessions) == 1
    assert len((await grace.get("/api/v1/me/orders")).json()["items"]) == 1


async def test_a_refused_payment_is_told_without_the_providers_insides(market: Market, stripe: StripeServer) -> None:
    _, grace, slug = await sold(market)
    for said, word in (
        (b'{"error": {"type": "card_error", "code": "amount_too_small", "message": "secret"}}', "amount_too_small"),
        (b'{"error": {"code": "\\u202e<script>"}}', "400"),
        (b"<html>", "400"),
    ):
        stripe.failing = [(400, said)]
        refused = await grace.post(f"{PROJECTS}/{slug}/orders", {})
        assert kind_of(refused) == (409, "payments-refused")
        assert refused.json()["detail"] == f"The payment provider refused: {word}."


async def test_events_in_any_order_doubled_and_at_once_end_the_same(market: Market, stripe: StripeServer) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    chance = random.Random(4)
    for number in range(6):
        slug = (await ada.create(f"Engine {number}", price={"amount_minor": 999, "currency": "EUR"}))["slug"]
        order = await ordered(grace, slug)
        events = [
            stripe.session_event(order, status="unpaid"),
            stripe.session_event(order, "async_payment_succeeded"),
            stripe.session_event(order, "async_payment_failed", status="unpaid"),
            stripe.session_event(order, "expired", status="unpaid"),
            stripe.refund_event(order, 100),
            stripe.refund_event(order, 333, metadata={}),
            stripe.single_refund_event(order, 1, 333, "succeeded"),
            # Sent and failed: it comes to nothing, whenever it is heard.
            stripe.single_refund_event(order, 2, 99, "succeeded"),
            stripe.single_refund_event(order, 2, 99, "failed"),
            stripe.dispute_event(order, "created", "needs_response"),
            stripe.dispute_event(order, "funds_withdrawn", "needs_response", fees={"withdrawn": 1_500}),
            stripe.dispute_event(order, "closed", "won", fees={"withdrawn": 1_500, "reinstated": -500}),
        ]
        told = [*events, *events]
        chance.shuffle(told)
        for some in (told[start : start + 4] for start in range(0, len(told), 4)):
            answers = await asyncio.gather(*(tell(market, stripe, body) for body in some))
            assert {answer.status_code for answer in answers} == {200}
        await run_job(market, "look for the orders of early payments")
        assert await state_of(grace, order) == ("paid", 333)
    check = await ledger_check(market)
    # Of 999 a fee of 99; of 333 given back 33 of it.
    assert check["balanced"]
    assert {account: amount for account, amount in balances(check).items() if amount} == {
        "provider_clearing": 6 * (666 - 1_000),
        "dispute_fees": 6 * 1_000,
        "seller_payable": 6 * -900,
        "platform_fee": 6 * -66,
        "refunds": 6 * 300,
    }
    paid = [notice for notice in await notices(market) if notice.kind.value == "order.paid"]
    assert len(paid) == 12


async def run_job(market: Market, name: str) -> None:
    await next(job for job in market.module.plug.jobs if job.name == name).work()


async def test_a_refund_of_a_payment_that_is_not_known_yet_waits_for_it(market: Market, stripe: StripeServer) -> None:
    _, grace, slug = await sold(market)
    order = await ordered(grace, slug)
    assert await heard(market, stripe, stripe.refund_event(order, 900, metadata={})) == "waiting"
    assert await state_of(grace, order) == ("pending", 0)
    await heard(market, stripe, stripe.session_event(order))
    assert await state_of(grace, order) == ("refunded", 900)
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 402
    assert (await ledger_check(market))["balanced"]


async def test_an_event_of_an_order_that_is_not_there_yet_waits_and_is_given_up_after_days(
    market: Market, stripe: StripeServer, clock: ManualClock
) -> None:
    _, grace, slug = await sold(market)
    order = await ordered(grace, slug)
    early = {**order, "id": new_id("ord")}
    assert await heard(market, stripe, stripe.session_event(early)) == "waiting"
    assert await heard(market, stripe, stripe.refund_event(early, 5)) == "waiting"
    # The row becomes visible: such as from another server, whose transaction was slower than the provider.
    async with market.parts.database.begin() as connection:
        await connection.execute(text("update orders set id = :early"), {"early": early["id"]})
    await run_job(market, "look for the orders of early payments")
    assert await state_of(grace, early) == ("paid", 5)
    unknown = stripe.session_event({**order, "id": new_id("ord")})
    assert await heard(market, stripe, unknown) == "waiting"
    clock.advance(3 * 86_400 + 1)
    await run_job(market, "look for the orders of early payments")
    assert await heard(market, stripe, unknown) == "ignored"


async def test_other_events_are_taken_and_kept_without_what_they_say_of_people(
    market: Market, stripe: StripeServer
) -> None:
    body = stripe.event("customer.created", {"email": "grace@example.org"}, "evt_other")
    assert [await heard(market, stripe, body) for _ in range(2)] == ["ignored", "ignored"]
    async with market.parts.database.read() as connection:
        (row,) = (await connection.execute(text("select * from payment_events"))).all()
    assert {"stripe", "evt_other", "customer.created", "ignored"} <= set(row)
    assert "grace" not in str(row)


async def test_other_money_than_the_orders_is_set_aside_and_buys_nothing(market: Market, stripe: StripeServer) -> None:
    _, grace, slug = await sold(market)
    order = await ordered(grace, slug)
    for body in (stripe.session_event(order, amount_total=1), stripe.session_event(order, currency="jpy")):
        assert await heard(market, stripe, body) == "mismatch"
    for body in (
        stripe.session_event(order, amount_total=None),
        stripe.session_event(order, currency=None),
        stripe.session_event(order, status="no_payment_required"),
        stripe.session_event(order, client_reference_id="cart 7", metadata=None),
    ):
        assert await heard(market, stripe, body) == "ignored"
    assert await state_of(grace, order) == ("pending", 0)
    check = await ledger_check(market)
    assert (check["balanced"], check["transactions"]) == (True, 0)


async def test_a_call_that_is_not_the_providers_changes_nothing(market: Market, stripe: StripeServer) -> None:
    _, grace, slug = await sold(market)
    order = await ordered(grace, slug)
    body = stripe.session_event(order)
    good = stripe.signed(body)["stripe-signature"]
    moment, _, mac, _ = good.split(",")
    headers = [
        stripe.signed(body, secret="whsec_other")["stripe-signature"],
        stripe.signed(body, late_s=301)["stripe-signature"],
        stripe.signed(body, late_s=-301)["stripe-signature"],
        stripe.signed(body + b" ")["stripe-signature"],
        *("", "x", mac, moment, f"{moment},v0={mac[3:]}", f"t=1,{good}", f"t={'9' * 13},{mac}", f"t=-1,{mac}"),
        f"{moment},v1=\u00e4,v1={mac[3:-1]}",
        ",".join([moment, *["v1=0"] * 50, mac]),
        good + "," * 3_000,
    ]
    for header in headers:
        answer = await market.client.post(WEBHOOK, content=body, headers={b"stripe-signature": header.encode()})
        assert kind_of(answer) == (400, "webhook-refused"), header
    assert (await market.client.post(WEBHOOK, content=body)).status_code == 400
    assert await state_of(grace, order) == ("pending", 0)
    assert (await market.client.post(WEBHOOK, content=b"x" * 600_000, headers=stripe.signed(b""))).status_code == 413
    just = stripe.signed(body, late_s=299)
    assert (await market.client.post(WEBHOOK, content=body, headers=just)).status_code == 200


async def test_what_is_signed_but_no_event_is_refused(market: Market, stripe: StripeServer) -> None:
    for body in (
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"id": "evt_1", "type": "x"}',
        stripe.event("charge.refunded", {"amount_refunded": "5"}),
        stripe.event("checkout.session.completed", {}),
        stripe.event("x", {}, "e" * 300),
        stripe.event("x\0", {}),
    ):
        assert kind_of(await tell(market, stripe, body)) == (400, "webhook-refused")


async def test_a_cancelled_order_cannot_be_paid_any_more(market: Market, stripe: StripeServer) -> None:
    _, grace, slug = await sold(market)
    order = await ordered(grace, slug)
    stripe.failing = [None]
    assert kind_of(await grace.post(f"{ORDERS}/{order['id']}/cancel")) == (503, "payments-unavailable")
    assert await state_of(grace, order) == ("pending", 0)
    assert (await did(grace, order, "cancel"))["state"] == "cancelled"
    assert stripe.calls[-1].path == "/v1/checkout/sessions/cs_test_0/expire"
    assert (await did(grace, order, "cancel"))["state"] == "cancelled"
    assert len(stripe.calls) == 2


async def test_an_order_that_is_being_paid_is_not_cancelled_and_money_outweighs_a_cancelled_one(
    market: Market, stripe: StripeServer
) -> None:
    _, grace, slug = await sold(market)
    order = await ordered(grace, slug)
    stripe.sessions["cs_test_0"]["status"] = "complete"
    assert kind_of(await grace.post(f"{ORDERS}/{order['id']}/cancel")) == (409, "payment-under-way")
    stripe.sessions["cs_test_0"]["status"] = "open"
    # The refusal is remembered under its key; a new order has new keys.
    await heard(market, stripe, stripe.session_event(order, "expired", status="unpaid"))
    assert await state_of(grace, order) == ("expired", 0)
    await heard(market, stripe, stripe.session_event(order))
    assert await state_of(grace, order) == ("paid", 0)


async def test_a_refund_goes_through_the_provider_and_its_event_changes_nothing_more(
    market: Market, stripe: StripeServer
) -> None:
    ada, grace, slug, order = await bought(market, stripe)
    assert (await did(ada, order, "refund", {"amount_minor": 300}))["refunded_minor"] == 300
    call = stripe.calls[-1]
    assert call.path == "/v1/refunds"
    assert call.form == {
        "payment_intent": f"pi_{order['id']}",
        "amount": "300",
        "metadata[order_id]": order["id"],
    }
    await heard(market, stripe, stripe.refund_event(order, 300))
    assert await state_of(ada, order) == ("paid", 300)
    # Somebody gives the rest back at the provider's own pages.
    await heard(market, stripe, stripe.refund_event(order, 900))
    assert await state_of(ada, order) == ("refunded", 900)
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 402
    check = await ledger_check(market)
    assert (check["balanced"], check["transactions"]) == (True, 3)


async def test_a_refund_that_failed_gives_the_entitlement_back_and_tells_both(
    market: Market, stripe: StripeServer
) -> None:
    ada, grace, slug, order = await bought(market, stripe)
    await did(ada, order, "refund", {})
    assert await state_of(ada, order) == ("refunded", 900)
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 402
    await notices(market)
    failed = stripe.single_refund_event(order, 1, 900, "failed")
    assert [await heard(market, stripe, failed) for _ in range(2)] == ["applied", "applied"]
    assert await state_of(ada, order) == ("paid", 0)
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 201
    told = {(notice.recipient_ids[0], notice.title) for notice in await notices(market)}
    assert told == {
        (ada.id, "The money that you gave back for Engine came back to you"),
        (grace.id, "A payment for Engine could not be given back to you"),
    }
    # The seller gives it back once more, and this time it arrives.
    await did(ada, order, "refund", {})
    await heard(market, stripe, stripe.single_refund_event(order, 2, 900, "succeeded"))
    assert await state_of(ada, order) == ("refunded", 900)
    check = await ledger_check(market)
    assert (check["balanced"], check["transactions"]) == (True, 4)


async def test_a_chargeback_holds_the_money_until_it_is_decided(market: Market, stripe: StripeServer) -> None:
    ada, grace, slug, order = await bought(market, stripe)
    await notices(market)
    assert await heard(market, stripe, stripe.dispute_event(order, "created", "warning_needs_response")) == "ignored"
    assert await heard(market, stripe, stripe.dispute_event(order, "created", "needs_response")) == "applied"
    shown = (await ada.get(f"{ORDERS}/{order['id']}")).json()
    assert (shown["state"], shown["refunded_minor"], shown["disputed_minor"]) == ("paid", 0, 900)
    refused = await ada.post(f"{ORDERS}/{order['id']}/refund", {})
    assert refused.status_code == 400
    assert "disputed" in refused.text
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 201
    assert balances(await ledger_check(market))["disputed"] == 900
    await heard(market, stripe, stripe.dispute_event(order, "closed", "lost"))
    assert await state_of(ada, order) == ("refunded", 900)
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 402
    assert balances(await ledger_check(market)).get("disputed", 0) == 0
    assert [(notice.kind.value, notice.recipient_ids[0], notice.title) for notice in await notices(market)] == [
        ("order.disputed", ada.id, "The payment for Engine is disputed"),
        ("order.disputed", ada.id, "You have lost the dispute of the payment for Engine"),
        ("order.refunded", grace.id, "Your payment for Engine was given back"),
    ]
    # The bank thinks again: the money is back, and so is the right.
    await heard(market, stripe, stripe.dispute_event(order, "funds_reinstated", "won"))
    assert await state_of(ada, order) == ("paid", 0)
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 201
    assert [(notice.kind.value, notice.recipient_ids[0], notice.title) for notice in await notices(market)] == [
        ("order.disputed", ada.id, "You have won the dispute of the payment for Engine"),
        ("order.disputed", grace.id, "Engine is yours again: your dispute was decided for the seller"),
    ]
    check = await ledger_check(market)
    assert check["balanced"]
    async with market.parts.database.begin() as connection:
        await connection.execute(
            text("""update orders set claims = '{"refunds":[],"disputes":[]}', heard_back_minor=1""")
        )
    assert not (await ledger_check(market))["balanced"]


async def test_a_lost_dispute_costs_its_fee_which_is_in_the_ledger_by_itself(
    market: Market, stripe: StripeServer
) -> None:
    ada, _, _, order = await bought(market, stripe)
    stripe.account_currency = "usd"
    fees = {"withdrawn": 1_500}
    for kind, status in (("closed", "lost"), ("created", "needs_response"), ("funds_withdrawn", "lost")):
        dispute = stripe.dispute_event(order, kind, status, fees=fees)
        answers = await asyncio.gather(*(tell(market, stripe, dispute) for _ in range(2)))
        assert {answer.json()["outcome"] for answer in answers} == {"applied"}
    transactions = (await ada.get(f"{ORDERS}/{order['id']}/ledger")).json()["transactions"]
    assert [(each["happening"], each["currency"]) for each in transactions] == [
        ("paid", "EUR"),
        ("dispute_lost", "EUR"),
        ("dispute_fee", "USD"),
    ]
    assert transactions[-1]["entries"] == [
        {"account": "dispute_fees", "amount_minor": 1_500},
        {"account": "provider_clearing", "amount_minor": -1_500},
    ]
    check = await ledger_check(market)
    assert check["balanced"], check["findings"]
    dollars = {each["account"]: each["amount_minor"] for each in check["balances"] if each["currency"] == "USD"}
    assert dollars == {"dispute_fees": 1_500, "provider_clearing": -1_500}
    async with market.parts.database.begin() as connection:
        await connection.execute(text("update orders set claims = replace(claims, '1500', '1400')"))
    (finding,) = (await ledger_check(market))["findings"]
    assert finding["subject"] == order["id"]
    assert "-1500 USD" in finding["detail"]


async def test_a_fee_that_cannot_be_is_refused_with_its_event(market: Market, stripe: StripeServer) -> None:
    _, _, _, order = await bought(market, stripe)
    for currency, name, fee in (("us dollars", "a", 5), ("ugx", "a", 150), ("usd", "a" * 300, 5), ("usd", "\n", 5)):
        stripe.account_currency = currency
        refused = await tell(market, stripe, stripe.dispute_event(order, "closed", "lost", fees={name: fee}))
        assert kind_of(refused) == (400, "webhook-refused")
    stripe.account_currency = "eur"
    assert await heard(market, stripe, stripe.dispute_event(order, "closed", "lost", fees={"a": 10**16})) == "mismatch"
    check = await ledger_check(market)
    assert (check["balanced"], check["transactions"]) == (True, 1)


async def test_each_of_two_disputes_that_come_to_the_same_is_told_of(market: Market, stripe: StripeServer) -> None:
    ada, _, _, order = await bought(market, stripe)
    await notices(market)
    for number in (1, 2):
        for kind, status in (("created", "needs_response"), ("closed", "won")):
            dispute = stripe.dispute_event(order, kind, status, id=f"dp_{number}", amount=100)
            assert [await heard(market, stripe, dispute) for _ in range(2)] == ["applied", "applied"]
    told = await notices(market)
    assert {notice.recipient_ids for notice in told} == {(ada.id,)}
    assert [notice.key.split(":")[1] for notice in told] == ["disputed", "dispute_won"] * 2
    assert len({notice.key for notice in told}) == 4


async def test_a_dispute_in_other_money_is_set_aside(market: Market, stripe: StripeServer) -> None:
    ada, _, _, order = await bought(market, stripe)
    assert await heard(market, stripe, stripe.dispute_event(order, "created", "lost", currency="usd")) == "mismatch"
    unknown = stripe.dispute_event({**order, "id": new_id("ord")}, "created", "lost")
    assert await heard(market, stripe, unknown) == "waiting"
    assert await heard(market, stripe, stripe.dispute_event(order, "created", "lost", id="")) == "ignored"
    assert await state_of(ada, order) == ("paid", 0)


async def test_a_refund_whose_answer_was_lost_is_finished_and_not_made_twice(
    market: Market, stripe: StripeServer
) -> None:
    ada, _, _, order = await bought(market, stripe)
    headers = {"idempotency-key": "once"}
    stripe.losing = 1
    lost = await ada.post(f"{ORDERS}/{order['id']}/refund", {"amount_minor": 300}, headers=headers)
    assert lost.status_code == 503
    assert await state_of(ada, order) == ("paid", 0)
    assert kind_of(await ada.post(f"{ORDERS}/{order['id']}/refund", {"amount_minor": 200})) == (409, "refund-under-way")
    again = await asyncio.gather(
        did(ada, order, "refund", {"amount_minor": 300}, headers=headers),
        did(ada, order, "refund", {"amount_minor": 300}, headers=headers),
    )
    assert [each["refunded_minor"] for each in again] == [300, 300]
    assert stripe.refunded == {f"pi_{order['id']}": 300}
    assert (await ledger_check(market))["balanced"]


async def test_a_refund_that_the_provider_tells_of_first_is_done(market: Market, stripe: StripeServer) -> None:
    ada, _, _, order = await bought(market, stripe)
    stripe.losing = 1
    await ada.post(f"{ORDERS}/{order['id']}/refund", {"amount_minor": 300}, headers={"idempotency-key": "once"})
    await heard(market, stripe, stripe.refund_event(order, 300))
    await did(ada, order, "refund", {"amount_minor": 300}, headers={"idempotency-key": "once"})
    assert stripe.refunded == {f"pi_{order['id']}": 300}
    await did(ada, order, "refund", {"amount_minor": 200})
    assert await state_of(ada, order) == ("paid", 500)


async def test_a_refused_refund_leaves_everything_as_it_was(market: Market, stripe: StripeServer) -> None:
    ada, _, _, order = await bought(market, stripe)
    stripe.failing = [(400, b'{"error": {"code": "insufficient_funds"}}')]
    headers = {"idempotency-key": "once"}
    for _ in range(2):
        refused = await ada.post(f"{ORDERS}/{order['id']}/refund", {}, headers=headers)
        assert kind_of(refused) == (409, "payments-refused")
    assert await state_of(ada, order) == ("paid", 0)
    assert (await did(ada, order, "refund", {"amount_minor": 5}))["refunded_minor"] == 5


async def test_an_order_ends_with_the_provider_that_it_began_with(
    parts: Parts, clock: ManualClock, stripe: StripeServer, settings: MarketplaceSettings
) -> None:
    identity = IdentityInMemory(clock)
    async with running(parts, clock, settings, identity) as market:
        ada, grace, slug, order = await bought(market, stripe)
    async with running(parts, clock, replace(settings, marketplace_payments="manual"), identity) as later:
        ada = Person(later.client, ada.token, ada.principal)
        assert (await did(ada, order, "refund", {"amount_minor": 5}))["refunded_minor"] == 5
    plain = MarketplaceSettings(project_writes_per_minute=100_000)
    async with running(parts, clock, plain, identity) as later:
        ada = Person(later.client, ada.token, ada.principal)
        grace = Person(later.client, grace.token, grace.principal)
        assert kind_of(await ada.post(f"{ORDERS}/{order['id']}/refund", {})) == (503, "payments-unavailable")
        assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 201
        assert kind_of(await later.client.post(WEBHOOK, content=b"{}")) == (404, "provider-not-set-up")


def test_amounts_are_sent_as_the_provider_counts_them() -> None:
    assert stripe_amounts.sent(900, "EUR") == stripe_amounts.received(900, "EUR") == 900
    assert (stripe_amounts.sent(900, "ISK"), stripe_amounts.received(90_000, "ISK")) == (90_000, 900)
    assert stripe_amounts.received(90_050, "UGX") == -1
    refused = [(1_005, "KWD"), (100, "MGA"), (1_000_000, "ISK"), (100_000_000, "EUR")]
    assert all(stripe_amounts.amount_problem(*each) for each in refused)
    assert not any(stripe_amounts.amount_problem(*each) for each in [(1_010, "KWD"), (5, "JPY"), (99_999_999, "EUR")])


@pytest.mark.parametrize(
    "url", ["http://pay.example.org", "https://a:b@pay.example.org", "https://x/?y", "ftp://x", "x"]
)
def test_an_address_that_would_give_the_key_away_is_refused(url: str) -> None:
    settings = MarketplaceSettings(
        marketplace_payments="stripe",
        marketplace_stripe_url=url,
        marketplace_stripe_secret_key="sk_secret",
        marketplace_stripe_webhook_secret="whsec_secret",
    )
    with pytest.raises(SettingsError) as refused:
        build_stripe(settings)
    assert "secret" not in str(refused.value).replace("its secrets", "")


def test_a_provider_that_is_set_up_by_half_stops_the_start() -> None:
    with pytest.raises(SettingsError) as refused:
        build_stripe(
            MarketplaceSettings(marketplace_payments="stripe", marketplace_stripe_url="https://pay.example.org")
        )
    assert len(refused.value.problems) == 2
    assert build_stripe(MarketplaceSettings()) is None
    assert SECRET_KEY not in repr(Stripe("https://pay.example.org", SECRET_KEY, WEBHOOK_SECRET))
