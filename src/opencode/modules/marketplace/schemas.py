"""What goes in and out over HTTP."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import UNSET, Meta, UnsetType

from opencode.infra.http import Body
from opencode.kernel.errors import FieldProblem
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.domain import profile as profiles
from opencode.modules.marketplace.domain.agreement import Agreement, Disagreement
from opencode.modules.marketplace.domain.catalog import Facets, FacetValue, PriceFilter
from opencode.modules.marketplace.domain.collection import (
    ShownCollection,
    ShownItem,
    Visibility,
    checked_collection,
    checked_note,
)
from opencode.modules.marketplace.domain.entitlements import Entitlement
from opencode.modules.marketplace.domain.errands import Errand, ErrandReport, ReportState
from opencode.modules.marketplace.domain.following import FollowedSearch, FollowKind, checked_search
from opencode.modules.marketplace.domain.importing import Import, ImportState, RefusedLine
from opencode.modules.marketplace.domain.ledger import Account, Check, Happening, Transaction
from opencode.modules.marketplace.domain.moderation import (
    Case,
    CaseKind,
    CaseState,
    Decision,
    Report,
    ReportReason,
    Step,
    StepKind,
    SubjectKind,
    reason_problems,
    report_problems,
)
from opencode.modules.marketplace.domain.money import Price
from opencode.modules.marketplace.domain.orders import Order, OrderState
from opencode.modules.marketplace.domain.payments import Outcome
from opencode.modules.marketplace.domain.project import Counters, ProjectStatus, checked
from opencode.modules.marketplace.domain.proofs import ProofMethod, ProofState, Verified
from opencode.modules.marketplace.domain.releases import ReleaseFile, ReleaseSummary, checked_release
from opencode.modules.marketplace.domain.reputation import Reputation
from opencode.modules.marketplace.domain.review import Ratings, ShownReview, checked_review
from opencode.modules.marketplace.domain.views import Card, Day, Shown
from opencode.modules.marketplace.errors import OrderNotFound
from opencode.modules.marketplace.policy import Side, side_of
from opencode.modules.marketplace.service.browsing import FoundPage
from opencode.modules.marketplace.service.drafting import ReadProject
from opencode.modules.marketplace.service.entitling import NewKey
from opencode.modules.marketplace.service.following import Followed, FollowState
from opencode.modules.marketplace.service.lines import PriceBody, ProjectBody, price_pair, rule_values
from opencode.modules.marketplace.service.moderating import CaseShown
from opencode.modules.marketplace.service.ordering import Purchase
from opencode.modules.marketplace.service.people import Person
from opencode.modules.marketplace.service.proving import ProofShown
from opencode.modules.marketplace.service.releasing import ShownRelease
from opencode.modules.marketplace.service.resembling import NameChecked, Similar
from opencode.modules.marketplace.service.reviewing import ReviewPage

# Bodies only say what kind of thing a field is. How long and how many, `domain` says, for all fields at once.


class ProjectDraft(ProjectBody):
    """A new project. `license` is an SPDX expression; a `price` of null, or of 0, is free."""

    status: ProjectStatus = ProjectStatus.DRAFT

    def values(self) -> dict[str, Any]:
        return _values(self)


class ProjectChange(Body):
    """What is to change; what is absent stays. `name` is the second part of the slug."""

    title: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    summary: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    technologies: list[str] | UnsetType = UNSET
    license: str | UnsetType | None = UNSET
    price: PriceBody | int | UnsetType | None = UNSET
    repository_url: str | UnsetType | None = UNSET
    demo_url: str | UnsetType | None = UNSET
    documentation_url: str | UnsetType | None = UNSET
    tags: list[str] | UnsetType = UNSET
    status: ProjectStatus | UnsetType = UNSET
    featured: bool | UnsetType = UNSET

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        named = {"name": fields["name"]} if "name" in fields else {}
        return checked({**rule_values(fields), **named})[1]

    def values(self) -> dict[str, Any]:
        return _values(self)


class ReleaseDraft(Body):
    """A new release. `notes` is Markdown; a `prerelease` of null is what the version says by itself."""

    version: str
    notes: str = ""
    prerelease: bool | None = None

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_release(fields)[1]

    def values(self) -> dict[str, Any]:
        return _values(self)


class ReleaseChange(Body):
    """What is to change; what is absent stays. A yanked release is offered to nobody, and stays for who needs it."""

    notes: str | UnsetType = UNSET
    prerelease: bool | UnsetType = UNSET
    yanked: bool | UnsetType = UNSET

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_release(fields)[1]

    def values(self) -> dict[str, Any]:
        return _values(self)


class DraftAddress(Body):
    """The address of a project's page on a code host or package index that this server knows."""

    url: str


class MarkdownBody(Body):
    """Markdown, at most 200,000 bytes. `repository_url`: where its relative links and pictures lead."""

    text: str
    repository_url: str | None = None


class ProfileChange(Body):
    """What is to change of one's profile; what is absent stays."""

    handle: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    bio: str | UnsetType = UNSET
    avatar: str | UnsetType | None = UNSET
    skills: list[str] | UnsetType = UNSET
    location: str | UnsetType = UNSET
    website: str | UnsetType | None = UNSET
    github: str | UnsetType = UNSET

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return profiles.checked(fields)[1]

    def values(self) -> dict[str, Any]:
        return _values(self)


def _values(body: Body) -> dict[str, Any]:
    present = {name: getattr(body, name) for name in body.__struct_fields__}
    values = {name: value for name, value in present.items() if value is not UNSET}
    return {**values, "price": price_pair(values["price"])} if "price" in values else values


class OwnerView(msgspec.Struct, frozen=True):
    handle: str
    display_name: str


class PriceView(msgspec.Struct, frozen=True):
    """Minor units: 900 and EUR are 9.00 EUR."""

    amount_minor: int
    currency: str

    @classmethod
    def of(cls, price: Price) -> "PriceView | None":
        return cls(price.amount_minor, price.currency) if price.currency else None


class VerifiedView(msgspec.Struct, frozen=True):
    """The repository was proved to be the owner's."""

    method: ProofMethod
    at: datetime

    @classmethod
    def of(cls, verified: Verified | None) -> "VerifiedView | None":
        return cls(verified.method, verified.at) if verified else None


class CardView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A project in a list. A `price` of null is free; a `license` of null was not told; a `latest_version` of null: there
    is no release.
    """

    id: str
    slug: str
    name: str
    title: str
    summary: str
    owner: OwnerView
    technologies: tuple[str, ...]
    license: str | None
    price: PriceView | None
    tags: tuple[str, ...]
    status: ProjectStatus
    latest_version: str | None
    stars: int
    downloads: int
    updated_at: datetime
    featured: bool
    verified: VerifiedView | None

    @classmethod
    def of(cls, card: Card) -> Self:
        return cls(
            id=card.id,
            slug=card.slug,
            name=card.name,
            title=card.title,
            summary=card.summary,
            owner=OwnerView(card.owner_handle, card.owner_name),
            technologies=card.technologies,
            license=card.license or None,
            price=PriceView.of(card.price),
            tags=card.tags,
            status=card.status,
            latest_version=card.latest_version,
            stars=card.stars,
            downloads=card.downloads,
            updated_at=card.updated_at,
            featured=card.featured,
            verified=VerifiedView.of(card.verified),
        )


class HoldView(msgspec.Struct, frozen=True, kw_only=True):
    """Why a project is out of sight, for its owner. `may_appeal`: once for each decision."""

    reason: str
    decided_at: datetime | None
    may_appeal: bool

    @classmethod
    def of(cls, case: Case) -> "HoldView":
        return cls(reason=case.reason, decided_at=case.decided_at, may_appeal=case.may_be_appealed)


class ProjectView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A project. `downloads` and `views` are those of people; robots are counted apart. `starred`: by the caller.
    `notices` are for whoever has just made or changed it: what they should think about.
    `moderation` is null unless moderators keep the project out of sight; then its owner and they alone see it.
    `description_html` is the description, which is Markdown, as HTML that is safe to show; its relative links lead into
    the repository.
    """

    id: str
    slug: str
    name: str
    title: str
    summary: str
    description: str
    description_html: str
    owner: OwnerView
    technologies: tuple[str, ...]
    license: str | None
    price: PriceView | None
    repository_url: str | None
    demo_url: str | None
    documentation_url: str | None
    tags: tuple[str, ...]
    status: ProjectStatus
    featured: bool
    stars: int
    downloads: int
    views: int
    robot_downloads: int
    robot_views: int
    starred: bool
    verified: VerifiedView | None
    moderation: HoldView | None
    revision: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    latest_version: str | None
    notices: list[str] = []

    @classmethod
    def of(
        cls, shown: Shown, description_html: str, *, starred: bool = False, notices: Sequence[str] = ()
    ) -> "ProjectView":
        project, counters = shown.project, shown.counters
        return cls(
            id=project.id,
            slug=project.slug,
            name=project.name,
            title=project.title,
            summary=project.summary,
            description=project.description,
            description_html=description_html,
            owner=OwnerView(project.handle, shown.owner_name),
            technologies=project.technologies,
            license=project.license or None,
            price=PriceView.of(project.price),
            repository_url=project.repository_url,
            demo_url=project.demo_url,
            documentation_url=project.documentation_url,
            tags=project.tags,
            status=project.status,
            featured=project.featured,
            stars=counters.stars,
            downloads=counters.downloads,
            views=counters.views,
            robot_downloads=counters.robot_downloads,
            robot_views=counters.robot_views,
            starred=starred,
            verified=VerifiedView.of(project.verified),
            moderation=HoldView.of(shown.case) if shown.case else None,
            revision=project.revision,
            created_at=project.created_at,
            updated_at=project.updated_at,
            published_at=project.published_at,
            notices=list(notices),
            latest_version=project.latest_version,
        )


class RenderedView(msgspec.Struct, frozen=True):
    """HTML that is safe to show, whoever wrote the text."""

    html: str


class ProblemView(msgspec.Struct, frozen=True):
    """`pointer` names a field of the draft; `detail` says why it is empty."""

    pointer: str
    detail: str


class DraftView(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, ready to be edited and sent to `POST /api/v1/projects` without `problems`. Nothing is saved."""

    title: str
    summary: str
    description: str
    technologies: tuple[str, ...]
    license: str | None
    tags: tuple[str, ...]
    repository_url: str | None
    documentation_url: str | None
    demo_url: str | None
    problems: list[ProblemView]

    @classmethod
    def of(cls, read: ReadProject) -> "DraftView":
        problems = [ProblemView(problem.pointer, problem.detail) for problem in read.problems]
        return cls(**read.fields, problems=problems)


class FacetValueView(msgspec.Struct, frozen=True):
    value: str
    count: int


class FacetsView(msgspec.Struct, frozen=True):
    """How many of ALL results have each value, the most frequent first."""

    technologies: list[FacetValueView]
    license: list[FacetValueView]
    price: list[FacetValueView]
    tags: list[FacetValueView]

    @classmethod
    def of(cls, facets: Facets) -> "FacetsView":
        return cls(*map(_facet, (facets.technologies, facets.license, facets.price, facets.tags)))


def _facet(values: Sequence[FacetValue]) -> list[FacetValueView]:
    return [FacetValueView(each.value, each.count) for each in values]


class ReasonView(msgspec.Struct, frozen=True):
    """A factor of a result's score: `text`, `popularity`, `trust` or `name`. The score is their product."""

    part: str
    value: float


class ResultView(CardView, frozen=True, kw_only=True):
    """A project that was found. `why` it ranks where it does; empty where no words were searched for."""

    why: tuple[ReasonView, ...] = ()


class SearchView(msgspec.Struct, frozen=True):
    """A page of results. `corrected`: what was searched for in place of words that nothing has."""

    items: list[ResultView]
    next_cursor: str | None
    total: int
    facets: FacetsView
    corrected: str | None

    @classmethod
    def of(cls, found: FoundPage) -> "SearchView":
        items = [msgspec.structs.replace(ResultView.of(card), why=_reasons(found.why[card.id])) for card in found.cards]
        return cls(items, found.next_cursor, found.total, FacetsView.of(found.facets), found.corrected)


def _reasons(why: Iterable[tuple[str, float]]) -> tuple[ReasonView, ...]:
    return tuple(ReasonView(part, value) for part, value in why)


class CountersView(msgspec.Struct, frozen=True):
    """What people did with a project, as of now."""

    id: str
    stars: int
    downloads: int
    views: int

    @classmethod
    def of(cls, project_id: str, own: Counters) -> "CountersView":
        return cls(project_id, own.stars, own.downloads, own.views)


class StarView(msgspec.Struct, frozen=True):
    starred: bool
    stars: int


class DayView(msgspec.Struct, frozen=True):
    """What was counted on one day, UTC; `downloads` and `views` are those of people."""

    day: date
    downloads: int
    views: int
    robot_downloads: int
    robot_views: int

    @classmethod
    def of(cls, own: Day) -> "DayView":
        return cls(own.day, own.downloads, own.views, own.robot_downloads, own.robot_views)


class DaysView(msgspec.Struct, frozen=True):
    """The oldest day first; the last is today, and not over yet."""

    days: list[DayView]


class WeeksView(msgspec.Struct, frozen=True):
    """By id, people's downloads in each of the last weeks, the oldest first. Whatever has none is left out."""

    downloads: dict[str, list[int]]


class DownloadView(msgspec.Struct, frozen=True):
    url: str


class FileView(msgspec.Struct, frozen=True):
    """A file of a release. `sha256` in hex; `url` is where it is downloaded."""

    name: str
    size_bytes: int
    sha256: str
    url: str
    created_at: datetime

    @classmethod
    def of(cls, file: ReleaseFile, url: str) -> "FileView":
        return cls(file.name, file.size_bytes, file.sha256, url, file.created_at)


class ReleaseCardView(msgspec.Struct, frozen=True, kw_only=True):
    """A release in a list. `size_bytes` is that of all `files` together."""

    id: str
    version: str
    prerelease: bool
    yanked: bool
    files: int
    size_bytes: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, summary: ReleaseSummary) -> "ReleaseCardView":
        own = summary.release
        return cls(
            id=own.id,
            version=own.version,
            prerelease=own.prerelease,
            yanked=own.yanked,
            files=summary.files,
            size_bytes=summary.size_bytes,
            created_at=own.created_at,
            updated_at=own.updated_at,
        )


class ReleaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A release. `notes` is Markdown, `notes_html` the same as HTML that is safe to show."""

    id: str
    version: str
    notes: str
    notes_html: str
    prerelease: bool
    yanked: bool
    files: list[FileView]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, shown: ShownRelease, notes_html: str, url_of: Callable[[ReleaseFile], str]) -> "ReleaseView":
        own = shown.release
        return cls(
            id=own.id,
            version=own.version,
            notes=own.notes,
            notes_html=notes_html,
            prerelease=own.prerelease,
            yanked=own.yanked,
            files=[FileView.of(file, url_of(file)) for file in shown.files],
            created_at=own.created_at,
            updated_at=own.updated_at,
        )


class ProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """A person. `projects` are the latest publications, `projects_total` says how many there are in all."""

    handle: str
    display_name: str
    bio: str
    avatar: str | None
    skills: tuple[str, ...]
    location: str
    website: str | None
    github: str
    reputation: int
    projects: list[CardView]
    projects_total: int
    revision: int
    created_at: datetime

    @classmethod
    def of(cls, person: Person) -> "ProfileView":
        own = person.profile
        return cls(
            handle=own.handle,
            display_name=own.display_name,
            bio=own.bio,
            avatar=own.avatar,
            skills=own.skills,
            location=own.location,
            website=own.website,
            github=own.github,
            reputation=person.reputation,
            projects=[CardView.of(card) for card in person.cards],
            projects_total=person.total,
            revision=own.revision,
            created_at=own.created_at,
        )


class ReputationPartView(msgspec.Struct, frozen=True):
    name: Literal["trusted_stars", "proof", "other_stars"]
    points: int
    why: str


class ReputationView(msgspec.Struct, frozen=True):
    """The score is the sum of its parts. `computed_at` is null when it was not computed yet."""

    score: int
    parts: list[ReputationPartView]
    computed_at: datetime | None

    @classmethod
    def of(cls, found: Reputation, computed_at: datetime | None) -> "ReputationView":
        parts = [
            ReputationPartView(
                "trusted_stars",
                found.trust_points,
                f"{found.trust:.4f} of trust came from people whom the operator has chosen, over at most three stars",
            ),
            ReputationPartView(
                "proof", found.proof_points, "a repository is proved" if found.has_proof else "no repository is proved"
            ),
            ReputationPartView(
                "other_stars",
                found.other_points,
                f"{found.admirers} people with an account of some age have starred a project; 5 points at the most",
            ),
        ]
        return cls(found.score, parts, computed_at)


class RefusedLineView(msgspec.Struct, frozen=True):
    """A line, counted from 1, that was not imported."""

    line: int
    reason: str


class ImportView(msgspec.Struct, frozen=True, kw_only=True):
    """An import. `refusals` has the first 1,000 of the refused lines."""

    id: str
    state: ImportState
    lines: int
    imported: int
    refused: int
    message: str
    refusals: list[RefusedLineView]
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, current: Import, refused: Sequence[RefusedLine] = ()) -> "ImportView":
        return cls(
            id=current.id,
            state=current.state,
            lines=current.lines,
            imported=current.imported,
            refused=current.refused,
            message=current.message,
            refusals=[RefusedLineView(each.line, each.reason) for each in refused],
            created_at=current.created_at,
            finished_at=current.finished_at,
        )


class OrderDraft(Body):
    """How many licences are wanted, 1 to 100."""

    quantity: int = 1


class PaymentMark(Body):
    """By what people find the payment again, such as the text of a transfer: 1 to 200 characters."""

    reference: str


class RefundWish(Body):
    """How much is to be given back, in minor units; null for all that is left."""

    amount_minor: int | None = None


class LicenceQuestion(Body):
    """A licence key, and the slug of the project that it is to be good for."""

    key: str
    project: str


class BoughtView(msgspec.Struct, frozen=True):
    """The project as it was called when it was ordered; the slug leads there for good."""

    slug: str
    title: str


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """
    An order. `amount_minor` is for all `quantity` together, in minor units, and never changes. `checkout_url` is where
    its buyer pays, while it is pending; `payment_reference` names the payment to its seller and administrators. `side`:
    what the caller is to it.
    """

    id: str
    state: OrderState
    side: Side
    project: BoughtView
    buyer: str
    quantity: int
    amount_minor: int
    refunded_minor: int
    currency: str
    provider: str
    checkout_url: str | None
    invoice_number: str | None
    payment_reference: str | None
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None

    @classmethod
    def of(cls, order: Order, by: Principal) -> "OrderView":
        """
        Raises:
            OrderNotFound: it is between other people.
        """
        if (side := side_of(by, order)) is None:
            raise OrderNotFound(order.id)
        is_buyer = side is Side.BUYER
        return cls(
            id=order.id,
            state=order.state,
            side=side,
            project=BoughtView(order.slug, order.title),
            buyer=order.buyer_handle,
            quantity=order.quantity,
            amount_minor=order.amount_minor,
            refunded_minor=order.refunded_minor,
            currency=order.currency,
            provider=order.provider,
            checkout_url=order.checkout_url if is_buyer and order.state is OrderState.PENDING else None,
            invoice_number=order.invoice_number,
            payment_reference=None if is_buyer else order.payment_reference,
            created_at=order.created_at,
            expires_at=order.expires_at,
            paid_at=order.paid_at,
        )


class LicenceKeyView(msgspec.Struct, frozen=True):
    """What is kept of a licence key: its last four letters."""

    last4: str
    issued_at: datetime


class EntitlementView(msgspec.Struct, frozen=True, kw_only=True):
    """A right to a project. `licence_key` is null as long as none was made."""

    id: str
    order_id: str
    project: BoughtView
    quantity: int
    activated_at: datetime
    revoked_at: datetime | None
    licence_key: LicenceKeyView | None

    @classmethod
    def of(cls, own: Entitlement) -> "EntitlementView":
        has_key = own.key_last4 is not None and own.key_issued_at is not None
        return cls(
            id=own.id,
            order_id=own.order_id,
            project=BoughtView(own.slug, own.title),
            quantity=own.quantity,
            activated_at=own.activated_at,
            revoked_at=own.revoked_at,
            licence_key=LicenceKeyView(own.key_last4 or "", own.key_issued_at or own.activated_at) if has_key else None,
        )


class PurchaseView(msgspec.Struct, frozen=True):
    """What the caller has of a project: an order that is pending, a right that was not revoked."""

    order: OrderView | None
    entitlement: EntitlementView | None

    @classmethod
    def of(cls, own: Purchase, by: Principal) -> "PurchaseView":
        return cls(
            OrderView.of(own.order, by) if own.order else None,
            EntitlementView.of(own.entitlement) if own.entitlement else None,
        )


class NewLicenceKeyView(msgspec.Struct, frozen=True):
    """A licence key in plain, shown this once. A new one takes its place."""

    key: str
    last4: str
    issued_at: datetime

    @classmethod
    def of(cls, new: NewKey) -> "NewLicenceKeyView":
        return cls(new.key, new.last4, new.issued_at)


class LicenceView(msgspec.Struct, frozen=True):
    """Whether a key is good for a project; of one that is not, nothing else is told."""

    valid: bool
    project: str | None = None
    quantity: int | None = None
    activated_at: datetime | None = None

    @classmethod
    def of(cls, found: Entitlement | None) -> "LicenceView":
        return cls(True, found.slug, found.quantity, found.activated_at) if found else cls(False)


class EntryView(msgspec.Struct, frozen=True):
    """A debit above zero, a credit below, in minor units."""

    account: Account
    amount_minor: int


class TransactionView(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to money, once; its entries add up to 0."""

    key: str
    happening: Happening
    currency: str
    entries: list[EntryView]
    at: datetime


class LedgerView(msgspec.Struct, frozen=True):
    """All transactions of an order, in the order in which they were written."""

    transactions: list[TransactionView]

    @classmethod
    def of(cls, transactions: Sequence[Transaction]) -> "LedgerView":
        return cls(
            [
                TransactionView(
                    key=each.key,
                    happening=each.happening,
                    currency=each.currency,
                    entries=[EntryView(entry.account, entry.amount_minor) for entry in each.entries],
                    at=each.at,
                )
                for each in transactions
            ]
        )


class BalanceView(msgspec.Struct, frozen=True):
    account: Account
    currency: str
    amount_minor: int


class FindingView(msgspec.Struct, frozen=True):
    """A transaction or an order (`subject`) with which something is wrong."""

    subject: str
    detail: str


class LedgerCheckView(msgspec.Struct, frozen=True):
    """Whether everything adds up, in itself and with the orders. `findings` has the first 100 things that do not."""

    balanced: bool
    transactions: int
    balances: list[BalanceView]
    findings: list[FindingView]

    @classmethod
    def of(cls, check: Check) -> "LedgerCheckView":
        return cls(
            check.is_balanced,
            check.transactions,
            [BalanceView(each.account, each.currency, each.amount_minor) for each in check.balances],
            [FindingView(each.subject, each.detail) for each in check.findings],
        )


class WebhookView(msgspec.Struct, frozen=True):
    """What was done with an event."""

    outcome: Outcome


class FollowingView(msgspec.Struct, frozen=True):
    """`following`: the caller does. `followers`: how many do."""

    following: bool
    followers: int

    @classmethod
    def of(cls, current: FollowState) -> "FollowingView":
        return cls(current.following, current.followers)


class FollowedSearchDraft(Body):
    """A search to follow: `q` and filters as in `GET /api/v1/projects`. Without a `name` it is called by them."""

    name: str | None = None
    q: str = ""
    technologies: list[str] = msgspec.field(default_factory=list[str])
    license: str | None = None
    price: PriceFilter = PriceFilter.ALL
    tags: list[str] = msgspec.field(default_factory=list[str])

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_search(fields)[1]

    def values(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self)


class FollowedSearchView(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    q: str
    technologies: tuple[str, ...]
    license: str | None
    price: PriceFilter
    tags: tuple[str, ...]
    created_at: datetime

    @classmethod
    def of(cls, search: FollowedSearch) -> "FollowedSearchView":
        return cls(
            id=search.id,
            name=search.name,
            q=search.text,
            technologies=search.technologies,
            license=search.license or None,
            price=search.price,
            tags=search.tags,
            created_at=search.created_at,
        )


class FollowedView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the caller follows; of person, project and search the one that `kind` names is not null."""

    kind: FollowKind
    followed_at: datetime
    person: OwnerView | None
    project: CardView | None
    search: FollowedSearchView | None

    @classmethod
    def of(cls, followed: Followed) -> "FollowedView":
        person = followed.person
        return cls(
            kind=followed.kind,
            followed_at=followed.at,
            person=OwnerView(person.handle, person.display_name) if person else None,
            project=CardView.of(followed.card) if followed.card else None,
            search=FollowedSearchView.of(followed.search) if followed.search else None,
        )


class ReviewDraft(Body):
    """Somebody's review, in plain text."""

    rating: Annotated[int, Meta(ge=1, le=5)]
    body: str
    title: str = ""

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_review(fields)[1]

    def values(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self)


class ReplyDraft(Body):
    """The owner's reply to a review, in plain text."""

    body: str


class ReviewView(msgspec.Struct, frozen=True, kw_only=True):
    """A review. `helpful`: how many marked it so; `marked`: the caller did."""

    id: str
    author: OwnerView
    rating: int
    title: str
    body: str
    helpful: int
    marked: bool
    reply: str | None
    replied_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, shown: ShownReview) -> "ReviewView":
        review = shown.review
        return cls(
            id=review.id,
            author=OwnerView(shown.author_handle, shown.author_name),
            rating=review.rating,
            title=review.title,
            body=review.body,
            helpful=review.helpful,
            marked=shown.marked,
            reply=review.reply,
            replied_at=review.replied_at,
            created_at=review.created_at,
            updated_at=review.updated_at,
        )


class RatingsView(msgspec.Struct, frozen=True):
    """`mean` is the Bayesian mean, null without reviews; `stars` counts by rating, from `1` to `5`."""

    count: int
    mean: float | None
    stars: dict[str, int]

    @classmethod
    def of(cls, ratings: Ratings) -> "RatingsView":
        stars = {str(rating): count for rating, count in enumerate(ratings.counts, start=1)}
        return cls(ratings.count, ratings.mean, stars)


class ReviewsView(msgspec.Struct, frozen=True):
    """A page of reviews. `own`: the caller's; `may_review`: the caller has used the project, which is another's."""

    items: list[ReviewView]
    next_cursor: str | None
    summary: RatingsView
    own: ReviewView | None
    may_review: bool

    @classmethod
    def of(cls, page: ReviewPage) -> "ReviewsView":
        return cls(
            [ReviewView.of(each) for each in page.reviews],
            page.next_cursor,
            RatingsView.of(page.ratings),
            ReviewView.of(page.own) if page.own else None,
            page.may_review,
        )


class HelpfulView(msgspec.Struct, frozen=True):
    marked: bool
    helpful: int


class CollectionDraft(Body):
    """A new collection; `description` is plain text."""

    title: str
    visibility: Visibility
    description: str = ""

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_collection(fields)[1]

    def values(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self)


class CollectionChange(Body):
    """What is to change; what is absent stays."""

    title: str | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    description: str | UnsetType = UNSET

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_collection(fields)[1]

    def values(self) -> dict[str, Any]:
        return _values(self)


class CollectionView(msgspec.Struct, frozen=True, kw_only=True):
    """A collection. `items`: how many projects are in it."""

    id: str
    title: str
    description: str
    visibility: Visibility
    owner: OwnerView
    items: int
    revision: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, shown: ShownCollection) -> "CollectionView":
        own = shown.collection
        return cls(
            id=own.id,
            title=own.title,
            description=own.description,
            visibility=own.visibility,
            owner=OwnerView(shown.owner_handle, shown.owner_name),
            items=shown.items,
            revision=own.revision,
            created_at=own.created_at,
            updated_at=own.updated_at,
        )


class ItemDraft(Body):
    """A project in a collection. `position` counts from 0; what is absent stays, a new project goes to the end."""

    note: str | None = None
    position: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_note(fields.get("note") or "")[1]


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    project: CardView
    note: str
    position: int
    added_at: datetime

    @classmethod
    def of(cls, shown: ShownItem) -> "ItemView":
        item = shown.item
        return cls(project=CardView.of(shown.card), note=item.note, position=shown.position, added_at=item.added_at)


class ReportBody(Body):
    """What is wrong; `other` needs a `text`."""

    reason: ReportReason
    text: str = ""

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return report_problems(fields.get("reason"), fields.get("text", ""))


class AppealBody(Body):
    """Why the decision should be another one."""

    text: str

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return reason_problems("/text", fields["text"]) if "text" in fields else ()


class DecisionBody(Body):
    """A moderator's decision. The owner and those who reported read the `reason`."""

    decision: Decision
    reason: str

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return reason_problems("/reason", fields["reason"]) if "reason" in fields else ()


class ReportView(msgspec.Struct, frozen=True, kw_only=True):
    """One's own report."""

    id: str
    reason: ReportReason
    text: str
    is_open: bool
    at: datetime

    @classmethod
    def of(cls, report: Report) -> "ReportView":
        return cls(id=report.id, reason=report.reason, text=report.text, is_open=report.is_open, at=report.at)


class AppealView(msgspec.Struct, frozen=True):
    """An appeal that waits."""

    text: str
    at: datetime


class SubjectView(msgspec.Struct, frozen=True, kw_only=True):
    """What a case is about. `owner` is null for somebody without a profile."""

    kind: SubjectKind
    id: str
    name: str
    path: str
    owner: OwnerView | None


class CaseCardView(msgspec.Struct, frozen=True, kw_only=True):
    """A case in the queue. `kind`: why it was opened last."""

    id: str
    kind: CaseKind
    state: CaseState
    subject: SubjectView
    open_reports: int
    opened_at: datetime
    decision: Decision | None
    reason: str
    decided_by: OwnerView | None
    decided_at: datetime | None

    @classmethod
    def of(cls, shown: CaseShown) -> "CaseCardView":
        return cls(**_case_fields(shown))


class FiledReportView(msgspec.Struct, frozen=True, kw_only=True):
    """A report as moderators see it. `reporter` is null in a case about what is the caller's own."""

    id: str
    reporter: OwnerView | None
    reason: ReportReason
    text: str
    is_open: bool
    at: datetime

    @classmethod
    def of(cls, report: Report, shown: CaseShown) -> "FiledReportView":
        return cls(
            id=report.id,
            reporter=_person(shown, report.reporter_id),
            reason=report.reason,
            text=report.text,
            is_open=report.is_open,
            at=report.at,
        )


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """
    Something that happened in a case. `actor` is null for the server. `impartial` is false where a moderator decided
    who had a part in it, because there was no other.
    """

    kind: StepKind
    actor: OwnerView | None
    decision: Decision | None
    text: str
    impartial: bool
    at: datetime

    @classmethod
    def of(cls, step: Step, shown: CaseShown) -> "StepView":
        return cls(
            kind=step.kind,
            actor=_person(shown, step.actor_id),
            decision=step.decision,
            text=step.text,
            impartial=step.impartial,
            at=step.at,
        )


class CaseView(CaseCardView, frozen=True, kw_only=True):
    """
    A case with its latest 200 reports, the newest first, and what happened in it, in order. `cases_of_owner`: how many
    cases there are about what the same person has or had.
    """

    reports: list[FiledReportView]
    history: list[StepView]
    cases_of_owner: int

    @classmethod
    def of(cls, shown: CaseShown) -> "CaseView":
        return cls(
            **_case_fields(shown),
            reports=[FiledReportView.of(report, shown) for report in shown.reports],
            history=[StepView.of(step, shown) for step in shown.steps],
            cases_of_owner=shown.of_owner,
        )


def _case_fields(shown: CaseShown) -> dict[str, Any]:
    case = shown.case
    subject = case.subject
    return {
        "id": case.id,
        "kind": case.kind,
        "state": case.state,
        "subject": SubjectView(
            kind=subject.kind,
            id=subject.id,
            name=subject.name,
            path=subject.path,
            owner=_person(shown, subject.owner_id),
        ),
        "open_reports": shown.open_reports,
        "opened_at": case.opened_at,
        "decision": case.decision,
        "reason": case.reason,
        "decided_by": _person(shown, case.decided_by),
        "decided_at": case.decided_at,
    }


def _person(shown: CaseShown, user_id: str | None) -> OwnerView | None:
    found = shown.people.get(user_id or "")
    return OwnerView(*found) if found else None


class ProofBody(Body):
    """How the repository is to be proved: by a `file` in it, or by its host's `dns`."""

    method: ProofMethod


class ProofView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A proof. `todo` says where the `token` is to be put, `message` what the last check has found. `also_proved_by`:
    projects of other people who have proved the same repository.
    """

    id: str
    method: ProofMethod
    state: ProofState
    repository: str
    token: str
    todo: str
    message: str
    also_proved_by: list[str]
    created_at: datetime
    checked_at: datetime | None
    verified_at: datetime | None

    @classmethod
    def of(cls, shown: ProofShown) -> "ProofView":
        proof = shown.proof
        return cls(
            id=proof.id,
            method=proof.method,
            state=proof.state,
            repository=proof.repository,
            token=shown.token,
            todo=shown.todo,
            message=proof.message,
            also_proved_by=list(shown.others),
            created_at=proof.created_at,
            checked_at=proof.checked_at,
            verified_at=proof.verified_at,
        )


class ProofsView(msgspec.Struct, frozen=True):
    items: list[ProofView]


class SimilarView(msgspec.Struct, frozen=True):
    """A well used project of somebody else. `why`: how the name resembles its name."""

    slug: str
    title: str
    stars: int
    downloads: int
    why: str

    @classmethod
    def of(cls, similar: Similar, name: str) -> "SimilarView":
        card = similar.card
        return cls(card.slug, card.title, card.stars, card.downloads, similar.told_of(name))


class NameCheckView(msgspec.Struct, frozen=True):
    """`name` is what would stand in the address. `available`: none of one's own projects has it, or had it."""

    name: str
    available: bool
    similar: list[SimilarView]

    @classmethod
    def of(cls, checked: NameChecked) -> "NameCheckView":
        return cls(checked.name, checked.is_available, [SimilarView.of(each, checked.name) for each in checked.similar])


class DifferenceView(msgspec.Struct, frozen=True):
    """`missing` in the index, `extra` in it, or `outdated` words or `standing`."""

    project_id: str
    what: Disagreement


class AgreementView(msgspec.Struct, frozen=True):
    """Whether index and database agree: what was compared, how many projects differ and how, and the first of them."""

    agree: bool
    projects: int
    indexed: int
    missing: int
    extra: int
    outdated: int
    standing: int
    first: list[DifferenceView]

    @classmethod
    def of(cls, found: Agreement) -> "AgreementView":
        return cls(
            agree=not found.disagreements,
            projects=found.projects,
            indexed=found.indexed,
            missing=found.counts[Disagreement.MISSING],
            extra=found.counts[Disagreement.EXTRA],
            outdated=found.counts[Disagreement.OUTDATED],
            standing=found.counts[Disagreement.STANDING],
            first=[DifferenceView(each.project_id, each.what) for each in found.first],
        )


class ProcessReportView(msgspec.Struct, frozen=True):
    process: str
    state: ReportState
    projects: int
    message: str
    begun_at: datetime
    finished_at: datetime | None


class RebuildView(msgspec.Struct, frozen=True):
    """A rebuild of the catalogue's index, and how far each process is that has taken it up."""

    id: str
    asked_at: datetime
    processes: list[ProcessReportView]

    @classmethod
    def of(cls, errand: Errand, reports: Sequence[ErrandReport]) -> "RebuildView":
        processes = [
            ProcessReportView(
                each.process, each.state, each.agreement.projects, each.message, each.begun_at, each.finished_at
            )
            for each in reports
        ]
        return cls(errand.id, errand.asked_at, processes)
