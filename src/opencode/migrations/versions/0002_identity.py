"""Accounts, what signs them in, invitations, guests, and the trail of security events."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.String(30)
HASH = sa.String(64)
MOMENT = sa.BigInteger()


def upgrade() -> None:
    _accounts()
    _credentials()
    _ways_in()
    _audit()


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", ID, primary_key=True),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column("email_key", sa.String(800), nullable=True),
        sa.Column("password_hash", sa.String(200), nullable=True),
        sa.Column("display_name", sa.String(80), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_index("ix_accounts_email_key", "accounts", ["email_key"], unique=True)
    op.create_index("ix_accounts_created_at_id", "accounts", ["created_at", "id"])


def _credentials() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", ID, primary_key=True),
        sa.Column("account_id", ID, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("secret_hash", HASH, nullable=False),
        sa.Column("touched_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
    )
    op.create_index("ix_sessions_secret_hash", "sessions", ["secret_hash"], unique=True)
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "tokens",
        sa.Column("id", ID, primary_key=True),
        sa.Column("account_id", ID, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("secret_hash", HASH, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
    )
    op.create_index("ix_tokens_secret_hash", "tokens", ["secret_hash"], unique=True)
    op.create_index("ix_tokens_account_id_created_at_id", "tokens", ["account_id", "created_at", "id"])
    op.create_index("ix_tokens_expires_at", "tokens", ["expires_at"])
    op.create_table(
        "guests",
        sa.Column("secret_hash", HASH, primary_key=True),
        sa.Column("guest_id", sa.String(80), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("audience", sa.String(80), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
    )
    op.create_index("ix_guests_guest_id", "guests", ["guest_id"])
    op.create_index("ix_guests_expires_at", "guests", ["expires_at"])


def _ways_in() -> None:
    op.create_table(
        "invites",
        sa.Column("id", ID, primary_key=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("secret_hash", HASH, nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
    )
    op.create_index("ix_invites_secret_hash", "invites", ["secret_hash"], unique=True)
    op.create_index("ix_invites_expires_at", "invites", ["expires_at"])
    op.create_table(
        "setup_links",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("secret_hash", HASH, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", ID, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(80), nullable=False),
        sa.Column("actor_id", sa.String(80), nullable=False),
        sa.Column("subject_id", sa.String(80), nullable=False),
        sa.Column("address", sa.String(80), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
    )
    op.create_index("ix_audit_at_id", "audit", ["at", "id"])
