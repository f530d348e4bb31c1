"""The public pages of the marketplace: which there are, and what each says to whoever runs no scripts."""

from opencode.modules.marketplace.routes.pages.offers import MarketplacePages

__all__ = ["MarketplacePages"]
