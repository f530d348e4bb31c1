"""Projects and profiles, and all names that they have and had."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from opencode.infra.db import UtcDateTime, Word, metadata
from opencode.modules.marketplace.domain.moderation import Hold
from opencode.modules.marketplace.domain.project import ProjectStatus
from opencode.modules.marketplace.domain.proofs import ProofMethod
from opencode.modules.marketplace.domain.slugs import MAX_HANDLE, MAX_NAME
from opencode.modules.marketplace.domain.versions import LONGEST as LONGEST_VERSION
from opencode.modules.marketplace.store.tables.columns import ID, URL, Words

projects = Table(
    "projects",
    metadata,
    Column("id", ID, primary_key=True),
    Column("owner_id", ID, nullable=False),
    Column("name", String(MAX_NAME), nullable=False),
    Column("title", String(120), nullable=False),
    Column("summary", String(300), nullable=False),
    Column("description", Text, nullable=False),
    Column("technologies", Words, nullable=False),
    Column("license", String(300), nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=True),
    Column("repository_url", URL, nullable=True),
    Column("demo_url", URL, nullable=True),
    Column("documentation_url", URL, nullable=True),
    Column("tags", Words, nullable=False),
    Column("status", Word(ProjectStatus), nullable=False),
    Column("featured", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime, nullable=True),
    Column("held_from", Word(ProjectStatus), nullable=True),
    # Of the proof that holds, kept here for lists.
    Column("verified_method", Word(ProofMethod), nullable=True),
    Column("verified_at", UtcDateTime, nullable=True),
    Column("latest_version", String(LONGEST_VERSION), nullable=True),
    # Another number by chance after each change of what the catalogue shows; see `domain.snapshots`.
    Column("row_version", BigInteger, nullable=False, server_default="0"),
    Index("ix_projects_owner_newest", "owner_id", "created_at", "id"),
    Index("ix_projects_owner_published", "owner_id", "status", "published_at", "id"),
    # The catalogue is read in this order when a server starts; the versions of all from nothing but this index.
    Index("ix_projects_status_id_version", "status", "id", "row_version"),
)

# What was read last of a project's repository; prints tell whether a field was worded by hand since.
readings = Table(
    "project_readings",
    metadata,
    Column("project_id", ID, primary_key=True),
    Column("prints", Text, nullable=False),
    Column("read_at", UtcDateTime, nullable=False),
)

# What somebody has read for a draft, until they make a project of it. `place` is a print of the repository's address.
draft_readings = Table(
    "draft_readings",
    metadata,
    Column("reader_id", ID, nullable=False),
    Column("place", String(32), nullable=False),
    Column("prints", Text, nullable=False),
    Column("read_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("reader_id", "place"),
    Index(None, "read_at"),
)

# Every name that a project has or had: looked up, redirected from and kept unique in one place.
slugs = Table(
    "project_slugs",
    metadata,
    Column("owner_id", ID, nullable=False),
    Column("name", String(MAX_NAME), nullable=False),
    Column("project_id", ID, nullable=False),
    PrimaryKeyConstraint("owner_id", "name"),
    Index(None, "project_id"),
)

profiles = Table(
    "profiles",
    metadata,
    Column("user_id", ID, primary_key=True),
    Column("handle", String(MAX_HANDLE), nullable=False),
    Column("display_name", String(80), nullable=False),
    Column("bio", Text, nullable=False),
    Column("avatar", URL, nullable=True),
    Column("skills", Words, nullable=False),
    Column("location", String(100), nullable=False),
    Column("website", URL, nullable=True),
    Column("github", String(40), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("hold", Word(Hold), nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# Every handle that somebody has or had: an old one leads to its owner, and nobody else gets it.
handles = Table(
    "profile_handles",
    metadata,
    Column("handle", String(MAX_HANDLE), primary_key=True),
    Column("user_id", ID, nullable=False),
    Index(None, "user_id"),
)
