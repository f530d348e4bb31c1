"""The database: SQLite embedded or PostgreSQL scaled out, the same tables and the same SQL."""

from opencode.infra.db.database import Database, in_drivers_thread
from opencode.infra.db.glance import Glance, Glimpse
from opencode.infra.db.pages import newest_first, time_keys
from opencode.infra.db.requests import RequestStore, fingerprint, request_table
from opencode.infra.db.tables import UtcDateTime, Word, metadata, outbox
from opencode.infra.db.work import UnitOfWork

__all__ = [
    "Database",
    "Glance",
    "Glimpse",
    "RequestStore",
    "UnitOfWork",
    "UtcDateTime",
    "Word",
    "fingerprint",
    "in_drivers_thread",
    "metadata",
    "newest_first",
    "outbox",
    "request_table",
    "time_keys",
]
