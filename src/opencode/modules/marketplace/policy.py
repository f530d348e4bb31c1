"""Who may do what to a project, an order, a review or a profile in which state: tables, enumerated by tests."""

from enum import StrEnum

from opencode.kernel.errors import Conflict, Forbidden, Unauthenticated
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.domain.collection import Collection, Visibility
from opencode.modules.marketplace.domain.moderation import Hold
from opencode.modules.marketplace.domain.orders import Order, OrderState
from opencode.modules.marketplace.domain.project import HELD, PUBLIC, Project, ProjectStatus
from opencode.modules.marketplace.errors import (
    CollectionNotFound,
    NotHeld,
    NotPublished,
    NotYourCollection,
    NotYourOrder,
    NotYourProject,
    NotYourWords,
    OrderNotFound,
    OrderNotPossible,
    OwnReport,
    ProjectHeld,
    ProjectNotFound,
    WordsHeld,
    YourOwnProject,
)

TO_WRITE = "projects:write"
TO_MANAGE = "projects:manage"
TO_MODERATE = "projects:moderate"
TO_USE_AI = "ai:use"


class Relation(StrEnum):
    """What somebody is to one project."""

    OWNER = "owner"
    OVERSEER = "administrator"
    MODERATOR = "moderator"
    PERSON = "another person"
    NOBODY = "nobody known"


class Action(StrEnum):
    """What people do; the words fit into "you may not … this"."""

    SEE = "see"
    CHANGE = "change"
    FEATURE = "feature"
    DELETE = "delete"
    STAR = "star"
    FOLLOW = "follow"
    COLLECT = "collect"
    REVIEW = "review"
    REPLY = "reply to a review of"
    DOWNLOAD = "download"
    REPORT = "report"
    APPEAL = "appeal for"


D, P, A = ProjectStatus.DRAFT, ProjectStatus.PUBLISHED, ProjectStatus.ARCHIVED
Q, R = ProjectStatus.QUARANTINED, ProjectStatus.REMOVED
_ALWAYS = frozenset({D, P, A, Q, R})
_OTHERS = (Relation.OVERSEER, Relation.MODERATOR, Relation.PERSON)
_PEOPLE = (Relation.OWNER, *_OTHERS)

ALLOWED: dict[Action, dict[Relation, frozenset[ProjectStatus]]] = {
    Action.SEE: {
        Relation.OWNER: _ALWAYS,
        Relation.OVERSEER: PUBLIC,
        Relation.MODERATOR: PUBLIC | HELD,
        Relation.PERSON: PUBLIC,
        Relation.NOBODY: PUBLIC,
    },
    Action.CHANGE: {Relation.OWNER: _ALWAYS - {R}},
    Action.FEATURE: {Relation.OVERSEER: PUBLIC},
    Action.DELETE: {Relation.OWNER: _ALWAYS},
    Action.STAR: dict.fromkeys(_PEOPLE, PUBLIC),
    Action.FOLLOW: dict.fromkeys(_PEOPLE, PUBLIC),
    Action.COLLECT: dict.fromkeys(_PEOPLE, PUBLIC),
    Action.REVIEW: dict.fromkeys(_OTHERS, PUBLIC),
    Action.REPLY: {Relation.OWNER: PUBLIC},
    Action.DOWNLOAD: {
        Relation.OWNER: PUBLIC,
        Relation.OVERSEER: PUBLIC,
        # What is reported for malware has to be looked at.
        Relation.MODERATOR: PUBLIC | HELD,
        Relation.PERSON: PUBLIC,
        Relation.NOBODY: PUBLIC,
    },
    Action.REPORT: dict.fromkeys(_OTHERS, PUBLIC),
    Action.APPEAL: {Relation.OWNER: HELD},
}
"""
In which states of a project who may do what. An administrator's own project is an owner's, and featured too. Whoever
may moderate is a moderator here, also when they are an administrator; those may feature as well.
"""

_NEED_NO_ACCOUNT = frozenset({Action.SEE, Action.DOWNLOAD})
_NEED_AN_ACCOUNT = frozenset(Action) - _NEED_NO_ACCOUNT


def relation_of(by: Principal, project: Project) -> Relation:
    return _relation_to(by, project.owner_id)


def _relation_to(by: Principal, owner_id: str) -> Relation:
    if not by.is_user:
        return Relation.NOBODY
    if by.id == owner_id:
        return Relation.OWNER
    if by.may(TO_MODERATE):
        return Relation.MODERATOR
    return Relation.OVERSEER if by.may(TO_MANAGE) else Relation.PERSON


def require(action: Action, by: Principal, project: Project) -> None:
    """
    Raises:
        ProjectNotFound: the project is a draft of somebody else.
        Unauthenticated: nobody is signed in.
        Forbidden: a token without the scope, or a guest.
        NotYourProject: only its owner may, or only an administrator.
        YourOwnProject: nobody reviews what is theirs.
        NotPublished: the owner's draft cannot be starred, followed or downloaded yet.
        ProjectHeld: a moderator has taken the project out of sight, and the caller knows of it.
        NotHeld: there is nothing to appeal against.
        OwnReport: nobody reports a project of their own.
    """
    relation = relation_of(by, project)
    if project.status not in ALLOWED[Action.SEE][relation]:
        raise ProjectNotFound(project.slug)
    if action in _NEED_AN_ACCOUNT:
        require_account(by)
    states = ALLOWED[action].get(relation, frozenset[ProjectStatus]())
    if action is Action.FEATURE and by.may(TO_MANAGE):
        states = PUBLIC
    if project.status in states:
        if action in _NEED_AN_ACCOUNT and action is not Action.FEATURE:
            by.require(TO_WRITE)
        return
    raise _refusal(action, relation, project, states)


def _refusal(
    action: Action, relation: Relation, project: Project, states: frozenset[ProjectStatus]
) -> Forbidden | Conflict:
    if relation is Relation.OWNER and action is Action.REPORT:
        return OwnReport(project.slug)
    if relation is Relation.OWNER and action is Action.REVIEW:
        return YourOwnProject(project.slug)
    if not states:
        return NotYourProject(project.slug, action)
    if action is Action.APPEAL:
        return NotHeld(project.slug)
    if project.status in HELD:
        return ProjectHeld(project.slug, action, project.status)
    return NotPublished(project.slug, action)


class WordsAction(StrEnum):
    """What people do with a review or a profile; the words fit into "you may not … this"."""

    SEE = "see"
    CHANGE = "change"
    DELETE = "take back"
    REPORT = "report"
    APPEAL = "appeal for"


_UNHELD: frozenset[Hold | None] = frozenset({None})
_ANY_HOLD: frozenset[Hold | None] = frozenset({None, *Hold})

ALLOWED_WITH_WORDS: dict[WordsAction, dict[Relation, frozenset[Hold | None]]] = {
    WordsAction.SEE: {
        **dict.fromkeys((*_OTHERS, Relation.NOBODY), _UNHELD),
        Relation.OWNER: _ANY_HOLD,
        Relation.MODERATOR: _ANY_HOLD,
    },
    WordsAction.CHANGE: {Relation.OWNER: _ANY_HOLD - {Hold.REMOVED}},
    # Who could take back what is held would write it anew, where everybody sees it.
    WordsAction.DELETE: {Relation.OWNER: _UNHELD},
    WordsAction.REPORT: dict.fromkeys(_OTHERS, _UNHELD),
    WordsAction.APPEAL: {Relation.OWNER: frozenset(Hold)},
}
"""Who may do what with what somebody says, a review or a profile, by how moderators hold it; None: not at all."""


def may_see_words(by: Principal, owner_id: str, hold: Hold | None) -> bool:
    return hold in ALLOWED_WITH_WORDS[WordsAction.SEE][_relation_to(by, owner_id)]


def require_with_words(action: WordsAction, by: Principal, owner_id: str, hold: Hold | None, name: str) -> None:
    """
    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or a guest, or a token without the scope.
        OwnReport: nobody reports what they say themselves.
        NotYourWords: only whose it is may.
        NotHeld: there is nothing to appeal against.
        WordsHeld: moderators keep it out of sight.
    """
    require_writer(by)
    relation = _relation_to(by, owner_id)
    allowed = ALLOWED_WITH_WORDS[action].get(relation, frozenset[Hold | None]())
    if hold in allowed:
        return
    if action is WordsAction.REPORT and relation is Relation.OWNER:
        raise OwnReport(name)
    if not allowed:
        raise NotYourWords(name, action)
    if action is WordsAction.APPEAL or hold is None:
        raise NotHeld(name)
    raise WordsHeld(name, action, hold)


def require_collection(by: Principal, collection: Collection, *, to_change: bool = False) -> None:
    """
    Raises:
        CollectionNotFound: it is a private one of somebody else.
        Unauthenticated, Forbidden: a change needs an account, and a token with the scope.
        NotYourCollection: only its owner changes it.
    """
    is_owner = by.is_user and by.id == collection.owner_id
    if collection.visibility is Visibility.PRIVATE and not is_owner:
        raise CollectionNotFound(collection.id)
    if to_change:
        require_writer(by)
        if not is_owner:
            raise NotYourCollection


def require_account(by: Principal) -> None:
    """
    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: somebody without an account.
    """
    if by.is_guest:
        raise Forbidden("This needs an account.", action="Register, then try again.")
    if not by.is_user:
        raise Unauthenticated("This needs you to be signed in.", action="Sign in, then try again.")


def require_writer(by: Principal) -> None:
    """
    Raises:
        Unauthenticated, Forbidden: this person may not write in the marketplace.
    """
    require_account(by)
    by.require(TO_WRITE)


def require_importer(by: Principal) -> None:
    """
    Raises:
        Unauthenticated, Forbidden: this person is no administrator.
    """
    require_account(by)
    by.require(TO_MANAGE)


class Side(StrEnum):
    """What somebody is to one order. To anybody else it does not exist."""

    BUYER = "buyer"
    SELLER = "seller"
    OVERSEER = "administrator"


class OrderAction(StrEnum):
    """What people do with an order; the words fit into "you may not … this"."""

    SEE = "see"
    SEE_LEDGER = "see the ledger of"
    MARK_PAID = "mark as paid"
    CANCEL = "cancel"
    REFUND = "refund"


_ANY_STATE = frozenset(OrderState)
# A transfer may arrive when the order has expired. What is paid may be marked as paid once more, with the same words.
_PAYABLE = frozenset({OrderState.PENDING, OrderState.EXPIRED, OrderState.PAID})
# Cancelling twice is the same as once.
_CANCELLABLE = frozenset({OrderState.PENDING, OrderState.CANCELLED})
_REFUNDABLE = frozenset({OrderState.PAID})

ALLOWED_WITH_ORDERS: dict[OrderAction, dict[Side, frozenset[OrderState]]] = {
    OrderAction.SEE: {Side.BUYER: _ANY_STATE, Side.SELLER: _ANY_STATE, Side.OVERSEER: _ANY_STATE},
    OrderAction.SEE_LEDGER: {Side.SELLER: _ANY_STATE, Side.OVERSEER: _ANY_STATE},
    OrderAction.MARK_PAID: {Side.SELLER: _PAYABLE, Side.OVERSEER: _PAYABLE},
    OrderAction.CANCEL: {Side.BUYER: _CANCELLABLE, Side.SELLER: _CANCELLABLE, Side.OVERSEER: _CANCELLABLE},
    OrderAction.REFUND: {Side.SELLER: _REFUNDABLE, Side.OVERSEER: _REFUNDABLE},
}
"""In which states of an order who may do what."""

_CHANGES_ORDERS = frozenset({OrderAction.MARK_PAID, OrderAction.CANCEL, OrderAction.REFUND})


def side_of(by: Principal, order: Order) -> Side | None:
    if by.id == order.buyer_id:
        return Side.BUYER
    if by.id == order.seller_id:
        return Side.SELLER
    return Side.OVERSEER if by.may(TO_MANAGE) else None


def require_with_order(action: OrderAction, by: Principal, order: Order) -> None:
    """
    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or a guest, or a token without the scope.
        OrderNotFound: it is between other people.
        NotYourOrder: only the other side may.
        OrderNotPossible: the order is in a state that does not allow it.
    """
    require_account(by)
    side = side_of(by, order)
    if side is None:
        raise OrderNotFound(order.id)
    if action in _CHANGES_ORDERS:
        by.require(TO_WRITE)
    states = ALLOWED_WITH_ORDERS[action].get(side)
    if states is None:
        raise NotYourOrder(order.id, action)
    if order.state not in states:
        raise OrderNotPossible(order.id, order.state, action)


def may_have(by: Principal, project: Project) -> bool:
    """May somebody have what they have not bought? What is free, what is theirs; administrators and moderators all."""
    return project.price.is_free or relation_of(by, project) in {Relation.OWNER, Relation.OVERSEER, Relation.MODERATOR}


def require_moderator(by: Principal) -> None:
    """
    Raises:
        Unauthenticated, Forbidden: this person is no moderator.
    """
    require_account(by)
    by.require(TO_MODERATE)


def require_overseer(by: Principal) -> None:
    """
    Who may look after the catalogue as a whole.

    Raises:
        Unauthenticated, Forbidden: this person is no administrator.
    """
    require_account(by)
    by.require(TO_MANAGE)
