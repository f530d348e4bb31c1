"""The outbox: what was said in a transaction and is yet to be delivered."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("sequence", sequence, primary_key=True, autoincrement=True),
        sa.Column("tag", sa.String(120), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("last_error", sa.Text(), nullable=True),
    )
    op.create_index("ix_outbox_due_at", "outbox", ["due_at"])
