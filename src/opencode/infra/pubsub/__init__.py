"""
Telling everyone who listens right now: in this process, or through `infra.pubsub.redis` when there are several. That
one is not loaded here: a server without Redis should not wait for it when it starts.
"""

from opencode.infra.pubsub.base import LAGGED, Lagged, PubSub, Subscription
from opencode.infra.pubsub.listening import Listener, Listeners
from opencode.infra.pubsub.memory import MemoryPubSub

__all__ = ["LAGGED", "Lagged", "Listener", "Listeners", "MemoryPubSub", "PubSub", "Subscription"]
