"""
What can go wrong with notices.

    NotFound    NoticeNotFound · WebhookNotFound · DeliveryNotFound
    Conflict    TooManyWebhooks · WebhookSwitchedOff
    Busy        TooManyNoticeStreams · WebhooksTooFast
    Invalid     NoticesRefused · UnsubscribeLinkBroken
"""

from opencode.kernel.errors import Busy, Conflict, FieldProblem, Invalid, NotFound


class NoticeNotFound(NotFound):
    """No such notice in one's inbox; somebody else's reads the same."""

    title = "The notice was not found"

    def __init__(self, notice_id: str) -> None:
        super().__init__(
            f"There is no notice {notice_id[:100]!r} in your inbox.", action="Get the inbox again; it may be deleted."
        )


class TooManyNoticeStreams(Busy):
    """This person follows their inbox too many times at once."""

    title = "Too many open streams"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"Your inbox is followed {most} times already.",
            action="Close other pages, then try again.",
            retry_after_s=5,
        )


class NoticesRefused(Invalid):
    """Fields of a request about notices break a rule; `errors` names all of them."""

    title = "Fields are not valid"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        listed = ", ".join(problem.pointer.lstrip("/") for problem in problems)
        super().__init__(
            f"There are problems with: {listed}.", action="Correct the fields named in errors.", problems=problems
        )


class UnsubscribeLinkBroken(Invalid):
    """The link of a mail is not whole, or was not made by this server."""

    title = "The link is broken"

    def __init__(self) -> None:
        super().__init__(
            "This link to end mails is not whole, or not of this server.",
            action="Copy the whole link, or sign in and choose in your preferences.",
        )


class WebhookNotFound(NotFound):
    """No such webhook of one's own; somebody else's reads the same."""

    title = "The webhook was not found"

    def __init__(self, webhook_id: str) -> None:
        super().__init__(f"You have no webhook {webhook_id[:100]!r}.", action="List your webhooks for their ids.")


class DeliveryNotFound(NotFound):
    """No such delivery of this webhook, or not any more: the history is bounded."""

    title = "The delivery was not found"

    def __init__(self, delivery_id: str) -> None:
        super().__init__(
            f"This webhook has no delivery {delivery_id[:100]!r}.", action="List its deliveries; old ones are deleted."
        )


class TooManyWebhooks(Conflict):
    """One person has as many webhooks as the server allows."""

    title = "Too many webhooks"

    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} webhooks, which is the most.", action="Delete one that you do not need.")


class WebhookSwitchedOff(Conflict):
    """The webhook is switched off, so nothing is sent to it."""

    title = "The webhook is switched off"

    def __init__(self, webhook_id: str) -> None:
        super().__init__(
            f"The webhook {webhook_id} is switched off.", action="Switch it on with PATCH {active: true}, then replay."
        )


class WebhooksTooFast(Busy):
    """This person made, tested or replayed too much within this minute."""

    title = "Too many calls"

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            "You make, test and replay webhooks too fast.", action=f"Wait {wait_s} s.", retry_after_s=wait_s
        )
