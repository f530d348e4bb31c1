"""Notices: what somebody is told once, however often it is said."""

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opencode.contracts.notifications import MAX_RECIPIENTS, NoticeGiven, NoticeKind
from opencode.kernel.ids import MailId, NoticeId, UserId, is_id

MAX_KEY = 200
MAX_TITLE = 200
MAX_BODY = 2_000
MAX_PATH = 1_000

_LAYOUT = frozenset("\n\t")
# Text of strangers stands in it: neither control characters nor what turns the writing direction (Unicode Annex 9).
_UNSEEN = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class NoticeState(StrEnum):
    """Where a notice is."""

    KEPT = "kept"
    """In the inbox."""
    ASIDE = "aside"
    """Not in the inbox, as the person chose; it may go out by mail and webhook."""
    DELETED = "deleted"
    """Thrown away. The row stays for a while without its words, so that an event that comes late tells nothing anew."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a notice says, fit to be kept and shown."""

    kind: NoticeKind
    key: str
    title: str
    body: str
    path: str
    at: datetime

    @classmethod
    def of(cls, event: NoticeGiven) -> "Said":
        """What is too long is cut: refusing it would only lose the notice, since nobody waits for an answer."""
        title = " ".join(_visible(event.title).split())
        body = _visible(event.body, layout=True).strip()
        return cls(
            event.kind, key_of(event.key), _cut(title, MAX_TITLE), _cut(body, MAX_BODY), path_of(event.path), event.at
        )


@dataclass(frozen=True, slots=True)
class Notice:
    """
    What one person is told.

    Attributes:
        seq: counts this person's notices from 1, without gaps; the order of the inbox, and of its event stream.
        read_at: None while it is unread.
        mail_id: the mail that tells it, if any.
    """

    id: NoticeId
    user_id: UserId
    seq: int
    kind: NoticeKind
    title: str
    body: str
    path: str
    at: datetime
    read_at: datetime | None
    state: NoticeState
    mail_id: MailId | None = None


def recipients_of(event: NoticeGiven) -> frozenset[UserId]:
    """Who is to be told: each once, and nobody that cannot have an account."""
    return frozenset(user_id for user_id in event.recipient_ids[:MAX_RECIPIENTS] if is_id(user_id, "usr"))


def key_of(key: str) -> str:
    """The key as it is kept: itself, or its hash where it is too long or holds what no database takes."""
    if len(key) <= MAX_KEY and key.isprintable():
        return key
    return "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def path_of(path: str) -> str:
    """
    The path, if it leads somewhere inside this server, else the start page: `//host` and `/\\host` are other servers to
    a browser (WHATWG URL, section 4.4).
    """
    leads_inside = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable() and " " not in path
    return path if leads_inside and len(path) <= MAX_PATH else "/"


def _visible(text: str, *, layout: bool = False) -> str:
    """Without what nobody sees; tabs and line ends stay, or become spaces."""
    if layout:
        text = text.replace("\r\n", "\n")
    return "".join(
        character if (layout and character in _LAYOUT) or not _hides(character) else " " for character in text
    )


def _hides(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN or character in _TURNING


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
