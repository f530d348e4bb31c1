"""Limits of persons, teams and everybody that administrators set while the server runs."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "ai_limits",
        sa.Column("subject", sa.String(300), primary_key=True),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("changed_by", sa.String(40), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
