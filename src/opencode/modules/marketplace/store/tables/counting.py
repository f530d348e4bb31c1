"""What people did with projects: facts, and what is summed up of them."""

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, PrimaryKeyConstraint, String, Table

from opencode.infra.db import UtcDateTime, Word, metadata
from opencode.modules.marketplace.domain.counting import Kind
from opencode.modules.marketplace.store.tables.columns import ID

# A star that was taken back stays as a row: setting it again and again must not look like many people's doing.
stars = Table(
    "stars",
    metadata,
    Column("project_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("is_set", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("project_id", "user_id"),
    Index("ix_stars_user_newest", "user_id", "at", "project_id"),
    Index(None, "at"),
)

interactions = Table(
    "interactions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("project_id", ID, nullable=False),
    Column("kind", Word(Kind), nullable=False),
    Column("hour", Integer, nullable=False),
    Column("visitor", String(16), nullable=False),
    Column("robot", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "project_id", "hour"),
)

counters = Table(
    "project_counters",
    metadata,
    Column("project_id", ID, primary_key=True),
    Column("stars", BigInteger, nullable=False),
    Column("downloads", BigInteger, nullable=False),
    Column("views", BigInteger, nullable=False),
    Column("robot_downloads", BigInteger, nullable=False),
    Column("robot_views", BigInteger, nullable=False),
    Column("trend", Double, nullable=True),
    # What an import brought along: counted elsewhere, so no facts of ours stand behind it.
    Column("stars_elsewhere", BigInteger, nullable=False),
    Column("downloads_elsewhere", BigInteger, nullable=False),
)

days = Table(
    "project_days",
    metadata,
    Column("project_id", ID, nullable=False),
    Column("day", Integer, nullable=False),
    Column("downloads", BigInteger, nullable=False),
    Column("views", BigInteger, nullable=False),
    Column("robot_downloads", BigInteger, nullable=False),
    Column("robot_views", BigInteger, nullable=False),
    PrimaryKeyConstraint("project_id", "day"),
)

# Who has downloaded what: written once for each person and project, with the first download that counted. Facts of
# counting do not tell, on purpose.
uses = Table(
    "project_uses",
    metadata,
    Column("project_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("project_id", "user_id"),
)
