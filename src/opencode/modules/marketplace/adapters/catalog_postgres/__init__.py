"""The index of the catalogue in PostgreSQL: its full text with our own words, one index for all processes."""

from opencode.modules.marketplace.adapters.catalog_postgres.index import PostgresCatalog

__all__ = ["PostgresCatalog"]
