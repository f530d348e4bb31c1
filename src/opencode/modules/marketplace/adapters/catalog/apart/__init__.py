"""An index that has a process of its own: the server's side of it, and the other one."""

from opencode.modules.marketplace.adapters.catalog.apart.client import ApartCatalog

__all__ = ["ApartCatalog"]
