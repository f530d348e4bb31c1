"""Runs: what the compile stage took and printed, and the size of a terminal. Both are JSON objects."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("interview_runs", sa.Column("compilation", sa.Text(), nullable=True))
    op.add_column("interview_runs", sa.Column("terminal", sa.Text(), nullable=True))
