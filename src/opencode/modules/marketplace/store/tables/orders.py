"""What is bought and sold, what providers told of it, and the ledger."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from opencode.infra.db import UtcDateTime, Word, metadata
from opencode.modules.marketplace.domain.ledger import Account, Happening
from opencode.modules.marketplace.domain.orders import OrderState, RefundState
from opencode.modules.marketplace.domain.payments import Outcome
from opencode.modules.marketplace.domain.slugs import MAX_HANDLE, MAX_NAME
from opencode.modules.marketplace.store.tables.columns import ID, URL, ClaimsText

# One order of somebody for a project can be pending: two clicks at the same moment make one.
_IS_PENDING = text("state = 'pending'")
_IS_REQUESTED = text("state = 'requested'")
_IS_WAITING = text("outcome = 'waiting'")

orders = Table(
    "orders",
    metadata,
    Column("id", ID, primary_key=True),
    Column("project_id", ID, nullable=False),
    Column("slug", String(MAX_HANDLE + 1 + MAX_NAME), nullable=False),
    Column("title", String(120), nullable=False),
    Column("buyer_id", ID, nullable=False),
    Column("buyer_handle", String(MAX_HANDLE), nullable=False),
    Column("seller_id", ID, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("provider", String(40), nullable=False),
    Column("state", Word(OrderState), nullable=False),
    Column("invoice_number", String(40), nullable=True),
    Column("checkout_id", String(255), nullable=True),
    Column("checkout_url", URL, nullable=True),
    Column("payment_reference", String(255), nullable=True),
    Column("heard_back_minor", BigInteger, nullable=False),
    Column("claims", ClaimsText, nullable=False, server_default='{"refunds":[],"disputes":[]}'),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("paid_at", UtcDateTime, nullable=True),
    Index("ix_orders_buyer_newest", "buyer_id", "created_at", "id"),
    Index("ix_orders_seller_newest", "seller_id", "created_at", "id"),
    Index("ix_orders_project_state", "project_id", "state"),
    Index("ix_orders_payment_reference", "payment_reference"),
    Index(
        "uq_orders_open", "buyer_id", "project_id", unique=True, sqlite_where=_IS_PENDING, postgresql_where=_IS_PENDING
    ),
    Index("ix_orders_due", "expires_at", sqlite_where=_IS_PENDING, postgresql_where=_IS_PENDING),
)

refunds = Table(
    "order_refunds",
    metadata,
    Column("id", ID, primary_key=True),
    Column("order_id", ID, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("state", Word(RefundState), nullable=False),
    Column("by_id", ID, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "order_id"),
    Index("uq_order_refunds_open", "order_id", unique=True, sqlite_where=_IS_REQUESTED, postgresql_where=_IS_REQUESTED),
)

# The last number that each seller's invoices have got.
invoice_counters = Table(
    "invoice_counters",
    metadata,
    Column("seller_id", ID, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

# What providers told, by their own ids. No bodies: they hold names and addresses of buyers, which nobody needs here.
payment_events = Table(
    "payment_events",
    metadata,
    Column("provider", String(40), nullable=False),
    Column("id", String(255), nullable=False),
    Column("kind", String(255), nullable=False),
    Column("order_id", ID, nullable=True),
    Column("reference", String(255), nullable=True),
    Column("fact", Text, nullable=True),
    Column("outcome", Word(Outcome), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("provider", "id"),
    Index("ix_payment_events_waiting", "received_at", sqlite_where=_IS_WAITING, postgresql_where=_IS_WAITING),
)

# Rows of these two are written once: triggers of the migration refuse every change.
ledger_transactions = Table(
    "ledger_transactions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("key", String(100), nullable=False),
    Column("order_id", ID, nullable=False),
    Column("happening", Word(Happening), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("key"),
    Index(None, "order_id"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("transaction_id", ID, nullable=False),
    Column("line", Integer, nullable=False),
    Column("account", Word(Account), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("transaction_id", "line"),
)

entitlements = Table(
    "entitlements",
    metadata,
    Column("id", ID, primary_key=True),
    Column("project_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("order_id", ID, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("activated_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime, nullable=True),
    # SHA-256 of the licence key, which nobody can read again; its last letters tell keys apart.
    Column("key_hash", String(64), nullable=True),
    Column("key_last4", String(4), nullable=True),
    Column("key_issued_at", UtcDateTime, nullable=True),
    UniqueConstraint("order_id"),
    UniqueConstraint("key_hash"),
    Index("ix_entitlements_user_newest", "user_id", "activated_at", "id"),
    Index("ix_entitlements_user_project", "user_id", "project_id"),
)
