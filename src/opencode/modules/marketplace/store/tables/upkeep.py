"""What operators asked for: uses of the bulk door, and errands for every process; and requests that came before."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from opencode.infra.db import UtcDateTime, Word, metadata, request_table
from opencode.modules.marketplace.domain.agreement import Disagreement
from opencode.modules.marketplace.domain.errands import ErrandKind, ReportState
from opencode.modules.marketplace.domain.importing import ImportState
from opencode.modules.marketplace.store.tables.columns import ID, Words

imports = Table(
    "project_imports",
    metadata,
    Column("id", ID, primary_key=True),
    Column("by_id", ID, nullable=False),
    Column("state", Word(ImportState), nullable=False),
    Column("lines", Integer, nullable=False),
    Column("imported", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("alive_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=True),
)

refusals = Table(
    "project_import_refusals",
    metadata,
    Column("import_id", ID, nullable=False),
    Column("line", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("import_id", "line"),
)

# What an operator asked of every process that has the catalogue, and what each reported.
errands = Table(
    "catalogue_errands",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", Word(ErrandKind), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Index(None, "asked_at"),
)

errand_reports = Table(
    "catalogue_reports",
    metadata,
    Column("errand_id", ID, nullable=False),
    Column("process", String(300), nullable=False),
    Column("state", Word(ReportState), nullable=False),
    Column("projects", Integer, nullable=False),
    Column("indexed", Integer, nullable=False),
    *(Column(what.value, Integer, nullable=False) for what in Disagreement),
    Column("first", Words, nullable=False),
    Column("message", Text, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=True),
    PrimaryKeyConstraint("errand_id", "process"),
)

requests = request_table("project_requests")
