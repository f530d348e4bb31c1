"""Releases and their files."""

from sqlalchemy import BigInteger, Boolean, Column, Index, PrimaryKeyConstraint, String, Table, Text

from opencode.infra.db import UtcDateTime, metadata
from opencode.modules.marketplace.domain.releases import MAX_FILE_NAME
from opencode.modules.marketplace.domain.versions import LONGEST as LONGEST_VERSION
from opencode.modules.marketplace.store.tables.columns import ID

# In the order of versions, which their keys have in every database and language.
releases = Table(
    "releases",
    metadata,
    Column("id", ID, primary_key=True),
    Column("project_id", ID, nullable=False),
    Column("version", String(LONGEST_VERSION), nullable=False),
    Column("version_key", String(400), nullable=False),
    Column("notes", Text, nullable=False),
    Column("prerelease", Boolean, nullable=False),
    Column("yanked", Boolean, nullable=False),
    Column("downloaded", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("uq_releases_project_version", "project_id", "version_key", unique=True),
)

release_files = Table(
    "release_files",
    metadata,
    Column("release_id", ID, nullable=False),
    Column("name", String(MAX_FILE_NAME), nullable=False),
    Column("project_id", ID, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("release_id", "name"),
    Index(None, "project_id"),
    # Asked before a content is deleted: does any file have it?
    Index(None, "sha256"),
)

# Names that a file had which people could see, and which content: after the file was deleted.
spent_file_names = Table(
    "spent_file_names",
    metadata,
    Column("project_id", ID, nullable=False),
    Column("version_key", String(400), nullable=False),
    Column("name", String(MAX_FILE_NAME), nullable=False),
    Column("sha256", String(64), nullable=False),
    PrimaryKeyConstraint("project_id", "version_key", "name"),
)
