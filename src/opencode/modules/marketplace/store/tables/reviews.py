"""Reviews, and who found them helpful."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from opencode.infra.db import UtcDateTime, Word, metadata
from opencode.modules.marketplace.domain.moderation import Hold
from opencode.modules.marketplace.domain.review import MAX_REVIEW_TITLE
from opencode.modules.marketplace.store.tables.columns import ID

reviews = Table(
    "reviews",
    metadata,
    Column("id", ID, primary_key=True),
    Column("project_id", ID, nullable=False),
    Column("author_id", ID, nullable=False),
    Column("rating", Integer, nullable=False),
    Column("title", String(MAX_REVIEW_TITLE), nullable=False),
    Column("body", Text, nullable=False),
    Column("helpful", Integer, nullable=False),
    Column("reply", Text, nullable=True),
    Column("replied_at", UtcDateTime, nullable=True),
    Column("hold", Word(Hold), nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # One person has one review of a project.
    Index("ix_reviews_project_author", "project_id", "author_id", unique=True),
    Index("ix_reviews_project_newest", "project_id", "created_at", "id"),
    Index("ix_reviews_project_helpful", "project_id", "helpful", "id"),
    Index("ix_reviews_project_rating", "project_id", "rating", "id"),
)

review_marks = Table(
    "review_marks",
    metadata,
    Column("review_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    PrimaryKeyConstraint("review_id", "user_id"),
)
