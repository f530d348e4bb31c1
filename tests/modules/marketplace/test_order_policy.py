"""Who × action × state of an order: the whole table, said once more in the plainest form, each cell tried over HTTP."""

import httpx
import pytest

from opencode.modules.marketplace.domain.orders import OrderState
from opencode.modules.marketplace.policy import ALLOWED_WITH_ORDERS, OrderAction, Side
from tests.modules.marketplace.conftest import Json, Market, Person
from tests.modules.marketplace.test_orders import ORDERS, PRICE, did, ordered

PEOPLE = ("buyer", "seller", "administrator", "another", "narrowed", "guest", "nobody")

# Read as: of an order that is pending, paid, refunded, cancelled, expired. 404 hides that it exists.
_EVERYBODYS = {
    "another": (404, 404, 404, 404, 404),
    "guest": (403, 403, 403, 403, 403),
    "nobody": (401, 401, 401, 401, 401),
}
EXPECTED: dict[OrderAction, dict[str, tuple[int, int, int, int, int]]] = {
    OrderAction.SEE: {
        "buyer": (200, 200, 200, 200, 200),
        "seller": (200, 200, 200, 200, 200),
        "administrator": (200, 200, 200, 200, 200),
        "narrowed": (200, 200, 200, 200, 200),
        **_EVERYBODYS,
    },
    OrderAction.SEE_LEDGER: {
        "buyer": (403, 403, 403, 403, 403),
        "seller": (200, 200, 200, 200, 200),
        "administrator": (200, 200, 200, 200, 200),
        "narrowed": (200, 200, 200, 200, 200),
        **_EVERYBODYS,
    },
    OrderAction.MARK_PAID: {
        "buyer": (403, 403, 403, 403, 403),
        "seller": (200, 200, 409, 409, 200),
        "administrator": (200, 200, 409, 409, 200),
        "narrowed": (403, 403, 403, 403, 403),
        **_EVERYBODYS,
    },
    OrderAction.CANCEL: {
        "buyer": (200, 409, 409, 200, 409),
        "seller": (200, 409, 409, 200, 409),
        "administrator": (200, 409, 409, 200, 409),
        "narrowed": (403, 403, 403, 403, 403),
        **_EVERYBODYS,
    },
    OrderAction.REFUND: {
        "buyer": (403, 403, 403, 403, 403),
        "seller": (409, 200, 409, 409, 409),
        "administrator": (409, 200, 409, 409, 409),
        "narrowed": (403, 403, 403, 403, 403),
        **_EVERYBODYS,
    },
}


async def tried(action: OrderAction, person: Person, order: Json) -> httpx.Response:
    path = f"{ORDERS}/{order['id']}"
    match action:
        case OrderAction.SEE:
            return await person.get(path)
        case OrderAction.SEE_LEDGER:
            return await person.get(f"{path}/ledger")
        case OrderAction.MARK_PAID:
            return await person.post(f"{path}/mark-paid", {"reference": "x"})
        case OrderAction.CANCEL:
            return await person.post(f"{path}/cancel")
        case OrderAction.REFUND:
            return await person.post(f"{path}/refund", {})


async def order_in(state: OrderState, market: Market, seller: Person, buyer: Person) -> Json:
    slug = (await seller.create("Engine", price=PRICE))["slug"]
    order = await ordered(buyer, slug)
    if state in {OrderState.PAID, OrderState.REFUNDED}:
        await did(seller, order, "mark-paid", {"reference": "x"})
    if state is OrderState.REFUNDED:
        await did(seller, order, "refund", {})
    if state is OrderState.CANCELLED:
        await did(buyer, order, "cancel")
    if state is OrderState.EXPIRED:
        market.clock.advance(168 * 3600)
        await next(job for job in market.module.plug.jobs if job.name == "let orders that nobody paid expire").work()
    return order


@pytest.fixture
def database_kind() -> str:
    """The table is the same on every database."""
    return "sqlite"


@pytest.mark.parametrize("action", OrderAction)
async def test_everybody_may_do_with_an_order_exactly_what_the_table_says(market: Market, action: OrderAction) -> None:
    seller, buyer = market.member("Ada"), market.member("Grace")
    assert seller.token
    reading = market.identity.narrowed(seller.token, frozenset())
    people = {
        "buyer": buyer,
        "seller": seller,
        "administrator": market.administrator(),
        "another": market.member("Charles"),
        # The seller by a token that changes nothing.
        "narrowed": market.guest(reading),
        "nobody": market.nobody(),
    }
    for state, (who, expected) in ((state, row) for state in OrderState for row in EXPECTED[action].items()):
        order = await order_in(state, market, seller, buyer)
        if who == "guest":
            credential = await market.identity.admit_guest("par_x", name="G", audience="int_x", lifetime_s=60)
            people["guest"] = market.guest(credential.token)
        answer = await tried(action, people[who], order)
        assert answer.status_code == expected[list(OrderState).index(state)], (who, state, answer.text)


def test_the_table_tells_of_everybody_and_every_action_with_orders() -> None:
    assert set(EXPECTED) == set(OrderAction) == set(ALLOWED_WITH_ORDERS)
    assert all(set(row) == set(PEOPLE) for row in EXPECTED.values())
    for row in ALLOWED_WITH_ORDERS.values():
        assert set(row) <= set(Side)
