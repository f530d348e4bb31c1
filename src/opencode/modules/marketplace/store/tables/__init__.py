"""The tables, by subject. Ids of accounts are another module's: kept, never referenced by a foreign key."""

from opencode.modules.marketplace.store.tables.collections import collection_items, collections
from opencode.modules.marketplace.store.tables.counting import counters, days, interactions, stars, uses
from opencode.modules.marketplace.store.tables.following import followed_searches, follows, search_keys
from opencode.modules.marketplace.store.tables.moderation import cases, reports, steps
from opencode.modules.marketplace.store.tables.orders import (
    entitlements,
    invoice_counters,
    ledger_entries,
    ledger_transactions,
    orders,
    payment_events,
    refunds,
)
from opencode.modules.marketplace.store.tables.projects import (
    draft_readings,
    handles,
    profiles,
    projects,
    readings,
    slugs,
)
from opencode.modules.marketplace.store.tables.purges import purges
from opencode.modules.marketplace.store.tables.releases import release_files, releases, spent_file_names
from opencode.modules.marketplace.store.tables.reviews import review_marks, reviews
from opencode.modules.marketplace.store.tables.trust import proofs, reputations
from opencode.modules.marketplace.store.tables.upkeep import errand_reports, errands, imports, refusals, requests

__all__ = [
    "cases",
    "collection_items",
    "collections",
    "counters",
    "days",
    "draft_readings",
    "entitlements",
    "errand_reports",
    "errands",
    "followed_searches",
    "follows",
    "handles",
    "imports",
    "interactions",
    "invoice_counters",
    "ledger_entries",
    "ledger_transactions",
    "orders",
    "payment_events",
    "profiles",
    "projects",
    "proofs",
    "purges",
    "readings",
    "refunds",
    "refusals",
    "release_files",
    "releases",
    "reports",
    "reputations",
    "requests",
    "review_marks",
    "reviews",
    "search_keys",
    "slugs",
    "spent_file_names",
    "stars",
    "steps",
    "uses",
]
