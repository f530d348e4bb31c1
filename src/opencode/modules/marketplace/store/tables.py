"""The tables. Ids of accounts are another module's: kept, never referenced by a foreign key."""

from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

from opencode.infra.db import UtcDateTime, Word, metadata, request_table
from opencode.modules.marketplace.domain.agreement import Disagreement
from opencode.modules.marketplace.domain.catalog import PriceFilter
from opencode.modules.marketplace.domain.claims import Claims
from opencode.modules.marketplace.domain.collection import MAX_COLLECTION_TITLE, MAX_NOTE, Visibility
from opencode.modules.marketplace.domain.counting import Kind
from opencode.modules.marketplace.domain.errands import ErrandKind, ReportState
from opencode.modules.marketplace.domain.following import (
    MAX_SEARCH_LICENSE,
    MAX_SEARCH_NAME,
    MAX_SEARCH_TEXT,
    FollowKind,
)
from opencode.modules.marketplace.domain.importing import ImportState
from opencode.modules.marketplace.domain.ledger import Account, Happening
from opencode.modules.marketplace.domain.moderation import (
    CaseKind,
    CaseState,
    Decision,
    Hold,
    ReportReason,
    StepKind,
    SubjectKind,
)
from opencode.modules.marketplace.domain.orders import OrderState, RefundState
from opencode.modules.marketplace.domain.payments import Outcome
from opencode.modules.marketplace.domain.project import ProjectStatus
from opencode.modules.marketplace.domain.proofs import MAX_KEY_BYTES, ProofMethod, ProofState
from opencode.modules.marketplace.domain.releases import MAX_FILE_NAME
from opencode.modules.marketplace.domain.review import MAX_REVIEW_TITLE
from opencode.modules.marketplace.domain.slugs import MAX_HANDLE, MAX_NAME
from opencode.modules.marketplace.domain.versions import LONGEST as LONGEST_VERSION


class Words(TypeDecorator[tuple[str, ...]]):
    """Several words, in order, as a JSON array."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else msgspec.json.decode(value, type=tuple[str, ...])


class ClaimsText(TypeDecorator[Claims]):
    """What was heard of an order's refunds and disputes, as a JSON object."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Claims | None, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Claims | None:
        return None if value is None else msgspec.json.decode(value, type=Claims)


_ID = String(40)
_URL = String(2000)
MAX_SUBJECT_NAME = 200

projects = Table(
    "projects",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("owner_id", _ID, nullable=False),
    Column("name", String(MAX_NAME), nullable=False),
    Column("title", String(120), nullable=False),
    Column("summary", String(300), nullable=False),
    Column("description", Text, nullable=False),
    Column("technologies", Words, nullable=False),
    Column("license", String(300), nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=True),
    Column("repository_url", _URL, nullable=True),
    Column("demo_url", _URL, nullable=True),
    Column("documentation_url", _URL, nullable=True),
    Column("tags", Words, nullable=False),
    Column("status", Word(ProjectStatus), nullable=False),
    Column("featured", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime, nullable=True),
    Column("held_from", Word(ProjectStatus), nullable=True),
    # Of the proof that holds, kept here for lists.
    Column("verified_method", Word(ProofMethod), nullable=True),
    Column("verified_at", UtcDateTime, nullable=True),
    Column("latest_version", String(LONGEST_VERSION), nullable=True),
    # Another number by chance after each change of what the catalogue shows; see `domain.snapshots`.
    Column("row_version", BigInteger, nullable=False, server_default="0"),
    Index("ix_projects_owner_newest", "owner_id", "created_at", "id"),
    Index("ix_projects_owner_published", "owner_id", "status", "published_at", "id"),
    # The catalogue is read in this order when a server starts; the versions of all from nothing but this index.
    Index("ix_projects_status_id_version", "status", "id", "row_version"),
)

# Every name that a project has or had: looked up, redirected from and kept unique in one place.
slugs = Table(
    "project_slugs",
    metadata,
    Column("owner_id", _ID, nullable=False),
    Column("name", String(MAX_NAME), nullable=False),
    Column("project_id", _ID, nullable=False),
    PrimaryKeyConstraint("owner_id", "name"),
    Index(None, "project_id"),
)

profiles = Table(
    "profiles",
    metadata,
    Column("user_id", _ID, primary_key=True),
    Column("handle", String(MAX_HANDLE), nullable=False),
    Column("display_name", String(80), nullable=False),
    Column("bio", Text, nullable=False),
    Column("avatar", _URL, nullable=True),
    Column("skills", Words, nullable=False),
    Column("location", String(100), nullable=False),
    Column("website", _URL, nullable=True),
    Column("github", String(40), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("hold", Word(Hold), nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# Every handle that somebody has or had: an old one leads to its owner, and nobody else gets it.
handles = Table(
    "profile_handles",
    metadata,
    Column("handle", String(MAX_HANDLE), primary_key=True),
    Column("user_id", _ID, nullable=False),
    Index(None, "user_id"),
)

# A star that was taken back stays as a row: setting it again and again must not look like many people's doing.
stars = Table(
    "stars",
    metadata,
    Column("project_id", _ID, nullable=False),
    Column("user_id", _ID, nullable=False),
    Column("is_set", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("project_id", "user_id"),
    Index("ix_stars_user_newest", "user_id", "at", "project_id"),
    Index(None, "at"),
)

interactions = Table(
    "interactions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("project_id", _ID, nullable=False),
    Column("kind", Word(Kind), nullable=False),
    Column("hour", Integer, nullable=False),
    Column("visitor", String(16), nullable=False),
    Column("robot", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "project_id", "hour"),
)

counters = Table(
    "project_counters",
    metadata,
    Column("project_id", _ID, primary_key=True),
    Column("stars", BigInteger, nullable=False),
    Column("downloads", BigInteger, nullable=False),
    Column("views", BigInteger, nullable=False),
    Column("robot_downloads", BigInteger, nullable=False),
    Column("robot_views", BigInteger, nullable=False),
    Column("trend", Double, nullable=True),
    # What an import brought along: counted elsewhere, so no facts of ours stand behind it.
    Column("stars_elsewhere", BigInteger, nullable=False),
    Column("downloads_elsewhere", BigInteger, nullable=False),
)

days = Table(
    "project_days",
    metadata,
    Column("project_id", _ID, nullable=False),
    Column("day", Integer, nullable=False),
    Column("downloads", BigInteger, nullable=False),
    Column("views", BigInteger, nullable=False),
    Column("robot_downloads", BigInteger, nullable=False),
    Column("robot_views", BigInteger, nullable=False),
    PrimaryKeyConstraint("project_id", "day"),
)

imports = Table(
    "project_imports",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("by_id", _ID, nullable=False),
    Column("state", Word(ImportState), nullable=False),
    Column("lines", Integer, nullable=False),
    Column("imported", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("alive_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=True),
)

refusals = Table(
    "project_import_refusals",
    metadata,
    Column("import_id", _ID, nullable=False),
    Column("line", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("import_id", "line"),
)

# In the order of versions, which their keys have in every database and language.
releases = Table(
    "releases",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("project_id", _ID, nullable=False),
    Column("version", String(LONGEST_VERSION), nullable=False),
    Column("version_key", String(400), nullable=False),
    Column("notes", Text, nullable=False),
    Column("prerelease", Boolean, nullable=False),
    Column("yanked", Boolean, nullable=False),
    Column("downloaded", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("uq_releases_project_version", "project_id", "version_key", unique=True),
)

release_files = Table(
    "release_files",
    metadata,
    Column("release_id", _ID, nullable=False),
    Column("name", String(MAX_FILE_NAME), nullable=False),
    Column("project_id", _ID, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("release_id", "name"),
    Index(None, "project_id"),
    # Asked before a content is deleted: does any file have it?
    Index(None, "sha256"),
)

# Names that a file had which people could see, and which content: after the file was deleted.
spent_file_names = Table(
    "spent_file_names",
    metadata,
    Column("project_id", _ID, nullable=False),
    Column("version_key", String(400), nullable=False),
    Column("name", String(MAX_FILE_NAME), nullable=False),
    Column("sha256", String(64), nullable=False),
    PrimaryKeyConstraint("project_id", "version_key", "name"),
)

# What an operator asked of every process that has the catalogue, and what each reported.
errands = Table(
    "catalogue_errands",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("kind", Word(ErrandKind), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Index(None, "asked_at"),
)

errand_reports = Table(
    "catalogue_reports",
    metadata,
    Column("errand_id", _ID, nullable=False),
    Column("process", String(300), nullable=False),
    Column("state", Word(ReportState), nullable=False),
    Column("projects", Integer, nullable=False),
    Column("indexed", Integer, nullable=False),
    *(Column(what.value, Integer, nullable=False) for what in Disagreement),
    Column("first", Words, nullable=False),
    Column("message", Text, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=True),
    PrimaryKeyConstraint("errand_id", "process"),
)

requests = request_table("project_requests")

# One order of somebody for a project can be pending: two clicks at the same moment make one.
_IS_PENDING = text("state = 'pending'")
_IS_REQUESTED = text("state = 'requested'")
_IS_WAITING = text("outcome = 'waiting'")

orders = Table(
    "orders",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("project_id", _ID, nullable=False),
    Column("slug", String(MAX_HANDLE + 1 + MAX_NAME), nullable=False),
    Column("title", String(120), nullable=False),
    Column("buyer_id", _ID, nullable=False),
    Column("buyer_handle", String(MAX_HANDLE), nullable=False),
    Column("seller_id", _ID, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("provider", String(40), nullable=False),
    Column("state", Word(OrderState), nullable=False),
    Column("invoice_number", String(40), nullable=True),
    Column("checkout_id", String(255), nullable=True),
    Column("checkout_url", _URL, nullable=True),
    Column("payment_reference", String(255), nullable=True),
    Column("heard_back_minor", BigInteger, nullable=False),
    Column("claims", ClaimsText, nullable=False, server_default='{"refunds":[],"disputes":[]}'),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("paid_at", UtcDateTime, nullable=True),
    Index("ix_orders_buyer_newest", "buyer_id", "created_at", "id"),
    Index("ix_orders_seller_newest", "seller_id", "created_at", "id"),
    Index("ix_orders_project_state", "project_id", "state"),
    Index("ix_orders_payment_reference", "payment_reference"),
    Index(
        "uq_orders_open", "buyer_id", "project_id", unique=True, sqlite_where=_IS_PENDING, postgresql_where=_IS_PENDING
    ),
    Index("ix_orders_due", "expires_at", sqlite_where=_IS_PENDING, postgresql_where=_IS_PENDING),
)

refunds = Table(
    "order_refunds",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("order_id", _ID, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("state", Word(RefundState), nullable=False),
    Column("by_id", _ID, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "order_id"),
    Index("uq_order_refunds_open", "order_id", unique=True, sqlite_where=_IS_REQUESTED, postgresql_where=_IS_REQUESTED),
)

# The last number that each seller's invoices have got.
invoice_counters = Table(
    "invoice_counters",
    metadata,
    Column("seller_id", _ID, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

# What providers told, by their own ids. No bodies: they hold names and addresses of buyers, which nobody needs here.
payment_events = Table(
    "payment_events",
    metadata,
    Column("provider", String(40), nullable=False),
    Column("id", String(255), nullable=False),
    Column("kind", String(255), nullable=False),
    Column("order_id", _ID, nullable=True),
    Column("reference", String(255), nullable=True),
    Column("fact", Text, nullable=True),
    Column("outcome", Word(Outcome), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("provider", "id"),
    Index("ix_payment_events_waiting", "received_at", sqlite_where=_IS_WAITING, postgresql_where=_IS_WAITING),
)

# Rows of these two are written once: triggers of the migration refuse every change.
ledger_transactions = Table(
    "ledger_transactions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("key", String(100), nullable=False),
    Column("order_id", _ID, nullable=False),
    Column("happening", Word(Happening), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("key"),
    Index(None, "order_id"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("transaction_id", _ID, nullable=False),
    Column("line", Integer, nullable=False),
    Column("account", Word(Account), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("transaction_id", "line"),
)

entitlements = Table(
    "entitlements",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("project_id", _ID, nullable=False),
    Column("user_id", _ID, nullable=False),
    Column("order_id", _ID, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("activated_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime, nullable=True),
    # SHA-256 of the licence key, which nobody can read again; its last letters tell keys apart.
    Column("key_hash", String(64), nullable=True),
    Column("key_last4", String(4), nullable=True),
    Column("key_issued_at", UtcDateTime, nullable=True),
    UniqueConstraint("order_id"),
    UniqueConstraint("key_hash"),
    Index("ix_entitlements_user_newest", "user_id", "activated_at", "id"),
    Index("ix_entitlements_user_project", "user_id", "project_id"),
)

follows = Table(
    "follows",
    metadata,
    Column("kind", Word(FollowKind), nullable=False),
    Column("target_id", _ID, nullable=False),
    Column("follower_id", _ID, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # Followers are told in this order, some at a time.
    PrimaryKeyConstraint("kind", "target_id", "follower_id"),
    Index("ix_follows_follower_newest", "follower_id", "at", "target_id"),
)

followed_searches = Table(
    "followed_searches",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("user_id", _ID, nullable=False),
    Column("name", String(MAX_SEARCH_NAME), nullable=False),
    Column("text", String(MAX_SEARCH_TEXT), nullable=False),
    Column("technologies", Words, nullable=False),
    Column("tags", Words, nullable=False),
    Column("license", String(MAX_SEARCH_LICENSE), nullable=False),
    Column("price", Word(PriceFilter), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("fingerprint", String(32), nullable=False),
    # The same search is followed once.
    Index(None, "user_id", "fingerprint", unique=True),
)

# What each followed search is filed under: a new project is held only against those with one of its own words.
search_keys = Table(
    "followed_search_keys",
    metadata,
    Column("key", BigInteger, nullable=False),
    Column("search_id", _ID, nullable=False),
    PrimaryKeyConstraint("key", "search_id"),
    Index(None, "search_id"),
)

# Who has downloaded what: written once for each person and project, with the first download that counted. Facts of
# counting do not tell, on purpose.
uses = Table(
    "project_uses",
    metadata,
    Column("project_id", _ID, nullable=False),
    Column("user_id", _ID, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("project_id", "user_id"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("project_id", _ID, nullable=False),
    Column("author_id", _ID, nullable=False),
    Column("rating", Integer, nullable=False),
    Column("title", String(MAX_REVIEW_TITLE), nullable=False),
    Column("body", Text, nullable=False),
    Column("helpful", Integer, nullable=False),
    Column("reply", Text, nullable=True),
    Column("replied_at", UtcDateTime, nullable=True),
    Column("hold", Word(Hold), nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # One person has one review of a project.
    Index("ix_reviews_project_author", "project_id", "author_id", unique=True),
    Index("ix_reviews_project_newest", "project_id", "created_at", "id"),
    Index("ix_reviews_project_helpful", "project_id", "helpful", "id"),
    Index("ix_reviews_project_rating", "project_id", "rating", "id"),
)

review_marks = Table(
    "review_marks",
    metadata,
    Column("review_id", _ID, nullable=False),
    Column("user_id", _ID, nullable=False),
    PrimaryKeyConstraint("review_id", "user_id"),
)

collections = Table(
    "collections",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("owner_id", _ID, nullable=False),
    Column("title", String(MAX_COLLECTION_TITLE), nullable=False),
    Column("description", Text, nullable=False),
    Column("visibility", Word(Visibility), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_collections_owner_newest", "owner_id", "created_at", "id"),
)

collection_items = Table(
    "collection_items",
    metadata,
    Column("collection_id", _ID, nullable=False),
    Column("project_id", _ID, nullable=False),
    Column("place", Integer, nullable=False),
    Column("note", String(MAX_NOTE), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("collection_id", "project_id"),
    Index("ix_collection_items_order", "collection_id", "place", "project_id"),
    Index(None, "project_id"),
)

# One for each subject, so that what was decided before is never overlooked. It stays when its subject is deleted.
cases = Table(
    "moderation_cases",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("subject_kind", Word(SubjectKind), nullable=False),
    Column("subject_id", _ID, nullable=False),
    Column("owner_id", _ID, nullable=False),
    Column("subject_name", String(MAX_SUBJECT_NAME), nullable=False),
    Column("subject_path", String(MAX_SUBJECT_NAME), nullable=False),
    Column("kind", Word(CaseKind), nullable=False),
    Column("state", Word(CaseState), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("decisions", Integer, nullable=False),
    Column("decision", Word(Decision), nullable=True),
    Column("reason", Text, nullable=False),
    Column("decided_by", _ID, nullable=True),
    Column("decided_at", UtcDateTime, nullable=True),
    Column("appealed", Boolean, nullable=False),
    UniqueConstraint("subject_kind", "subject_id"),
    Index("ix_moderation_cases_queue", "state", "opened_at", "id"),
    Index(None, "owner_id"),
)

reports = Table(
    "moderation_reports",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("case_id", _ID, nullable=False),
    Column("reporter_id", _ID, nullable=False),
    Column("reason", Word(ReportReason), nullable=False),
    Column("text", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "case_id", "is_open"),
)

steps = Table(
    "moderation_steps",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("case_id", _ID, nullable=False),
    Column("kind", Word(StepKind), nullable=False),
    Column("actor_id", _ID, nullable=False),
    Column("decision", Word(Decision), nullable=True),
    Column("text", Text, nullable=False),
    Column("impartial", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "case_id"),
)

proofs = Table(
    "ownership_proofs",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("project_id", _ID, nullable=False),
    Column("owner_id", _ID, nullable=False),
    Column("method", Word(ProofMethod), nullable=False),
    Column("repository", String(MAX_KEY_BYTES), nullable=False),
    Column("state", Word(ProofState), nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("checked_at", UtcDateTime, nullable=True),
    Column("verified_at", UtcDateTime, nullable=True),
    Column("failed_since", UtcDateTime, nullable=True),
    Column("next_check_at", UtcDateTime, nullable=True),
    UniqueConstraint("project_id", "method"),
    Index(None, "repository"),
    Index(None, "next_check_at"),
)

reputations = Table(
    "reputations",
    metadata,
    Column("user_id", _ID, primary_key=True),
    Column("score", Integer, nullable=False),
    Column("trust", Double, nullable=False),
    Column("admirers", Integer, nullable=False),
    Column("has_proof", Boolean, nullable=False),
    Column("computed_at", UtcDateTime, nullable=False),
    Index(None, "trust"),
    Index(None, "computed_at"),
)
