"""The marketplace's people: what they follow."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.String(40)
MOMENT = sa.BigInteger()


def upgrade() -> None:
    _following()


def _following() -> None:
    op.create_table(
        "follows",
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("target_id", ID, nullable=False),
        sa.Column("follower_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "target_id", "follower_id", name="pk_follows"),
    )
    op.create_index("ix_follows_follower_newest", "follows", ["follower_id", "at", "target_id"])
    op.create_table(
        "followed_searches",
        sa.Column("id", ID, primary_key=True),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("text", sa.String(200), nullable=False),
        sa.Column("technologies", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("license", sa.String(300), nullable=False),
        sa.Column("price", sa.String(40), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("fingerprint", sa.String(32), nullable=False),
    )
    op.create_index(
        "ix_followed_searches_user_id_fingerprint", "followed_searches", ["user_id", "fingerprint"], unique=True
    )
    op.create_table(
        "followed_search_keys",
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("search_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("key", "search_id", name="pk_followed_search_keys"),
    )
    op.create_index("ix_followed_search_keys_search_id", "followed_search_keys", ["search_id"])
