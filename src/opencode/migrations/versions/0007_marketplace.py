"""The marketplace: projects and every name they had, profiles, stars, downloads and views, imports."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ID = sa.String(40)
URL = sa.String(2000)
MOMENT = sa.BigInteger()


def upgrade() -> None:
    _projects()
    _profiles()
    _interactions()
    _counters()
    _imports()
    _requests()


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", ID, primary_key=True),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("summary", sa.String(300), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("technologies", sa.Text(), nullable=False),
        sa.Column("license", sa.String(300), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("repository_url", URL, nullable=True),
        sa.Column("demo_url", URL, nullable=True),
        sa.Column("documentation_url", URL, nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("featured", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("published_at", MOMENT, nullable=True),
    )
    op.create_index("ix_projects_owner_newest", "projects", ["owner_id", "created_at", "id"])
    op.create_index("ix_projects_owner_published", "projects", ["owner_id", "status", "published_at", "id"])
    op.create_index("ix_projects_status_id", "projects", ["status", "id"])
    op.create_table(
        "project_slugs",
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "name", name="pk_project_slugs"),
    )
    op.create_index("ix_project_slugs_project_id", "project_slugs", ["project_id"])


def _profiles() -> None:
    op.create_table(
        "profiles",
        sa.Column("user_id", ID, primary_key=True),
        sa.Column("handle", sa.String(40), nullable=False),
        sa.Column("display_name", sa.String(80), nullable=False),
        sa.Column("bio", sa.Text(), nullable=False),
        sa.Column("avatar", URL, nullable=True),
        sa.Column("skills", sa.Text(), nullable=False),
        sa.Column("location", sa.String(100), nullable=False),
        sa.Column("website", URL, nullable=True),
        sa.Column("github", sa.String(40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
    )
    op.create_table(
        "profile_handles",
        sa.Column("handle", sa.String(40), primary_key=True),
        sa.Column("user_id", ID, nullable=False),
    )
    op.create_index("ix_profile_handles_user_id", "profile_handles", ["user_id"])


def _interactions() -> None:
    op.create_table(
        "stars",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("is_set", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "user_id", name="pk_stars"),
    )
    op.create_index("ix_stars_user_newest", "stars", ["user_id", "at", "project_id"])
    op.create_table(
        "interactions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("visitor", sa.String(16), nullable=False),
        sa.Column("robot", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_interactions_project_id_hour", "interactions", ["project_id", "hour"])


def _counters() -> None:
    op.create_table(
        "project_counters",
        sa.Column("project_id", ID, primary_key=True),
        sa.Column("stars", sa.BigInteger(), nullable=False),
        sa.Column("downloads", sa.BigInteger(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.Column("robot_downloads", sa.BigInteger(), nullable=False),
        sa.Column("robot_views", sa.BigInteger(), nullable=False),
        sa.Column("trend", sa.Double(), nullable=True),
        sa.Column("stars_elsewhere", sa.BigInteger(), nullable=False),
        sa.Column("downloads_elsewhere", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "project_days",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("downloads", sa.BigInteger(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.Column("robot_downloads", sa.BigInteger(), nullable=False),
        sa.Column("robot_views", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "day", name="pk_project_days"),
    )


def _imports() -> None:
    op.create_table(
        "project_imports",
        sa.Column("id", ID, primary_key=True),
        sa.Column("by_id", ID, nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("imported", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("alive_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
    )
    op.create_table(
        "project_import_refusals",
        sa.Column("import_id", ID, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "line", name="pk_project_import_refusals"),
    )


def _requests() -> None:
    op.create_table(
        "project_requests",
        sa.Column("principal_id", ID, nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("made_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("principal_id", "key", name="pk_project_requests"),
    )
    op.create_index("ix_project_requests_at", "project_requests", ["at"])
