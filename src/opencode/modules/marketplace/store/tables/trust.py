"""Proofs that a repository is its owner's, and reputations."""

from sqlalchemy import Boolean, Column, Double, Index, Integer, String, Table, Text, UniqueConstraint

from opencode.infra.db import UtcDateTime, Word, metadata
from opencode.modules.marketplace.domain.proofs import MAX_KEY_BYTES, ProofMethod, ProofState
from opencode.modules.marketplace.store.tables.columns import ID

proofs = Table(
    "ownership_proofs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("project_id", ID, nullable=False),
    Column("owner_id", ID, nullable=False),
    Column("method", Word(ProofMethod), nullable=False),
    Column("repository", String(MAX_KEY_BYTES), nullable=False),
    Column("state", Word(ProofState), nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("checked_at", UtcDateTime, nullable=True),
    Column("verified_at", UtcDateTime, nullable=True),
    Column("failed_since", UtcDateTime, nullable=True),
    Column("next_check_at", UtcDateTime, nullable=True),
    UniqueConstraint("project_id", "method"),
    Index(None, "repository"),
    Index(None, "next_check_at"),
)

reputations = Table(
    "reputations",
    metadata,
    Column("user_id", ID, primary_key=True),
    Column("score", Integer, nullable=False),
    Column("trust", Double, nullable=False),
    Column("admirers", Integer, nullable=False),
    Column("has_proof", Boolean, nullable=False),
    Column("computed_at", UtcDateTime, nullable=False),
    Index(None, "trust"),
    Index(None, "computed_at"),
)
