"""The usage ledger of AI, and the budgets that calls are charged to."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

MONEY = sa.BigInteger()
# SQLite counts rows by itself only in a column that is spelled INTEGER.
MOMENT_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _dictionaries()
    _budgets()
    _ledger()


def _dictionaries() -> None:
    op.create_table(
        "ai_names",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.UniqueConstraint("kind", "name", name="uq_ai_names_kind_name"),
    )
    op.create_table(
        "ai_processes",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
    )


def _budgets() -> None:
    op.create_table(
        "ai_budgets",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("period", sa.String(40), nullable=False),
        sa.Column("begins", sa.Integer(), nullable=False),
        sa.Column("spent_nano", MONEY, nullable=False),
        sa.Column("held_nano", MONEY, nullable=False),
        sa.Column("recalls", sa.Integer(), nullable=False),
        sa.UniqueConstraint("subject", "period", "begins", name="uq_ai_budgets_subject_period_begins"),
    )
    op.create_index("ix_ai_budgets_begins", "ai_budgets", ["begins"])
    op.create_table(
        "ai_leases",
        sa.Column("process_id", sa.Integer(), nullable=False),
        sa.Column("budget_id", sa.Integer(), nullable=False),
        sa.Column("held_nano", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("process_id", "budget_id", name="pk_ai_leases"),
    )


def _ledger() -> None:
    whole = [
        "person",
        "key",
        "team",
        "model",
        "price",
        "input",
        "output",
        "cached",
        "cache_write",
    ]
    op.create_table(
        "ai_calls",
        sa.Column("id", MOMENT_KEY, primary_key=True, autoincrement=False),
        *[sa.Column(name, sa.Integer(), nullable=False) for name in whole],
        sa.Column("cost_nano", MONEY, nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("first_byte_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
    )
    op.create_table(
        "ai_days",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("model", sa.Integer(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("input", sa.BigInteger(), nullable=False),
        sa.Column("output", sa.BigInteger(), nullable=False),
        sa.Column("cached", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("day", "person", "model", name="pk_ai_days"),
    )
