"""The tables of interviews and their SQL. What comes out are structs of `domain`."""

from opencode.modules.interviews.store.work import InterviewsWork, News, Stores, reading, tell_in_passing, topic_of

__all__ = ["InterviewsWork", "News", "Stores", "reading", "tell_in_passing", "topic_of"]
