"""Names of files that were deleted, so that none of them comes back with another content."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "spent_file_names",
        sa.Column("project_id", sa.String(40), nullable=False),
        sa.Column("version_key", sa.String(400), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "version_key", "name", name="pk_spent_file_names"),
    )
