"""Collections of projects."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from opencode.infra.db import UtcDateTime, Word, metadata
from opencode.modules.marketplace.domain.collection import MAX_COLLECTION_TITLE, MAX_NOTE, Visibility
from opencode.modules.marketplace.store.tables.columns import ID

collections = Table(
    "collections",
    metadata,
    Column("id", ID, primary_key=True),
    Column("owner_id", ID, nullable=False),
    Column("title", String(MAX_COLLECTION_TITLE), nullable=False),
    Column("description", Text, nullable=False),
    Column("visibility", Word(Visibility), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_collections_owner_newest", "owner_id", "created_at", "id"),
)

collection_items = Table(
    "collection_items",
    metadata,
    Column("collection_id", ID, nullable=False),
    Column("project_id", ID, nullable=False),
    Column("place", Integer, nullable=False),
    Column("note", String(MAX_NOTE), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("collection_id", "project_id"),
    Index("ix_collection_items_order", "collection_id", "place", "project_id"),
    Index(None, "project_id"),
)
