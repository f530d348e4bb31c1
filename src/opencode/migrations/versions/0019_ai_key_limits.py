"""Limits of keys for AI, and what reports of its use ask for: calls by person, and sums of days by key."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

# A call's number has 22 bits below the milliseconds since 2020.
_SUMS_OF_LINES = """
insert into ai_days (day, person, key, model, calls, errors, input, output, cached, cost_nano, latency_ms)
select day, person, key, model, count(*), sum(case when status = 0 or status >= 500 then 1 else 0 end),
    sum(input), sum(output), sum(cached), sum(cost_nano), sum(latency_ms)
from (select (id / 4194304 + 1577836800000) / 86400000 as day, ai_calls.* from ai_calls) as lines
group by day, person, key, model
"""


def upgrade() -> None:
    op.create_table(
        "ai_key_limits",
        sa.Column("token_id", sa.String(40), primary_key=True),
        sa.Column("owner_id", sa.String(40), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(40), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_ai_key_limits_owner_id_token_id", "ai_key_limits", ["owner_id", "token_id"])
    op.create_index("ix_ai_calls_person_id", "ai_calls", ["person", "id"])
    _days()


def _days() -> None:
    """Made anew from the lines, which are all there still: there was no gateway before."""
    numbers = ["calls", "errors", "input", "output", "cached", "cost_nano", "latency_ms"]
    op.drop_table("ai_days")
    op.create_table(
        "ai_days",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("model", sa.Integer(), nullable=False),
        *[sa.Column(name, sa.BigInteger(), nullable=False) for name in numbers],
        sa.PrimaryKeyConstraint("day", "person", "key", "model", name="pk_ai_days"),
    )
    op.execute(_SUMS_OF_LINES)
