"""
Keeping what took work to make: in this process, and with `infra.cache.redis` between several. That one is not loaded
here: a server without Redis should not wait for it when it starts.
"""

from opencode.infra.cache.base import Kept, Made, Shelf
from opencode.infra.cache.cache import Cache
from opencode.infra.cache.memory import MemoryShelf

__all__ = ["Cache", "Kept", "Made", "MemoryShelf", "Shelf"]
