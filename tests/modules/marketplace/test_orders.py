"""Buying and selling with an invoice: what buyers, sellers and the operator rely on."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from opencode.contracts.notifications import NoticeGiven
from opencode.infra.events import Reactions, Relay
from opencode.kernel.clock import ManualClock
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.modules.marketplace.conftest import PROJECTS, REPOSITORY, Json, Market, Person

ORDERS = "/api/v1/orders"
PRICE = {"amount_minor": 900, "currency": "EUR"}


@pytest.fixture
def settings() -> MarketplaceSettings:
    return MarketplaceSettings(project_writes_per_minute=100_000, marketplace_fee_basis_points=1_000)


async def sold(market: Market, **fields: Any) -> tuple[Person, Person, str]:
    """A seller, somebody who would like to buy, and the slug of a project for 9.00 EUR."""
    ada, grace = market.member("Ada"), market.member("Grace")
    slug = (await ada.create("Engine", price=PRICE, **fields))["slug"]
    return ada, grace, slug


async def ordered(buyer: Person, slug: str, **fields: Any) -> Json:
    answer = await buyer.post(f"{PROJECTS}/{slug}/orders", fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def did(who: Person, order: Json, what: str, body: Json | None = None, **how: Any) -> Json:
    answer = await who.post(f"{ORDERS}/{order['id']}/{what}", body, **how)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def bought(market: Market) -> tuple[Person, Person, str, Json]:
    ada, grace, slug = await sold(market)
    order = await ordered(grace, slug)
    return ada, grace, slug, await did(ada, order, "mark-paid", {"reference": "Transfer of Monday"})


async def ledger_check(market: Market) -> Json:
    answer = await market.administrator().get("/api/v1/marketplace/ledger/check")
    assert answer.status_code == 200, answer.text
    return answer.json()


def balances(check: Json) -> dict[str, int]:
    return {each["account"]: each["amount_minor"] for each in check["balances"]}


async def notices(market: Market) -> list[NoticeGiven]:
    """All that people were told of so far, since the last time."""
    given: list[NoticeGiven] = []

    async def take(notice: NoticeGiven) -> None:
        given.append(notice)

    reactions = Reactions()
    reactions.add(NoticeGiven, take)
    relay = Relay(market.parts.database, reactions, market.clock)
    while await relay.deliver_due():
        pass
    return given


def kind_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


async def test_a_project_is_ordered_paid_and_downloaded(market: Market) -> None:
    ada, grace, slug = await sold(market)
    refused = await grace.post(f"{PROJECTS}/{slug}/downloads")
    assert kind_of(refused) == (402, "project-not-bought")
    assert f"POST /api/v1/projects/{slug}/orders" in refused.json()["action"]

    order = await ordered(grace, slug)
    assert order["state"] == "pending"
    assert (order["amount_minor"], order["currency"], order["provider"]) == (900, "EUR", "manual")
    assert order["invoice_number"] == "INV-2026-000001"
    assert (order["buyer"], order["project"]) == ("grace", {"slug": slug, "title": "Engine"})
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 402

    paid = await did(ada, order, "mark-paid", {"reference": " Transfer of Monday "})
    assert (paid["state"], paid["payment_reference"]) == ("paid", "Transfer of Monday")
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).json() == {"url": REPOSITORY}
    (own,) = (await grace.get("/api/v1/me/entitlements")).json()["items"]
    assert (own["order_id"], own["revoked_at"], own["licence_key"]) == (order["id"], None, None)


async def test_where_the_code_of_a_paid_project_is_only_those_see_who_may_have_it(market: Market) -> None:
    ada, grace, slug, _ = await bought(market)
    shown = {
        name: (await who.get(f"{PROJECTS}/{slug}")).json()["repository_url"]
        for name, who in {
            "owner": ada,
            "buyer": grace,
            "administrator": market.administrator(),
            "another": market.member("Charles"),
            "nobody": market.nobody(),
        }.items()
    }
    assert shown == {
        "owner": REPOSITORY,
        "buyer": REPOSITORY,
        "administrator": REPOSITORY,
        "another": None,
        "nobody": None,
    }
    for who, expected in ((ada, 201), (market.administrator(), 201), (market.nobody(), 402)):
        assert (await who.post(f"{PROJECTS}/{slug}/downloads")).status_code == expected


async def test_somebody_asks_what_they_have_of_a_project_whatever_it_is_called_now(market: Market) -> None:
    ada, grace, slug = await sold(market)

    async def purchase(who: Person, of: str = slug) -> Json:
        answer = await who.get(f"{PROJECTS}/{of}/purchase")
        assert answer.status_code == 200, answer.text
        return answer.json()

    nothing: Json = {"order": None, "entitlement": None}
    assert await purchase(grace) == nothing
    order = await ordered(grace, slug)
    assert await purchase(grace) == {"order": order, "entitlement": None}
    await ada.patch(f"{PROJECTS}/{slug}", {"name": "other"})
    await did(ada, order, "mark-paid", {"reference": "x"})
    own = await purchase(grace, slug.replace("engine", "other"))
    assert (own["order"], own["entitlement"]["order_id"]) == (None, order["id"])
    # Nobody learns what others have.
    assert await purchase(ada) == await purchase(market.administrator()) == nothing
    assert (await market.nobody().get(f"{PROJECTS}/{slug}/purchase")).status_code == 401
    await did(ada, order, "refund", {})
    assert await purchase(grace) == nothing


async def test_an_order_says_which_side_of_it_one_is_on(market: Market) -> None:
    ada, grace, _, order = await bought(market)
    sides = [(await who.get(f"{ORDERS}/{order['id']}")).json()["side"] for who in (grace, ada, market.administrator())]
    assert sides == ["buyer", "seller", "administrator"]
    assert (await ada.get("/api/v1/me/sales")).json()["items"][0]["side"] == "seller"


async def test_an_order_keeps_its_price_whatever_the_seller_does(market: Market) -> None:
    ada, grace, slug = await sold(market)
    order = await ordered(grace, slug)
    await ada.patch(f"{PROJECTS}/{slug}", {"price": {"amount_minor": 5_000, "currency": "USD"}, "name": "other"})
    assert (await did(ada, order, "mark-paid", {"reference": "x"}))["amount_minor"] == 900
    ledger = (await ada.get(f"{ORDERS}/{order['id']}/ledger")).json()["transactions"]
    assert [entry["amount_minor"] for entry in ledger[0]["entries"]] == [900, -810, -90]


async def test_clicks_at_the_same_moment_make_one_order(market: Market, other_server: Market) -> None:
    _, grace, slug = await sold(market)
    again = Person(other_server.client, grace.token, grace.principal)
    who = (grace, again, grace, again)
    keys = ("a", "b", "b", None)
    made = await asyncio.gather(
        *(
            person.post(f"{PROJECTS}/{slug}/orders", {}, headers={"idempotency-key": key} if key else {})
            for person, key in zip(who, keys, strict=True)
        )
    )
    assert {answer.status_code for answer in made} == {201}
    assert len({answer.json()["id"] for answer in made}) == 1
    assert len((await grace.get("/api/v1/me/orders")).json()["items"]) == 1


async def test_an_idempotency_key_stands_for_one_request(market: Market) -> None:
    _, grace, slug = await sold(market)
    headers = {"idempotency-key": "once"}
    first = await grace.post(f"{PROJECTS}/{slug}/orders", {}, headers=headers)
    await did(grace, first.json(), "cancel")
    again = await grace.post(f"{PROJECTS}/{slug}/orders", {}, headers=headers)
    assert (again.json()["id"], again.json()["state"]) == (first.json()["id"], "cancelled")
    other = await grace.post(f"{PROJECTS}/{slug}/orders", {"quantity": 2}, headers=headers)
    assert other.status_code == 409
    assert (await ordered(grace, slug))["id"] != first.json()["id"]


async def test_what_cannot_be_bought_is_not_ordered(market: Market) -> None:
    ada, grace, slug, order = await bought(market)
    free = (await ada.create("Free"))["slug"]
    draft = (await ada.create("Draft", status="draft", price=PRICE))["slug"]
    archived = (await ada.create("Old", status="archived", price=PRICE))["slug"]
    expected = {
        free: (409, "nothing-to-pay"),
        draft: (404, "project-not-found"),
        archived: (409, "not-for-sale"),
        slug: (409, "already-bought"),
        "x.y": (404, "project-not-found"),
    }
    for each, problem in expected.items():
        assert kind_of(await grace.post(f"{PROJECTS}/{each}/orders", {})) == problem
    owned = (await grace.get("/api/v1/me/entitlements")).json()["items"][0]
    assert owned["id"] in (await grace.post(f"{PROJECTS}/{slug}/orders", {})).json()["detail"]
    assert kind_of(await ada.post(f"{PROJECTS}/{slug}/orders", {})) == (409, "own-project")
    assert (await market.nobody().post(f"{PROJECTS}/{slug}/orders", {})).status_code == 401
    assert order["state"] == "paid"


async def test_a_bad_order_is_refused(market: Market) -> None:
    _, grace, slug = await sold(market)
    for body in ({"quantity": 0}, {"quantity": 101}, {"quantity": "1"}, {"price": 1}, [], {"quantity": 2**70}):
        assert (await grace.post(f"{PROJECTS}/{slug}/orders", body)).status_code == 400


async def test_another_number_while_an_order_is_open_is_refused(market: Market) -> None:
    _, grace, slug = await sold(market)
    order = await ordered(grace, slug, quantity=3)
    assert order["amount_minor"] == 2_700
    refused = await grace.post(f"{PROJECTS}/{slug}/orders", {"quantity": 2})
    assert kind_of(refused) == (409, "order-open")
    assert order["id"] in refused.json()["detail"]


async def test_marking_twice_is_once_and_with_other_words_is_refused(market: Market) -> None:
    ada, _, _, order = await bought(market)
    again = await asyncio.gather(*(did(ada, order, "mark-paid", {"reference": "Transfer of Monday"}) for _ in range(3)))
    assert all(each == order for each in again)
    other = await ada.post(f"{ORDERS}/{order['id']}/mark-paid", {"reference": "Another"})
    assert kind_of(other) == (409, "order-not-possible")
    for bad in ("", "\0", "x" * 201, "two\nlines"):
        assert (await ada.post(f"{ORDERS}/{order['id']}/mark-paid", {"reference": bad})).status_code == 400
    assert (await ledger_check(market))["transactions"] == 1


async def test_part_of_the_money_goes_back_and_then_the_rest_with_everything_that_was_bought(market: Market) -> None:
    ada, grace, slug, order = await bought(market)
    (own,) = (await grace.get("/api/v1/me/entitlements")).json()["items"]
    key = (await grace.post(f"/api/v1/entitlements/{own['id']}/licence-key")).json()["key"]
    question = {"key": key, "project": slug}
    part = await did(ada, order, "refund", {"amount_minor": 300})
    assert (part["state"], part["refunded_minor"]) == ("paid", 300)
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 201
    too_much = await ada.post(f"{ORDERS}/{order['id']}/refund", {"amount_minor": 601})
    assert too_much.json()["errors"] == [{"pointer": "/amount_minor", "detail": "must be from 1 to 600"}]
    assert (await market.nobody().post("/api/v1/licences/verify", question)).json()["valid"]

    whole = await did(ada, order, "refund", {})
    assert (whole["state"], whole["refunded_minor"]) == ("refunded", 900)
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 402
    assert not (await market.nobody().post("/api/v1/licences/verify", question)).json()["valid"]
    assert (await grace.post(f"/api/v1/entitlements/{own['id']}/licence-key")).status_code == 404
    assert (await ada.post(f"{ORDERS}/{order['id']}/refund", {})).status_code == 409
    check = await ledger_check(market)
    assert check["balanced"]
    assert balances(check) == {"provider_clearing": 0, "seller_payable": -810, "platform_fee": 0, "refunds": 810}
    # It may be bought anew.
    assert (await ordered(grace, slug))["invoice_number"] == "INV-2026-000002"


async def test_a_refund_that_is_asked_for_twice_is_made_once(market: Market) -> None:
    ada, _, _, order = await bought(market)
    headers = {"idempotency-key": "once"}
    for _ in range(3):
        assert (await did(ada, order, "refund", {"amount_minor": 300}, headers=headers))["refunded_minor"] == 300
    other = await ada.post(f"{ORDERS}/{order['id']}/refund", {"amount_minor": 200}, headers=headers)
    assert other.status_code == 409
    await asyncio.gather(*(ada.post(f"{ORDERS}/{order['id']}/refund", {}) for _ in range(4)))
    check = await ledger_check(market)
    assert (check["balanced"], check["transactions"]) == (True, 3)


async def test_a_bad_refund_is_refused(market: Market) -> None:
    ada, _, _, order = await bought(market)
    for amount in (0, -1, 1.5, "5", 2**70):
        assert (await ada.post(f"{ORDERS}/{order['id']}/refund", {"amount_minor": amount})).status_code == 400


async def test_an_order_that_nobody_pays_expires_and_a_late_transfer_still_counts(
    market: Market, clock: ManualClock
) -> None:
    ada, grace, slug = await sold(market)
    order = await ordered(grace, slug)
    expire = next(job for job in market.module.plug.jobs if job.name == "let orders that nobody paid expire").work
    await expire()
    assert (await grace.get(f"{ORDERS}/{order['id']}")).json()["state"] == "pending"
    clock.advance(168 * 3600)
    await expire()
    assert (await grace.get(f"{ORDERS}/{order['id']}")).json()["state"] == "expired"
    assert (await grace.post(f"{ORDERS}/{order['id']}/cancel")).status_code == 409
    newer = await ordered(grace, slug)
    assert newer["id"] != order["id"]
    assert (await did(ada, order, "mark-paid", {"reference": "late"}))["state"] == "paid"
    assert kind_of(await grace.post(f"{PROJECTS}/{slug}/orders", {})) == (409, "already-bought")


async def test_people_are_told_of_payments_and_refunds_once(market: Market) -> None:
    ada, grace, _, order = await bought(market)
    await did(ada, order, "mark-paid", {"reference": "Transfer of Monday"})
    told = [(notice.kind.value, notice.recipient_ids, notice.key) for notice in await notices(market)]
    assert told == [
        ("order.paid", (grace.id,), f"{order['id']}:paid"),
        ("order.paid", (ada.id,), f"{order['id']}:paid"),
    ]
    await did(ada, order, "refund", {"amount_minor": 300})
    await did(ada, order, "refund", {})
    told = [(notice.kind.value, notice.recipient_ids, notice.key) for notice in await notices(market)]
    assert told == [
        ("order.refunded", (grace.id,), f"{order['id']}:refunded:300"),
        ("order.refunded", (grace.id,), f"{order['id']}:refunded:900"),
    ]


async def test_who_marked_an_order_as_paid_and_who_gave_money_back_is_in_the_audit_trail(market: Market) -> None:
    ada, _, _, order = await bought(market)
    await did(market.administrator(), order, "refund", {"amount_minor": 5})
    lines = [(line.kind, line.subject_id) for line in market.identity.audit]
    assert lines == [("order.marked_paid", order["id"]), ("order.refunded", order["id"])]
    assert market.identity.audit[0].actor_id == ada.id


async def test_orders_sales_and_entitlements_come_in_pages_and_to_nobody_else(
    market: Market, clock: ManualClock
) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    ids: list[str] = []
    for number in range(5):
        slug = (await ada.create(f"Engine {number}", price=PRICE))["slug"]
        clock.advance(1)
        order = await ordered(grace, slug)
        await did(ada, order, "mark-paid", {"reference": "x"})
        ids.insert(0, order["id"])
    for who, path, name in (
        (grace, "/api/v1/me/orders", "id"),
        (ada, "/api/v1/me/sales", "id"),
        (grace, "/api/v1/me/entitlements", "order_id"),
    ):
        first = (await who.get(path, limit=3)).json()
        rest = (await who.get(path, limit=3, cursor=first["next_cursor"])).json()
        assert [item[name] for item in [*first["items"], *rest["items"]]] == ids
        assert rest["next_cursor"] is None
        assert (await market.member("Charles").get(path)).json()["items"] == []
        assert (await market.nobody().get(path)).status_code == 401


async def test_a_project_that_was_bought_stays_for_those_who_bought_it(market: Market) -> None:
    ada, grace, slug, order = await bought(market)
    assert kind_of(await ada.delete(f"{PROJECTS}/{slug}")) == (409, "project-sold")
    await ada.patch(f"{PROJECTS}/{slug}", {"status": "archived"})
    assert (await grace.post(f"{PROJECTS}/{slug}/downloads")).status_code == 201
    await did(ada, order, "refund", {})
    assert (await ada.delete(f"{PROJECTS}/{slug}")).status_code == 204
    assert (await grace.get("/api/v1/me/orders")).json()["items"][0]["project"]["title"] == "Engine"
    assert (await ledger_check(market))["balanced"]


async def test_a_licence_key_is_shown_once_and_a_new_one_takes_its_place(market: Market) -> None:
    _, grace, slug, _ = await bought(market)
    (own,) = (await grace.get("/api/v1/me/entitlements")).json()["items"]
    path = f"/api/v1/entitlements/{own['id']}/licence-key"
    first, second = [(await grace.post(path)).json() for _ in range(2)]
    assert first["key"] != second["key"]
    (own,) = (await grace.get("/api/v1/me/entitlements")).json()["items"]
    assert own["licence_key"] == {"last4": second["key"][-4:], "issued_at": second["issued_at"]}
    nobody = market.nobody()

    async def verified(key: str, project: str = slug) -> Json:
        answer = await nobody.post("/api/v1/licences/verify", {"key": key, "project": project})
        assert answer.status_code == 200
        return answer.json()

    good = {"valid": True, "project": slug, "quantity": 1, "activated_at": "2026-01-05T09:00:00Z"}
    bad = {"valid": False, "project": None, "quantity": None, "activated_at": None}
    assert await verified(second["key"].lower().replace("-", " ")) == good
    other = (await market.member("Charles").create("Other"))["slug"]
    for key, project in (
        (first["key"], slug),
        (second["key"], other),
        (second["key"], "x.y"),
        (second["key"], "?"),
        ("", slug),
        ("x" * 100_000, slug),
    ):
        assert await verified(key, project) == bad
    assert (await market.member("Charles").post(path)).status_code == 404
    async with market.parts.database.read() as connection:
        kept = str((await connection.execute(text("select * from entitlements"))).all())
    assert second["key"] not in kept
    assert second["key"].replace("-", "")[3:] not in kept


async def test_asking_about_keys_is_braked_for_each_network(market: Market) -> None:
    question = {"key": "x", "project": "x.y"}
    answers = [await market.nobody().post("/api/v1/licences/verify", question) for _ in range(61)]
    assert [answer.status_code for answer in answers] == [200] * 60 + [429]


async def test_nobody_changes_what_is_in_the_ledger_and_a_change_from_outside_is_found(market: Market) -> None:
    *_, order = await bought(market)
    for change in ("update ledger_entries set amount_minor = 0", "delete from ledger_transactions"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with market.parts.database.begin() as connection:
                await connection.execute(text(change))
    async with market.parts.database.begin() as connection:
        await connection.execute(text("update orders set heard_back_minor = 1"))
        await connection.execute(
            text(
                "insert into ledger_entries (transaction_id, line, account, amount_minor) "
                "select id, 9, 'platform_fee', 5 from ledger_transactions"
            )
        )
    check = await ledger_check(market)
    assert not check["balanced"]
    assert [finding["subject"] for finding in check["findings"]] == [f"{order['id']}:paid", order["id"]]
    assert (await market.member("Eve").get("/api/v1/marketplace/ledger/check")).status_code == 403


async def test_a_project_that_delivers_nothing_is_not_ordered_and_its_owner_is_told(market: Market) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    made = await ada.create("Engine", repository_url=None)
    assert made["notices"] == []
    path = f"{PROJECTS}/{made['slug']}"
    (told,) = (await ada.patch(path, {"price": PRICE})).json()["notices"]
    assert told.startswith("Nobody can order this project yet")
    assert (await ada.patch(path, {"summary": "Weaves."})).json()["notices"] == []
    refused = await grace.post(f"{path}/orders", {})
    assert kind_of(refused) == (409, "nothing-to-deliver")
    assert "release with a file" in refused.json()["action"]

    assert (await ada.post(f"{path}/releases", {"version": "1.0.0"})).status_code == 201
    assert kind_of(await grace.post(f"{path}/orders", {})) == (409, "nothing-to-deliver")
    sent = await ada.call("PUT", f"{path}/releases/1.0.0/files/engine.zip", content=b"PK")
    assert sent.status_code == 201, sent.text
    order = await ordered(grace, made["slug"])
    assert (await ada.patch(path, {"price": PRICE})).json()["notices"] == []

    # Who has an open order gets it again, and a key that was made is something to deliver.
    await ada.patch(f"{path}/releases/1.0.0", {"yanked": True})
    assert (await ordered(grace, made["slug"]))["id"] == order["id"]
    await did(ada, order, "mark-paid", {"reference": "Transfer"})
    emmy = market.member("Emmy")
    assert kind_of(await emmy.post(f"{path}/orders", {})) == (409, "nothing-to-deliver")
    (own,) = (await grace.get("/api/v1/me/entitlements")).json()["items"]
    assert (await grace.post(f"/api/v1/entitlements/{own['id']}/licence-key")).status_code in {200, 201}
    assert (await emmy.post(f"{path}/orders", {})).status_code == 201


async def test_a_new_paid_project_without_anything_to_deliver_says_so_at_once(market: Market) -> None:
    ada = market.member("Ada")
    assert len((await ada.create("Engine", price=PRICE, repository_url=None))["notices"]) == 1
    assert (await ada.create("Loom", price=PRICE))["notices"] == []
