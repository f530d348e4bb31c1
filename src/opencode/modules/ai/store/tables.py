"""The tables of AI."""

from sqlalchemy import Column, Integer, String, Table, Text

from opencode.infra.db import UtcDateTime, metadata

_ID = String(40)

providers = Table(
    "ai_providers",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("settings", Text, nullable=False),
    Column("sealed", Text, nullable=True),
    Column("revision", Integer, nullable=False),
    Column("changed_by", _ID, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)
