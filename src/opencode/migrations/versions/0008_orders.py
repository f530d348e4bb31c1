"""Buying and selling: orders, refunds, what payment providers told, the ledger, entitlements."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.String(40)
MOMENT = sa.BigInteger()
MONEY = sa.BigInteger()
WORD = sa.String(40)
LEDGER = ("ledger_transactions", "ledger_entries")


def upgrade() -> None:
    _orders()
    _refunds()
    _payment_events()
    _ledger()
    _entitlements()
    _close_ledger()


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", ID, primary_key=True),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("slug", sa.String(121), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("buyer_id", ID, nullable=False),
        sa.Column("buyer_handle", sa.String(40), nullable=False),
        sa.Column("seller_id", ID, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount_minor", MONEY, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("fee_minor", MONEY, nullable=False),
        sa.Column("provider", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("invoice_number", sa.String(40), nullable=True),
        sa.Column("checkout_id", sa.String(255), nullable=True),
        sa.Column("checkout_url", sa.String(2000), nullable=True),
        sa.Column("payment_reference", sa.String(255), nullable=True),
        sa.Column("heard_back_minor", MONEY, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("paid_at", MOMENT, nullable=True),
    )
    op.create_index("ix_orders_buyer_newest", "orders", ["buyer_id", "created_at", "id"])
    op.create_index("ix_orders_seller_newest", "orders", ["seller_id", "created_at", "id"])
    op.create_index("ix_orders_project_state", "orders", ["project_id", "state"])
    op.create_index("ix_orders_payment_reference", "orders", ["payment_reference"])
    _partial_index("uq_orders_open", "orders", ["buyer_id", "project_id"], "state = 'pending'", unique=True)
    _partial_index("ix_orders_due", "orders", ["expires_at"], "state = 'pending'")
    op.create_table(
        "invoice_counters",
        sa.Column("seller_id", ID, primary_key=True),
        sa.Column("last", MONEY, nullable=False),
    )


def _refunds() -> None:
    op.create_table(
        "order_refunds",
        sa.Column("id", ID, primary_key=True),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("amount_minor", MONEY, nullable=False),
        sa.Column("total_minor", MONEY, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("by_id", ID, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_index("ix_order_refunds_order_id", "order_refunds", ["order_id"])
    _partial_index("uq_order_refunds_open", "order_refunds", ["order_id"], "state = 'requested'", unique=True)


def _payment_events() -> None:
    op.create_table(
        "payment_events",
        sa.Column("provider", WORD, nullable=False),
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(255), nullable=False),
        sa.Column("order_id", ID, nullable=True),
        sa.Column("reference", sa.String(255), nullable=True),
        sa.Column("fact", sa.Text(), nullable=True),
        sa.Column("outcome", WORD, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("provider", "id", name="pk_payment_events"),
    )
    _partial_index("ix_payment_events_waiting", "payment_events", ["received_at"], "outcome = 'waiting'")


def _ledger() -> None:
    op.create_table(
        "ledger_transactions",
        sa.Column("id", ID, primary_key=True),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("happening", WORD, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.UniqueConstraint("key", name="uq_ledger_transactions_key"),
    )
    op.create_index("ix_ledger_transactions_order_id", "ledger_transactions", ["order_id"])
    op.create_table(
        "ledger_entries",
        sa.Column("transaction_id", ID, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("account", WORD, nullable=False),
        sa.Column("amount_minor", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", "line", name="pk_ledger_entries"),
    )


def _entitlements() -> None:
    op.create_table(
        "entitlements",
        sa.Column("id", ID, primary_key=True),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("activated_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("key_hash", sa.String(64), nullable=True),
        sa.Column("key_last4", sa.String(4), nullable=True),
        sa.Column("key_issued_at", MOMENT, nullable=True),
        sa.UniqueConstraint("order_id", name="uq_entitlements_order_id"),
        sa.UniqueConstraint("key_hash", name="uq_entitlements_key_hash"),
    )
    op.create_index("ix_entitlements_user_newest", "entitlements", ["user_id", "activated_at", "id"])
    op.create_index("ix_entitlements_user_project", "entitlements", ["user_id", "project_id"])


def _close_ledger() -> None:
    """What was written into the ledger is changed by nobody, a mistake of ours included."""
    if op.get_bind().dialect.name == "sqlite":
        for table in LEDGER:
            for change in ("update", "delete"):
                op.execute(
                    f"create trigger {table}_no_{change} before {change} on {table} "
                    "begin select raise(abort, 'the ledger is append-only'); end"
                )
        return
    op.execute(
        "create function refuse_ledger_change() returns trigger language plpgsql as "
        "$$ begin raise exception 'the ledger is append-only'; end $$"
    )
    for table in LEDGER:
        op.execute(
            f"create trigger {table}_append_only before update or delete on {table} "
            "for each row execute function refuse_ledger_change()"
        )


def _partial_index(name: str, table: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
