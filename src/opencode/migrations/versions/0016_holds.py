"""Reviews and profiles that moderators keep out of sight."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

WORD = sa.String(40)


def upgrade() -> None:
    op.add_column("reviews", sa.Column("hold", WORD, nullable=True))
    op.add_column("profiles", sa.Column("hold", WORD, nullable=True))
