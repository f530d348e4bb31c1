"""The tables of AI and their SQL. What comes out are structs of `domain`."""

from opencode.modules.ai.store.work import AiWork, Stores, reading, writing

__all__ = ["AiWork", "Stores", "reading", "writing"]
