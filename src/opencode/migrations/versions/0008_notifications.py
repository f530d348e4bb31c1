"""Notifications: inboxes and the notices in them, what people chose, mails."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.String(40)
MOMENT = sa.BigInteger()


def upgrade() -> None:
    _inboxes()
    _preferences()
    _mails()


def _inboxes() -> None:
    op.create_table(
        "inboxes",
        sa.Column("user_id", ID, primary_key=True),
        sa.Column("last_seq", sa.Integer(), nullable=False),
    )
    op.create_table(
        "notices",
        sa.Column("id", ID, primary_key=True),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("path", sa.String(1000), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("read_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("mail_id", ID, nullable=True),
        sa.UniqueConstraint("user_id", "key", name="uq_notices_user_id_key"),
        sa.UniqueConstraint("user_id", "seq", name="uq_notices_user_id_seq"),
    )
    op.create_index("ix_notices_user_id_state_read_at", "notices", ["user_id", "state", "read_at"])
    op.create_index("ix_notices_made_at", "notices", ["made_at"])
    op.create_index("ix_notices_mail_id", "notices", ["mail_id"])


def _preferences() -> None:
    op.create_table(
        "notice_preferences",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("inbox", sa.Boolean(), nullable=False),
        sa.Column("mail", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind", name="pk_notice_preferences"),
    )


def _mails() -> None:
    op.create_table(
        "notice_mails",
        sa.Column("id", ID, primary_key=True),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("digest_at", MOMENT, nullable=True),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("last_error", sa.String(500), nullable=False),
    )
    op.create_index("ix_notice_mails_due_at", "notice_mails", ["due_at"])
    op.create_index("ix_notice_mails_digest_at_user_id", "notice_mails", ["digest_at", "user_id"])
    op.create_index("ix_notice_mails_made_at", "notice_mails", ["made_at"])
