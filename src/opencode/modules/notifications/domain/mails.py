"""Mails: when they leave, when they are tried again, and what is in them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from html import escape
from itertools import groupby

from opencode.contracts.notifications import NoticeKind
from opencode.kernel import backoff
from opencode.kernel.ids import MailId, UserId
from opencode.modules.notifications.domain.notices import Notice

GIVE_UP_AFTER = timedelta(days=2)
FIRST_DELAY_S = 60.0
LONGEST_DELAY_S = 4 * 3600.0

MOST_IN_A_DIGEST = 100

# RFC 5321, section 4.1.2, without quoted names and address literals: people have neither, and both can hide a second
# recipient. Beyond ASCII it is RFC 6531.
_LOCAL_PART = re.compile(r"[^\x00-\x20\x7f\"(),:;<>@\[\\\].\s]+(?:\.[^\x00-\x20\x7f\"(),:;<>@\[\\\].\s]+)*")
_DOMAIN = re.compile(r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}))*")

_TITLES: dict[NoticeKind, str] = {
    NoticeKind.PROJECT_PUBLISHED: "New projects",
    NoticeKind.PROJECT_RELEASED: "New releases",
    NoticeKind.SEARCH_MATCHED: "Found for you",
    NoticeKind.PERSON_FOLLOWED: "New followers",
    NoticeKind.REVIEW_WRITTEN: "Reviews",
    NoticeKind.REVIEW_REPLIED: "Replies",
    NoticeKind.ORDER_PAID: "Orders",
    NoticeKind.ORDER_REFUNDED: "Refunds",
    NoticeKind.ORDER_DISPUTED: "Disputes",
    NoticeKind.REPORT_FILED: "Reports",
    NoticeKind.MODERATION_DECIDED: "Decisions of moderators",
    NoticeKind.WEBHOOK_DISABLED: "Webhooks",
}
"""Over the notices of each kind."""


class MailState(StrEnum):
    """What became of a mail."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    """The mail server said that it will never take it."""
    GIVEN_UP = "given_up"
    """It could not be handed over for two days."""
    DROPPED = "dropped"
    """There was nothing to send any more, or nowhere to send it."""


@dataclass(frozen=True, slots=True)
class Mail:
    """
    A mail that is to be sent.

    Attributes:
        digest_at: when a daily one leaves; None for one that leaves at once.
        due_at: when it is next tried; None once it is settled.
        attempts: those that failed.
    """

    id: MailId
    user_id: UserId
    made_at: datetime
    digest_at: datetime | None
    due_at: datetime | None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of a mail, in both forms."""

    subject: str
    text: str
    html: str


def next_digest(now: datetime, hour: int) -> datetime:
    """When the daily mail of what happens now leaves."""
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def retry_at(mail: Mail, now: datetime, chance: float) -> datetime | None:
    """When to try a mail again that has just failed once more; None gives it up. Args: chance: from 0 to 1."""
    delay = backoff.delay_s(mail.attempts + 1, chance, first_s=FIRST_DELAY_S, longest_s=LONGEST_DELAY_S)
    due_at = now + timedelta(seconds=delay)
    return due_at if due_at <= (mail.digest_at or mail.made_at) + GIVE_UP_AFTER else None


def mailable(address: str) -> str | None:
    """
    An address as a mail server takes it, its domain in ASCII (RFC 5890); None for what is none. What people typed is
    looked at closely: it goes into a command of SMTP.
    """
    local, _, domain = address.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    good = _LOCAL_PART.fullmatch(local) and len(local) <= 64 and _DOMAIN.fullmatch(ascii_domain)
    return f"{local}@{ascii_domain}" if good and local.isprintable() else None


def letter_of(notices: Sequence[Notice], *, is_digest: bool, home: str, leave: str) -> Letter:
    """
    Write down what these notices say.

    Args:
        notices: at least one, in order.
        home: where this server is, without a slash at the end.
        leave: the address at which one gets no more of these mails.
    """
    if not is_digest:
        first = notices[0]
        return Letter(first.title, _text([first], home, leave), _html([(None, [first])], home, leave))
    by_kind = sorted(notices[:MOST_IN_A_DIGEST], key=lambda notice: (list(NoticeKind).index(notice.kind), notice.seq))
    groups = [(kind, list(members)) for kind, members in groupby(by_kind, key=lambda notice: notice.kind)]
    count = "One notice" if len(notices) == 1 else f"{len(notices)} notices"
    parts = [f"{_TITLES[kind]}\n\n{_lines(members, home)}" for kind, members in groups]
    more = len(notices) - len(by_kind)
    if more:
        parts.append(f"And {more} more: {home}/inbox")
    text = "\n\n".join(parts) + _farewell(leave)
    return Letter(f"{count} of the day", text, _html([(_TITLES[kind], each) for kind, each in groups], home, leave))


def _text(notices: Sequence[Notice], home: str, leave: str) -> str:
    return _lines(notices, home) + _farewell(leave)


def _lines(notices: Sequence[Notice], home: str) -> str:
    return "\n\n".join("\n".join(filter(None, (each.title, each.body, home + each.path))) for each in notices)


def _farewell(leave: str) -> str:
    return f"\n\n-- \nNo more of these mails: {leave}\n"


def _html(groups: Sequence[tuple[str | None, Sequence[Notice]]], home: str, leave: str) -> str:
    parts = ['<!doctype html><html><head><meta charset="utf-8"></head><body>']
    for title, members in groups:
        if title:
            parts.append(f"<h2>{escape(title)}</h2>")
        for each in members:
            parts.append(f'<p><a href="{escape(home + each.path)}">{escape(each.title)}</a></p>')
            if each.body:
                parts.append(f"<p>{escape(each.body).replace(chr(10), '<br>')}</p>")
    parts.append(f'<hr><p><a href="{escape(leave)}">No more of these mails</a></p></body></html>')
    return "\n".join(parts)
