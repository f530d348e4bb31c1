"""Notifications: inboxes and the notices in them, and what people chose."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.String(40)
MOMENT = sa.BigInteger()


def upgrade() -> None:
    _inboxes()
    _preferences()


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
        sa.UniqueConstraint("user_id", "key", name="uq_notices_user_id_key"),
        sa.UniqueConstraint("user_id", "seq", name="uq_notices_user_id_seq"),
    )
    op.create_index("ix_notices_user_id_state_read_at", "notices", ["user_id", "state", "read_at"])
    op.create_index("ix_notices_made_at", "notices", ["made_at"])


def _preferences() -> None:
    op.create_table(
        "notice_preferences",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("inbox", sa.Boolean(), nullable=False),
        sa.Column("mail", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind", name="pk_notice_preferences"),
    )
