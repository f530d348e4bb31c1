"""Trust in the marketplace: reports and cases, what is held, proofs of ownership, reputation."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

ID = sa.String(40)
WORD = sa.String(40)
NAME = sa.String(200)
MOMENT = sa.BigInteger()


def upgrade() -> None:
    _moderation()
    _proofs()
    _reputation()


def _moderation() -> None:
    op.add_column("projects", sa.Column("held_from", WORD, nullable=True))
    op.create_table(
        "moderation_cases",
        sa.Column("id", ID, primary_key=True),
        sa.Column("subject_kind", WORD, nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("subject_name", NAME, nullable=False),
        sa.Column("subject_path", NAME, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("decisions", sa.Integer(), nullable=False),
        sa.Column("decision", WORD, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("appealed", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("subject_kind", "subject_id", name="uq_moderation_cases_subject_kind_subject_id"),
    )
    op.create_index("ix_moderation_cases_queue", "moderation_cases", ["state", "opened_at", "id"])
    op.create_index("ix_moderation_cases_owner_id", "moderation_cases", ["owner_id"])
    op.create_table(
        "moderation_reports",
        sa.Column("id", ID, primary_key=True),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("reporter_id", ID, nullable=False),
        sa.Column("reason", WORD, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_moderation_reports_case_id_is_open", "moderation_reports", ["case_id", "is_open"])
    op.create_table(
        "moderation_steps",
        sa.Column("id", ID, primary_key=True),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("decision", WORD, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("impartial", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_moderation_steps_case_id", "moderation_steps", ["case_id"])


def _proofs() -> None:
    op.add_column("projects", sa.Column("verified_method", WORD, nullable=True))
    op.add_column("projects", sa.Column("verified_at", MOMENT, nullable=True))
    op.create_table(
        "ownership_proofs",
        sa.Column("id", ID, primary_key=True),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("method", WORD, nullable=False),
        sa.Column("repository", sa.String(500), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("checked_at", MOMENT, nullable=True),
        sa.Column("verified_at", MOMENT, nullable=True),
        sa.Column("failed_since", MOMENT, nullable=True),
        sa.Column("next_check_at", MOMENT, nullable=True),
        sa.UniqueConstraint("project_id", "method", name="uq_ownership_proofs_project_id_method"),
    )
    op.create_index("ix_ownership_proofs_repository", "ownership_proofs", ["repository"])
    op.create_index("ix_ownership_proofs_next_check_at", "ownership_proofs", ["next_check_at"])


def _reputation() -> None:
    op.create_index("ix_stars_at", "stars", ["at"])
    op.create_table(
        "reputations",
        sa.Column("user_id", ID, primary_key=True),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("trust", sa.Double(), nullable=False),
        sa.Column("admirers", sa.Integer(), nullable=False),
        sa.Column("has_proof", sa.Boolean(), nullable=False),
        sa.Column("computed_at", MOMENT, nullable=False),
    )
    op.create_index("ix_reputations_trust", "reputations", ["trust"])
    op.create_index("ix_reputations_computed_at", "reputations", ["computed_at"])
