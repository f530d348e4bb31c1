"""Prints of what was read last of projects' repositories, which tell what was worded by hand since."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "project_readings",
        sa.Column("project_id", sa.String(40), primary_key=True),
        sa.Column("prints", sa.Text(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
    )
