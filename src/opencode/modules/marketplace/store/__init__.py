"""The tables of the marketplace and their SQL. What comes out are structs of `domain`."""

from opencode.modules.marketplace.store.glances import read_cards, read_project
from opencode.modules.marketplace.store.work import MarketplaceWork, Stores, reading

__all__ = ["MarketplaceWork", "Stores", "read_cards", "read_project", "reading"]
