"""Surrogate keys of which caches in front of the server are to be told."""

from sqlalchemy import Column, Index, Integer, String, Table

from opencode.infra.db import UtcDateTime, metadata
from opencode.modules.marketplace.store.tables.columns import ID

purges = Table(
    "surrogate_purges",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("mark", ID, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Index(None, "due_at"),
)
