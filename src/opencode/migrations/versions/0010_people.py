"""The marketplace's people: what they follow, used, say of it and collect."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

ID = sa.String(40)
MOMENT = sa.BigInteger()


def upgrade() -> None:
    _following()
    _reviews()
    _collections()


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


def _reviews() -> None:
    op.create_table(
        "project_uses",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "user_id", name="pk_project_uses"),
    )
    op.create_table(
        "reviews",
        sa.Column("id", ID, primary_key=True),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("helpful", sa.Integer(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("replied_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
    )
    op.create_index("ix_reviews_project_author", "reviews", ["project_id", "author_id"], unique=True)
    op.create_index("ix_reviews_project_newest", "reviews", ["project_id", "created_at", "id"])
    op.create_index("ix_reviews_project_helpful", "reviews", ["project_id", "helpful", "id"])
    op.create_index("ix_reviews_project_rating", "reviews", ["project_id", "rating", "id"])
    op.create_table(
        "review_marks",
        sa.Column("review_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("review_id", "user_id", name="pk_review_marks"),
    )


def _collections() -> None:
    op.create_table(
        "collections",
        sa.Column("id", ID, primary_key=True),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("visibility", sa.String(40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
    )
    op.create_index("ix_collections_owner_newest", "collections", ["owner_id", "created_at", "id"])
    op.create_table(
        "collection_items",
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(300), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("collection_id", "project_id", name="pk_collection_items"),
    )
    op.create_index("ix_collection_items_order", "collection_items", ["collection_id", "place", "project_id"])
    op.create_index("ix_collection_items_project_id", "collection_items", ["project_id"])
