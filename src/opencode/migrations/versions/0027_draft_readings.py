"""Prints of what was read for drafts, so that a project made of one follows its repository from the start."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "draft_readings",
        sa.Column("reader_id", sa.String(40), nullable=False),
        sa.Column("place", sa.String(32), nullable=False),
        sa.Column("prints", sa.Text(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reader_id", "place", name=op.f("pk_draft_readings")),
    )
    op.create_index(op.f("ix_draft_readings_read_at"), "draft_readings", ["read_at"])
