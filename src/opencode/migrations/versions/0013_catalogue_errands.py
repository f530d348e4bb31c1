"""What an operator asks of every process that has the catalogue, and what each of them reports."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

ID = sa.String(40)
MOMENT = sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "catalogue_errands",
        sa.Column("id", ID, primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
    )
    op.create_index("ix_catalogue_errands_asked_at", "catalogue_errands", ["asked_at"])
    op.create_table(
        "catalogue_reports",
        sa.Column("errand_id", ID, nullable=False),
        sa.Column("process", sa.String(300), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("projects", sa.Integer(), nullable=False),
        sa.Column("indexed", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("extra", sa.Integer(), nullable=False),
        sa.Column("outdated", sa.Integer(), nullable=False),
        sa.Column("standing", sa.Integer(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("errand_id", "process", name="pk_catalogue_reports"),
    )
