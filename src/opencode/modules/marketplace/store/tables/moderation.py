"""Reports, and the cases in which moderators decide."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from opencode.infra.db import UtcDateTime, Word, metadata
from opencode.modules.marketplace.domain.moderation import (
    CaseKind,
    CaseState,
    Decision,
    ReportReason,
    StepKind,
    SubjectKind,
)
from opencode.modules.marketplace.store.tables.columns import ID

MAX_SUBJECT_NAME = 200

# One for each subject, so that what was decided before is never overlooked. It stays when its subject is deleted.
cases = Table(
    "moderation_cases",
    metadata,
    Column("id", ID, primary_key=True),
    Column("subject_kind", Word(SubjectKind), nullable=False),
    Column("subject_id", ID, nullable=False),
    Column("owner_id", ID, nullable=False),
    Column("subject_name", String(MAX_SUBJECT_NAME), nullable=False),
    Column("subject_path", String(MAX_SUBJECT_NAME), nullable=False),
    Column("kind", Word(CaseKind), nullable=False),
    Column("state", Word(CaseState), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("decisions", Integer, nullable=False),
    Column("decision", Word(Decision), nullable=True),
    Column("reason", Text, nullable=False),
    Column("decided_by", ID, nullable=True),
    Column("decided_at", UtcDateTime, nullable=True),
    Column("appealed", Boolean, nullable=False),
    UniqueConstraint("subject_kind", "subject_id"),
    Index("ix_moderation_cases_queue", "state", "opened_at", "id"),
    Index(None, "owner_id"),
)

reports = Table(
    "moderation_reports",
    metadata,
    Column("id", ID, primary_key=True),
    Column("case_id", ID, nullable=False),
    Column("reporter_id", ID, nullable=False),
    Column("reason", Word(ReportReason), nullable=False),
    Column("text", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "case_id", "is_open"),
)

steps = Table(
    "moderation_steps",
    metadata,
    Column("id", ID, primary_key=True),
    Column("case_id", ID, nullable=False),
    Column("kind", Word(StepKind), nullable=False),
    Column("actor_id", ID, nullable=False),
    Column("decision", Word(Decision), nullable=True),
    Column("text", Text, nullable=False),
    Column("impartial", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "case_id"),
)
