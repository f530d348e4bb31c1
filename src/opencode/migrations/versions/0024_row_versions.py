"""A version of each project's row, so that an index that was kept can be compared with the database in a second."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("projects", sa.Column("row_version", sa.BigInteger(), nullable=False, server_default="0"))
    # By chance: where this database is brought back to before, what changes then must not look like what is here now.
    op.execute(sa.text("update projects set row_version = :first").bindparams(first=secrets.randbits(63)))
    op.drop_index("ix_projects_status_id", table_name="projects")
    op.create_index("ix_projects_status_id_version", "projects", ["status", "id", "row_version"])
