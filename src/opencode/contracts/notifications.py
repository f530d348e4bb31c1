"""What modules say to `notifications`: that somebody is to be told something."""

from datetime import datetime
from enum import StrEnum

from opencode.contracts.events import Event
from opencode.kernel.ids import UserId

MAX_RECIPIENTS = 500
"""Of one event; whoever tells more people says several events with the same `key`."""


class NoticeKind(StrEnum):
    """What a notice is about. A person chooses for each kind whether it is only kept, or mailed too."""

    PROJECT_PUBLISHED = "project.published"
    """Somebody you follow has published a project."""
    PROJECT_RELEASED = "project.released"
    """A project that you follow has a new release."""
    SEARCH_MATCHED = "search.matched"
    """A new project fits a search that you follow."""
    PERSON_FOLLOWED = "person.followed"
    """Somebody follows you."""
    REVIEW_WRITTEN = "review.written"
    """Your project has a review."""
    REVIEW_REPLIED = "review.replied"
    """The owner has replied to your review."""
    ORDER_PAID = "order.paid"
    """What you have bought is yours, or what you sell is paid."""
    ORDER_REFUNDED = "order.refunded"
    """A payment was given back, or could not be."""
    ORDER_DISPUTED = "order.disputed"
    """A payment for your project is disputed, or it is decided who has the money."""
    REPORT_FILED = "report.filed"
    """Moderators only: something waits in the queue."""
    MODERATION_DECIDED = "moderation.decided"
    """Your project, your report or your appeal was decided."""
    WEBHOOK_DISABLED = "webhook.disabled"
    """Your webhook was switched off, because its receiver does not answer."""


class NoticeGiven(Event, frozen=True, kw_only=True, tag="notifications.notice_given.v1"):
    """
    These people are to be told. `key` names what happened, such as `prj_…:released:1.2.0`: a person gets one notice
    for a key, however often the event travels. `path` leads there inside this server and begins with `/`.
    """

    kind: NoticeKind
    key: str
    recipient_ids: tuple[UserId, ...]
    title: str
    body: str = ""
    path: str
    at: datetime
