"""Notifications: inboxes and the notices in them, what people chose, mails, webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ID = sa.String(40)
MOMENT = sa.BigInteger()


def upgrade() -> None:
    _inboxes()
    _preferences()
    _mails()
    _webhooks()
    _deliveries()


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


def _webhooks() -> None:
    op.create_table(
        "notice_webhooks",
        sa.Column("id", ID, primary_key=True),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("description", sa.String(200), nullable=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("previous_salt", sa.String(64), nullable=True),
        sa.Column("previous_until", MOMENT, nullable=True),
        sa.Column("switched_off_at", MOMENT, nullable=True),
    )
    op.create_index("ix_notice_webhooks_owner_id_created_at_id", "notice_webhooks", ["owner_id", "created_at", "id"])
    op.create_table(
        "notice_webhook_kinds",
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("webhook_id", "kind", name="pk_notice_webhook_kinds"),
    )


def _deliveries() -> None:
    op.create_table(
        "notice_deliveries",
        sa.Column("id", ID, primary_key=True),
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("error", sa.String(500), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("tried_at", MOMENT, nullable=True),
    )
    op.create_index("ix_notice_deliveries_due_at", "notice_deliveries", ["due_at"])
    op.create_index("ix_notice_deliveries_webhook_id_due_at", "notice_deliveries", ["webhook_id", "due_at"])
    op.create_index(
        "ix_notice_deliveries_webhook_id_created_at_id", "notice_deliveries", ["webhook_id", "created_at", "id"]
    )
    op.create_index("ix_notice_deliveries_created_at", "notice_deliveries", ["created_at"])
