"""The tables of accounts and credentials. Secrets are kept as hashes only."""

from typing import Any

from sqlalchemy import Column, Dialect, ForeignKey, Index, Integer, String, Table, Text
from sqlalchemy.types import TypeDecorator

from opencode.infra.db import UtcDateTime, metadata


class Words(TypeDecorator[tuple[str, ...]]):
    """Words without spaces in them, kept side by side as OAuth keeps scopes (RFC 6749, section 3.3)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else " ".join(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else tuple(str(value).split())


_ID = String(30)
_HASH = String(64)

accounts = Table(
    "accounts",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("email", String(254), nullable=True),
    # What two spellings of one address share; case folding can make it longer.
    Column("email_key", String(800), nullable=True),
    Column("password_hash", String(200), nullable=True),
    Column("display_name", String(80), nullable=False),
    Column("roles", Words, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "email_key", unique=True),
    Index(None, "created_at", "id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("secret_hash", _HASH, nullable=False),
    Column("touched_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "secret_hash", unique=True),
    Index(None, "account_id"),
    Index(None, "expires_at"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(80), nullable=False),
    Column("scopes", Words, nullable=False),
    Column("secret_hash", _HASH, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=True),
    Index(None, "secret_hash", unique=True),
    Index(None, "account_id", "created_at", "id"),
    Index(None, "expires_at"),
)

guests = Table(
    "guests",
    metadata,
    Column("secret_hash", _HASH, primary_key=True),
    Column("guest_id", String(80), nullable=False),
    Column("name", String(80), nullable=False),
    Column("audience", String(80), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "guest_id"),
    Index(None, "expires_at"),
)

invites = Table(
    "invites",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("role", String(20), nullable=False),
    Column("secret_hash", _HASH, nullable=False),
    Column("created_by", _ID, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "secret_hash", unique=True),
    Index(None, "expires_at"),
)

# At most one row: a newer link takes the place of the older one.
setup_links = Table(
    "setup_links",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("secret_hash", _HASH, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(80), nullable=False),
    # Ids of anything, whichever module's it is.
    Column("actor_id", String(80), nullable=False),
    Column("subject_id", String(80), nullable=False),
    Column("address", String(80), nullable=False),
    Column("detail", String(500), nullable=False),
    Index(None, "at", "id"),
)
