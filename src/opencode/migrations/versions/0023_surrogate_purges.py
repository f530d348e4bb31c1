"""Surrogate keys of which caches in front of the server are to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "surrogate_purges",
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("mark", sa.String(40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_surrogate_purges_due_at", "surrogate_purges", ["due_at"])
