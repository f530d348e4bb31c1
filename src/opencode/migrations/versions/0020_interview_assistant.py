"""The assistant of an interview: who may ask it, the questions, and the end of the chain over its record."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_FORBIDDEN = '{"mode":"forbidden","model":"","most_questions":50}'


def upgrade() -> None:
    op.add_column("interviews", sa.Column("assistant", sa.Text(), nullable=False, server_default=_FORBIDDEN))
    op.add_column("interviews", sa.Column("assistant_head", sa.String(64), nullable=True))
    op.create_table(
        "interview_questions",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("interview_id", sa.String(40), nullable=False),
        sa.Column("asked_by_id", sa.String(40), nullable=False),
        sa.Column("asked_by_name", sa.String(200), nullable=False),
        sa.Column("asked_by_role", sa.String(40), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(60), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("alive_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cost_nano", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_interview_questions_oldest", "interview_questions", ["interview_id", "asked_at", "id"])
    op.create_index("ix_interview_questions_state_alive_at", "interview_questions", ["state", "alive_at"])
