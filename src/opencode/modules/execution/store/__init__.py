"""The tables of runs, and their SQL."""

from opencode.modules.execution.store.work import ExecutionWork, News, Stores, reading, topic_of

__all__ = ["ExecutionWork", "News", "Stores", "reading", "topic_of"]
