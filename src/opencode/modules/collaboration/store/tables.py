"""The tables. Times are microseconds since 1970 (`UtcDateTime`)."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from opencode.infra.db import UtcDateTime, metadata

_Counted = BigInteger().with_variant(Integer(), "sqlite")

documents = Table(
    "documents",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("audience", String(40), nullable=False),
    Column("generation", String(40), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "audience"),
)

# One row a group commit: the records of all documents that were edited within a few milliseconds.
journal = Table(
    "document_journal",
    metadata,
    Column("id", _Counted, primary_key=True, autoincrement=True),
    Column("records", LargeBinary, nullable=False),
)

# The same records, sorted by document; a row holds what one `settle` found for it.
segments = Table(
    "document_segments",
    metadata,
    Column("document_id", String(40), primary_key=True),
    Column("first_sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("records", LargeBinary, nullable=False),
)

snapshots = Table(
    "document_snapshots",
    metadata,
    Column("document_id", String(40), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("seeds", Text, nullable=False),
    Column("state", LargeBinary, nullable=False),
)
