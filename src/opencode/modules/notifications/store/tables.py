"""The tables. Ids of accounts are another module's: kept, never referenced by a foreign key."""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from opencode.contracts.notifications import NoticeKind
from opencode.infra.db import UtcDateTime, Word, metadata
from opencode.kernel.addresses import LONGEST_URL
from opencode.modules.notifications.domain.mails import MailState
from opencode.modules.notifications.domain.notices import MAX_KEY, MAX_PATH, MAX_TITLE, NoticeState
from opencode.modules.notifications.domain.preferences import MailWhen
from opencode.modules.notifications.domain.webhooks import MAX_DESCRIPTION, DeliveryState

_ID = String(40)

inboxes = Table(
    "inboxes",
    metadata,
    Column("user_id", _ID, primary_key=True),
    # The number of the latest notice. Whoever holds this row's lock is the only one who gives this person anything.
    Column("last_seq", Integer, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("user_id", _ID, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", Word(NoticeKind), nullable=False),
    Column("key", String(MAX_KEY), nullable=False),
    Column("title", String(MAX_TITLE), nullable=False),
    Column("body", Text, nullable=False),
    Column("path", String(MAX_PATH), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("read_at", UtcDateTime, nullable=True),
    Column("state", Word(NoticeState), nullable=False),
    Column("mail_id", _ID, nullable=True),
    UniqueConstraint("user_id", "key"),
    UniqueConstraint("user_id", "seq"),
    # The unread ones of a person are counted with every page that they open.
    Index(None, "user_id", "state", "read_at"),
    Index(None, "made_at"),
    Index(None, "mail_id"),
)

preferences = Table(
    "notice_preferences",
    metadata,
    Column("user_id", _ID, nullable=False),
    Column("kind", Word(NoticeKind), nullable=False),
    Column("inbox", Boolean, nullable=False),
    Column("mail", Word(MailWhen), nullable=False),
    PrimaryKeyConstraint("user_id", "kind"),
)

mails = Table(
    "notice_mails",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("user_id", _ID, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("digest_at", UtcDateTime, nullable=True),
    Column("due_at", UtcDateTime, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("state", Word(MailState), nullable=False),
    Column("last_error", String(500), nullable=False),
    # `due_at` is null once a mail is settled: looking for what is due touches only what is left to do.
    Index(None, "due_at"),
    Index(None, "digest_at", "user_id"),
    Index(None, "made_at"),
)

webhooks = Table(
    "notice_webhooks",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("owner_id", _ID, nullable=False),
    Column("url", String(LONGEST_URL), nullable=False),
    Column("description", String(MAX_DESCRIPTION), nullable=False),
    Column("salt", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("previous_salt", String(64), nullable=True),
    Column("previous_until", UtcDateTime, nullable=True),
    Column("switched_off_at", UtcDateTime, nullable=True),
    Index(None, "owner_id", "created_at", "id"),
)

webhook_kinds = Table(
    "notice_webhook_kinds",
    metadata,
    Column("webhook_id", _ID, nullable=False),
    Column("kind", Word(NoticeKind), nullable=False),
    PrimaryKeyConstraint("webhook_id", "kind"),
)

deliveries = Table(
    "notice_deliveries",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("webhook_id", _ID, nullable=False),
    Column("event_id", _ID, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("payload", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=True),
    Column("state", Word(DeliveryState), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("status", Integer, nullable=True),
    Column("excerpt", Text, nullable=False),
    Column("error", String(500), nullable=False),
    Column("duration_ms", Integer, nullable=True),
    Column("tried_at", UtcDateTime, nullable=True),
    # `due_at` is null once a message is settled: looking for what is due touches only what is left to do.
    Index(None, "due_at"),
    Index(None, "webhook_id", "due_at"),
    Index(None, "webhook_id", "created_at", "id"),
    Index(None, "created_at"),
)
