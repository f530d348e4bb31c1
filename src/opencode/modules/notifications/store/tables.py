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
from opencode.modules.notifications.domain.mails import MailState
from opencode.modules.notifications.domain.notices import MAX_KEY, MAX_PATH, MAX_TITLE, NoticeState
from opencode.modules.notifications.domain.preferences import MailWhen

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
