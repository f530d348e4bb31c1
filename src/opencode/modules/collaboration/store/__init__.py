"""Tables and SQL of shared documents: who owns them, and their update log."""

from opencode.modules.collaboration.store.documents import DocumentRow, DocumentStore, Work
from opencode.modules.collaboration.store.log import SqlUpdateLog
from opencode.modules.collaboration.store.sqlite_log import SqliteUpdateLog

__all__ = ["DocumentRow", "DocumentStore", "SqlUpdateLog", "SqliteUpdateLog", "Work"]
