"""Shared documents: who owns them, the journal and segments of the update log, and snapshots for joining."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

counted = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("audience", sa.String(40), nullable=False),
        sa.Column("generation", sa.String(40), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_documents_audience", "documents", ["audience"])
    op.create_table(
        "document_journal",
        sa.Column("id", counted, primary_key=True, autoincrement=True),
        sa.Column("records", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "document_segments",
        sa.Column("document_id", sa.String(40), primary_key=True),
        sa.Column("first_sequence", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "document_snapshots",
        sa.Column("document_id", sa.String(40), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("seeds", sa.Text(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
    )
