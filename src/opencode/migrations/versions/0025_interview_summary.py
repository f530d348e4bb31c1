"""The summary of an interview: a model's draft until somebody accepts it."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "interview_summaries",
        sa.Column("interview_id", sa.String(40), primary_key=True),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("follows_seq", sa.Integer(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("requested_by_id", sa.String(40), nullable=False),
        sa.Column("requested_by_name", sa.String(200), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("alive_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("drafted", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("written_by", sa.Text(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cost_nano", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted_by_id", sa.String(40), nullable=True),
        sa.Column("accepted_by_name", sa.String(200), nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_interview_summaries_state_alive_at", "interview_summaries", ["state", "alive_at"])
