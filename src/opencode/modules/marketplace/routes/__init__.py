"""HTTP in: read, call, answer. All paths are under `/api/v1`, but feeds, pages, and what tells robots of them."""

from litestar.types import ControllerRouterHandler

from opencode.modules.marketplace.routes.catalogue import CatalogueController
from opencode.modules.marketplace.routes.collections import CollectionsController
from opencode.modules.marketplace.routes.drafts import DraftsController
from opencode.modules.marketplace.routes.feeds import FeedsController
from opencode.modules.marketplace.routes.files import FilesController
from opencode.modules.marketplace.routes.following import FollowingController
from opencode.modules.marketplace.routes.imports import ImportsController
from opencode.modules.marketplace.routes.markdown import render_markdown
from opencode.modules.marketplace.routes.moderation import CasesController, ReportsController, count_waiting_cases
from opencode.modules.marketplace.routes.orders import (
    OrdersController,
    check_ledger,
    get_own_purchase,
    list_own_entitlements,
    list_own_orders,
    list_own_sales,
    make_licence_key,
    place_order,
    verify_licence,
)
from opencode.modules.marketplace.routes.people import PeopleController, get_own_profile
from opencode.modules.marketplace.routes.projects import ProjectsController, list_own_projects
from opencode.modules.marketplace.routes.proofs import ProofsController
from opencode.modules.marketplace.routes.releases import ReleasesController
from opencode.modules.marketplace.routes.reviews import ReviewsController
from opencode.modules.marketplace.routes.sitemaps import get_sitemap, get_sitemap_index
from opencode.modules.marketplace.routes.suggestions import SuggestionsController
from opencode.modules.marketplace.routes.webhooks import hear_stripe

ROUTES: tuple[ControllerRouterHandler, ...] = (
    ProjectsController,
    ReleasesController,
    FilesController,
    CatalogueController,
    ImportsController,
    CasesController,
    ReportsController,
    count_waiting_cases,
    PeopleController,
    FollowingController,
    ReviewsController,
    CollectionsController,
    FeedsController,
    ProofsController,
    get_own_profile,
    list_own_projects,
    OrdersController,
    place_order,
    get_own_purchase,
    list_own_orders,
    list_own_sales,
    list_own_entitlements,
    make_licence_key,
    verify_licence,
    check_ledger,
    hear_stripe,
    DraftsController,
    SuggestionsController,
    render_markdown,
    get_sitemap_index,
    get_sitemap,
)
"""Every handler of the module."""
