"""
What can go wrong with buying and selling.

    NotFound         OrderNotFound · EntitlementNotFound · ProviderNotSetUp
    Forbidden        NotYourOrder
    PaymentRequired  ProjectNotBought
    Conflict         OwnProject · NothingToPay · NothingToDeliver · NotForSale · AlreadyBought · OrderOpen
                     OrderNotPossible · PaymentComesByItself · PaymentUnderWay · RefundUnderWay · PaymentsRefused
                     ProjectSold
    Invalid          OrderRefused · WebhookRefused
    Busy             LicencesTooFast
    Unavailable      PaymentsUnavailable
"""

from opencode.kernel.errors import (
    Busy,
    Conflict,
    FieldProblem,
    Forbidden,
    Invalid,
    NotFound,
    PaymentRequired,
    Unavailable,
)


class OrderNotFound(NotFound):
    """No such order, or one between other people: both read the same."""

    title = "The order was not found"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"There is no order {order_id[:100]!r} that you may see.",
            action="Yours are on the page Orders, and in GET /api/v1/me/orders.",
        )


class EntitlementNotFound(NotFound):
    """No such entitlement, or one of somebody else: both read the same."""

    title = "The entitlement was not found"

    def __init__(self, entitlement_id: str) -> None:
        super().__init__(
            f"You have no entitlement {entitlement_id[:100]!r}.",
            action="Yours are on the page Licences, and in GET /api/v1/me/entitlements.",
        )


class ProviderNotSetUp(NotFound):
    """Something came from a payment provider that this server does not use."""

    title = "The payment provider is not set up"

    def __init__(self, name: str) -> None:
        super().__init__(f"This server takes no payments through {name}.", action="The operator sets it up.")


class ProjectNotBought(PaymentRequired):
    """The project costs something, and the caller has not bought it."""

    title = "This project has to be bought"

    def __init__(self, slug: str, amount_minor: int, currency: str | None) -> None:
        super().__init__(
            f"The project {slug} costs {amount_minor} minor units of {currency}.",
            action=f"Buy it with POST /api/v1/projects/{slug}/orders, then try again.",
        )


class NotYourOrder(Forbidden):
    """The other side of the order, or an administrator, does this."""

    title = "Not for you to do"

    def __init__(self, order_id: str, doing: str) -> None:
        super().__init__(f"You may not {doing} {order_id}.", action="Ask its seller, or an administrator.")


class OwnProject(Conflict):
    """Nobody buys what is theirs."""

    title = "The project is yours"

    def __init__(self, slug: str) -> None:
        super().__init__(f"The project {slug} is yours.", action="There is nothing to buy: download it.")


class NothingToPay(Conflict):
    """The project is free."""

    title = "The project is free"

    def __init__(self, slug: str) -> None:
        super().__init__(f"The project {slug} is free.", action="There is nothing to buy: download it.")


class NothingToDeliver(Conflict):
    """Whoever paid for the project would get nothing: it has no file, no repository and no licence keys."""

    title = "There is nothing to deliver"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"The project {slug} has a price, but nothing that a buyer would get.",
            action="Ask its owner to add a release with a file, or the address of a repository; then order it.",
        )


class NotForSale(Conflict):
    """Only what is published is sold."""

    title = "The project is not for sale"

    def __init__(self, slug: str) -> None:
        super().__init__(f"The project {slug} is not in the catalogue.", action="Ask its owner to publish it.")


class AlreadyBought(Conflict):
    """The caller has this project."""

    title = "You have it already"

    def __init__(self, slug: str, entitlement_id: str) -> None:
        super().__init__(
            f"You have {slug} already: the entitlement {entitlement_id}.",
            action="Download it; what you have is on the page Licences, and in GET /api/v1/me/entitlements.",
        )


class OrderOpen(Conflict):
    """The caller has ordered this project already, in another number, and has not paid yet."""

    title = "An order is open"

    def __init__(self, order_id: str, quantity: int) -> None:
        super().__init__(
            f"Your order {order_id} of {quantity} is not paid yet.", action="Pay it, or cancel it and order anew."
        )


class OrderNotPossible(Conflict):
    """The order is in a state that does not allow this."""

    title = "Not possible with this order"

    def __init__(self, order_id: str, state: str, doing: str) -> None:
        super().__init__(
            f"The order {order_id} is {state}: nobody can {doing} it.", action="Look at its state, then decide anew."
        )


class PaymentComesByItself(Conflict):
    """Only orders of the manual provider are marked as paid by people."""

    title = "The payment provider tells of payments"

    def __init__(self, order_id: str, provider: str) -> None:
        super().__init__(
            f"The order {order_id} is paid through {provider}, which tells when it is.",
            action="Wait for it, or cancel the order.",
        )


class PaymentUnderWay(Conflict):
    """The order is being paid in this moment, or its checkout has ended by itself."""

    title = "A payment is under way"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"The checkout of {order_id} is not open any more: it is being paid, or has ended.",
            action="Look at the order again in a minute.",
        )


class RefundUnderWay(Conflict):
    """Another refund of the order is not finished."""

    title = "A refund is under way"

    def __init__(self, order_id: str, amount_minor: int) -> None:
        super().__init__(
            f"A refund of {amount_minor} minor units of {order_id} is not finished.",
            action="Ask for the same amount again to finish it, then for more.",
        )


class PaymentsRefused(Conflict):
    """The payment provider does not take this payment, or does not give it back."""

    title = "The payment provider refused"


class ProjectSold(Conflict):
    """People have bought the project, or are about to: it stays for them."""

    title = "The project was sold"

    def __init__(self, slug: str) -> None:
        super().__init__(f"The project {slug} was bought by people.", action="Archive it: nobody else buys it then.")


class OrderRefused(Invalid):
    """Fields of a request about an order break a rule; `errors` names all of them."""

    title = "Fields are not valid"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        listed = ", ".join(problem.pointer.lstrip("/") for problem in problems)
        super().__init__(
            f"There are problems with: {listed}.", action="Correct the fields named in errors.", problems=problems
        )


class WebhookRefused(Invalid):
    """A call to a webhook is not from the payment provider, too old, or not understood."""

    title = "The webhook call is refused"

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}.", action="Check the signing secret, the clock, and the version of the events.")


class LicencesTooFast(Busy):
    """One address asks about licence keys too fast."""

    title = "Too many questions"

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            "You ask about licence keys too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s
        )


class PaymentsUnavailable(Unavailable):
    """The payment provider cannot be reached, does not answer in time, or answers nonsense."""

    title = "The payment provider does not answer"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The payment provider did not do it: {why}.",
            action="Try again in a moment; nothing is paid or given back twice.",
            retry_after_s=5,
        )
