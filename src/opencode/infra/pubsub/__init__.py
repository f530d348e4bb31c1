"""Telling everyone who listens right now: in this process, or on Redis when there are several."""

from opencode.infra.pubsub.base import LAGGED, Lagged, PubSub, Subscription
from opencode.infra.pubsub.memory import MemoryPubSub
from opencode.infra.pubsub.redis import RedisPubSub

__all__ = ["LAGGED", "Lagged", "MemoryPubSub", "PubSub", "RedisPubSub", "Subscription"]
