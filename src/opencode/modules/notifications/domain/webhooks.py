"""Webhooks: what is sent to an address of somebody's own, how it is signed, and when it is tried again."""

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from opencode.contracts.notifications import NoticeKind
from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import DeliveryId, UserId, WebhookId
from opencode.modules.notifications.domain.notices import Notice

TEST = "webhook.test"
"""The type of what is sent to try a webhook out."""

MAX_DESCRIPTION = 200
EXCERPT_BYTES = 1024
ROTATION = timedelta(hours=24)
"""For so long after a rotation, messages carry a signature of the secret before as well."""

RETRY_DELAYS_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
"""After each failed try; after the last one a message is given up. The schedule of the Standard Webhooks specification
as far as a day and some hours."""
_JITTER = 0.1

_SECRET_PREFIX = "whsec_"  # noqa: S105, what every secret begins with, by the Standard Webhooks specification
_LAYOUT = frozenset("\n\t")


class DeliveryState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """
    An address that is told what its owner is told.

    Attributes:
        salt: what its secret is derived with; another one after each rotation.
        previous_salt: the one before the latest rotation, good for signatures until `previous_until`.
        failures: calls that failed since the last that did not.
        switched_off_at: when the server switched it off; None when it did not, or its owner switched it on again.
    """

    id: WebhookId
    owner_id: UserId
    url: str
    kinds: tuple[NoticeKind, ...]
    description: str
    salt: str
    created_at: datetime
    active: bool = True
    failures: int = 0
    previous_salt: str | None = None
    previous_until: datetime | None = None
    switched_off_at: datetime | None = None

    def rotated(self, salt: str, now: datetime) -> "Webhook":
        return replace(self, salt=salt, previous_salt=self.salt, previous_until=now + ROTATION)

    def salts(self, now: datetime) -> list[str]:
        """Those that a message is signed with, the present one first."""
        if self.previous_salt is None or self.previous_until is None or now >= self.previous_until:
            return [self.salt]
        return [self.salt, self.previous_salt]

    def switched(self, *, active: bool) -> "Webhook":
        """As its owner wants it; switched on, it begins anew."""
        if active == self.active:
            return self
        return replace(self, active=active, failures=0, switched_off_at=None)


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    A message to a webhook, and what became of it.

    Attributes:
        event_id: names the message for the receiver: the same in each try and each replay.
        due_at: when it is next tried; None once it is settled.
        attempts: all calls so far.
        tries: calls since it was made or last replayed.
        status, excerpt, error, duration_ms, tried_at: of the latest call.
    """

    id: DeliveryId
    webhook_id: WebhookId
    event_id: str
    kind: str
    payload: str
    created_at: datetime
    due_at: datetime | None
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    tries: int = 0
    status: int | None = None
    excerpt: str = ""
    error: str = ""
    duration_ms: int | None = None
    tried_at: datetime | None = None

    def replayed(self, now: datetime) -> "Delivery":
        """To be sent again; one that waits anyway is only sent sooner."""
        return replace(self, state=DeliveryState.WAITING, due_at=now, tries=0)

    def retry_at(self, now: datetime, chance: float) -> datetime | None:
        """When to try again after one more failure; None gives it up. A test is not repeated."""
        if self.kind == TEST or self.tries >= len(RETRY_DELAYS_S):
            return None
        return now + timedelta(seconds=RETRY_DELAYS_S[self.tries] * (1 + _JITTER * chance))


class MessageData(msgspec.Struct, frozen=True, kw_only=True):
    """A notice, as a webhook gets it."""

    id: str
    kind: str
    title: str
    body: str
    path: str
    url: str
    at: datetime


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook gets: the envelope of the Standard Webhooks specification."""

    type: str
    timestamp: datetime
    data: MessageData


def message_of(notice: Notice, home: str) -> str:
    """The body, as JSON. Args: home: where this server is, without a slash at the end."""
    data = MessageData(
        id=notice.id,
        kind=notice.kind,
        title=notice.title,
        body=notice.body,
        path=notice.path,
        url=home + notice.path,
        at=notice.at,
    )
    return msgspec.json.encode(Message(type=notice.kind, timestamp=notice.at, data=data)).decode()


def trial_message(event_id: str, home: str, now: datetime) -> str:
    """What is sent to try a webhook out: like any other message, of a type of its own."""
    data = MessageData(id=event_id, kind=TEST, title="A test", body="It works.", path="/", url=f"{home}/", at=now)
    return msgspec.json.encode(Message(type=TEST, timestamp=now, data=data)).decode()


def shown_secret(key: bytes) -> str:
    """A secret as its owner gets it, and as the libraries of the Standard Webhooks specification take it."""
    return _SECRET_PREFIX + base64.b64encode(key).decode()


def signature_headers(keys: Sequence[bytes], event_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """What shows a receiver that a message is ours and new (Standard Webhooks, "Verifying signatures")."""
    seconds = int(now.timestamp())
    signed = f"{event_id}.{seconds}.".encode() + body
    macs = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{mac}" for mac in macs),
    }


def excerpt_of(raw: bytes) -> str:
    """What can be shown of the beginning of an answer."""
    text = raw[:EXCERPT_BYTES].decode("utf-8", "replace")
    return "".join(
        character if character in _LAYOUT or unicodedata.category(character)[0] != "C" else "�" for character in text
    )


def kinds_of(names: Sequence[str]) -> tuple[tuple[NoticeKind, ...], list[FieldProblem]]:
    """The kinds that a webhook is to be told of, each once, and what is wrong with their names."""
    known = ", ".join(NoticeKind)
    problems = [
        FieldProblem(f"/kinds/{index}", f"is not a kind of notice; there are {known}")
        for index, name in enumerate(names[: len(NoticeKind)])
        if name not in NoticeKind._value2member_map_
    ]
    if not 1 <= len(names) <= len(NoticeKind):
        problems.append(FieldProblem("/kinds", f"must name 1 to {len(NoticeKind)} kinds of notices"))
    return () if problems else tuple(dict.fromkeys(map(NoticeKind, names))), problems


def description_problem(text: str) -> str | None:
    if len(text) > MAX_DESCRIPTION or not text.isprintable():
        return f"must be one line of at most {MAX_DESCRIPTION} characters"
    return None
