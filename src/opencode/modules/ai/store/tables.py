"""The tables of AI. Money is whole nano-dollars; days are counted from the first of January 1970."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

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

names = Table(
    "ai_names",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("kind", "name"),
)

processes = Table(
    "ai_processes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("started_at", UtcDateTime, nullable=False),
)

# What is spent and what is held are never more than the amount together, unless a call takes more than it could be
# expected to take at the most.
budgets = Table(
    "ai_budgets",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("subject", Text, nullable=False),
    Column("period", String(40), nullable=False),
    Column("begins", Integer, nullable=False),
    Column("spent_nano", BigInteger, nullable=False),
    Column("held_nano", BigInteger, nullable=False),
    # Raised by whoever finds too little: holders give back what they do not need.
    Column("recalls", Integer, nullable=False),
    UniqueConstraint("subject", "period", "begins"),
    Index(None, "begins"),
)

# What each process holds of a budget; together it is the budget's `held_nano`.
leases = Table(
    "ai_leases",
    metadata,
    Column("process_id", Integer, nullable=False),
    Column("budget_id", Integer, nullable=False),
    Column("held_nano", BigInteger, nullable=False),
    PrimaryKeyConstraint("process_id", "budget_id"),
)

# What is set for tokens by those who hold them, or by administrators.
key_limits = Table(
    "ai_key_limits",
    metadata,
    Column("token_id", _ID, primary_key=True),
    Column("owner_id", _ID, nullable=False),
    Column("limits", Text, nullable=False),
    Column("changed_by", _ID, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index(None, "owner_id", "token_id"),
)

# What administrators set for persons, teams and everybody.
limits = Table(
    "ai_limits",
    metadata,
    Column("subject", String(300), primary_key=True),
    Column("limits", Text, nullable=False),
    Column("version", _ID, nullable=False),
    Column("changed_by", _ID, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

# The id tells when, so a line has no other moment, and stays below a hundred bytes with its place in the index.
calls = Table(
    "ai_calls",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("person", Integer, nullable=False),
    Column("key", Integer, nullable=False),
    Column("team", Integer, nullable=False),
    Column("model", Integer, nullable=False),
    Column("price", Integer, nullable=False),
    Column("input", Integer, nullable=False),
    Column("output", Integer, nullable=False),
    Column("cached", Integer, nullable=False),
    Column("cache_write", Integer, nullable=False),
    Column("cost_nano", BigInteger, nullable=False),
    Column("latency_ms", Integer, nullable=False),
    Column("first_byte_ms", Integer, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("flags", SmallInteger, nullable=False),
    Index(None, "person", "id"),
)

days = Table(
    "ai_days",
    metadata,
    Column("day", Integer, nullable=False),
    Column("person", Integer, nullable=False),
    Column("key", Integer, nullable=False),
    Column("model", Integer, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("input", BigInteger, nullable=False),
    Column("output", BigInteger, nullable=False),
    Column("cached", BigInteger, nullable=False),
    Column("cost_nano", BigInteger, nullable=False),
    # Of all calls together; those that were cut off add none.
    Column("latency_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("day", "person", "key", "model"),
)
