"""The index of the catalogue that is ours: words and labels in flat arrays, orders beside them."""

from opencode.modules.marketplace.adapters.catalog.at_once import AtOnce, PromptIndex
from opencode.modules.marketplace.adapters.catalog.embedded import EmbeddedCatalog

__all__ = ["AtOnce", "EmbeddedCatalog", "PromptIndex"]
