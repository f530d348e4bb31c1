"""The tables of notifications and their SQL. What comes out are structs of `domain`."""

from opencode.modules.notifications.store.work import Heard, NotificationsWork, Stores, reading, tell, topic_of

__all__ = ["Heard", "NotificationsWork", "Stores", "reading", "tell", "topic_of"]
