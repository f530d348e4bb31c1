"""Who follows whom and what."""

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, String, Table

from opencode.infra.db import UtcDateTime, Word, metadata
from opencode.modules.marketplace.domain.catalog import PriceFilter
from opencode.modules.marketplace.domain.following import (
    MAX_SEARCH_LICENSE,
    MAX_SEARCH_NAME,
    MAX_SEARCH_TEXT,
    FollowKind,
)
from opencode.modules.marketplace.store.tables.columns import ID, Words

follows = Table(
    "follows",
    metadata,
    Column("kind", Word(FollowKind), nullable=False),
    Column("target_id", ID, nullable=False),
    Column("follower_id", ID, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # Followers are told in this order, some at a time.
    PrimaryKeyConstraint("kind", "target_id", "follower_id"),
    Index("ix_follows_follower_newest", "follower_id", "at", "target_id"),
)

followed_searches = Table(
    "followed_searches",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, nullable=False),
    Column("name", String(MAX_SEARCH_NAME), nullable=False),
    Column("text", String(MAX_SEARCH_TEXT), nullable=False),
    Column("technologies", Words, nullable=False),
    Column("tags", Words, nullable=False),
    Column("license", String(MAX_SEARCH_LICENSE), nullable=False),
    Column("price", Word(PriceFilter), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("fingerprint", String(32), nullable=False),
    # The same search is followed once.
    Index(None, "user_id", "fingerprint", unique=True),
)

# What each followed search is filed under: a new project is held only against those with one of its own words.
search_keys = Table(
    "followed_search_keys",
    metadata,
    Column("key", BigInteger, nullable=False),
    Column("search_id", ID, nullable=False),
    PrimaryKeyConstraint("key", "search_id"),
    Index(None, "search_id"),
)
