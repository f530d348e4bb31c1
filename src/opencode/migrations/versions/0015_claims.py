"""What was heard of single refunds and disputes of an order."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column(
        "orders", sa.Column("claims", sa.Text(), nullable=False, server_default='{"refunds":[],"disputes":[]}')
    )
