"""Interviews: the people in them, runs, chat, signals, events, and the keys of requests that made something."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _interviews()
    _participants()
    _runs()
    _records()
    _requests()


def _interviews() -> None:
    op.create_table(
        "interviews",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("open_code", sa.String(12), nullable=True),
        sa.Column("code_expires_at", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("language", sa.String(60), nullable=False),
        sa.Column("languages", sa.Text(), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("document_id", sa.String(40), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("interviewer_id", sa.String(40), nullable=False),
        sa.Column("interviewer_name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("last_seq", sa.Integer(), nullable=False, server_default="0"),
        sa.UniqueConstraint("open_code", name="uq_interviews_open_code"),
    )
    op.create_index("ix_interviews_interviewer_newest", "interviews", ["interviewer_id", "created_at", "id"])
    op.create_index("ix_interviews_state_ends_at", "interviews", ["state", "ends_at"])
    op.create_index("ix_interviews_code_expires_at", "interviews", ["code_expires_at"])


def _participants() -> None:
    op.create_table(
        "interview_participants",
        sa.Column("interview_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("colour", sa.Integer(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("admitted_at", sa.BigInteger(), nullable=True),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("online_at", sa.BigInteger(), nullable=True),
        sa.Column("dismiss_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("interview_id", "id", name="pk_interview_participants"),
    )
    op.create_index("ix_interview_participants_oldest", "interview_participants", ["interview_id", "joined_at", "id"])
    op.create_index("ix_interview_participants_dismiss_at", "interview_participants", ["dismiss_at"])


def _runs() -> None:
    op.create_table(
        "interview_runs",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("interview_id", sa.String(40), nullable=False),
        sa.Column("language", sa.String(60), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stdin", sa.Text(), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("requested_by_id", sa.String(40), nullable=False),
        sa.Column("requested_by_name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("alive_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("stdout", sa.Text(), nullable=False),
        sa.Column("stderr", sa.Text(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("signal", sa.String(40), nullable=True),
        sa.Column("status", sa.String(40), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("stage", sa.String(20), nullable=True),
        sa.Column("cpu_time_ms", sa.Integer(), nullable=True),
        sa.Column("wall_time_ms", sa.Integer(), nullable=True),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_interview_runs_newest", "interview_runs", ["interview_id", "created_at", "id"])
    op.create_index("ix_interview_runs_state_alive_at", "interview_runs", ["state", "alive_at"])


def _records() -> None:
    op.create_table(
        "interview_messages",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("interview_id", sa.String(40), nullable=False),
        sa.Column("author_id", sa.String(40), nullable=False),
        sa.Column("author_name", sa.String(200), nullable=False),
        sa.Column("author_role", sa.String(40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_interview_messages_oldest", "interview_messages", ["interview_id", "at", "id"])
    op.create_table(
        "interview_signals",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("interview_id", sa.String(40), nullable=False),
        sa.Column("participant_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.String(60), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("column", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_interview_signals_newest", "interview_signals", ["interview_id", "at", "id"])
    op.create_table(
        "interview_events",
        sa.Column("interview_id", sa.String(40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("audience", sa.String(40), nullable=False),
        sa.Column("about", sa.String(40), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("interview_id", "seq", name="pk_interview_events"),
    )


def _requests() -> None:
    op.create_table(
        "interview_requests",
        sa.Column("principal_id", sa.String(40), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("made_id", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("principal_id", "key", name="pk_interview_requests"),
    )
    op.create_index("ix_interview_requests_at", "interview_requests", ["at"])
