"""Releases of projects, with their files."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

ID = sa.String(40)
MOMENT = sa.BigInteger()


def upgrade() -> None:
    op.add_column("projects", sa.Column("latest_version", sa.String(64), nullable=True))
    op.create_table(
        "releases",
        sa.Column("id", ID, primary_key=True),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("version_key", sa.String(400), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("prerelease", sa.Boolean(), nullable=False),
        sa.Column("yanked", sa.Boolean(), nullable=False),
        sa.Column("downloaded", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
    )
    op.create_index("uq_releases_project_version", "releases", ["project_id", "version_key"], unique=True)
    op.create_table(
        "release_files",
        sa.Column("release_id", ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("release_id", "name", name="pk_release_files"),
    )
    op.create_index("ix_release_files_project_id", "release_files", ["project_id"])
    op.create_index("ix_release_files_sha256", "release_files", ["sha256"])
