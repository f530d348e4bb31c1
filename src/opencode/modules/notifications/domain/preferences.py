"""What a person chose for each kind of notice."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from opencode.contracts.notifications import NoticeKind
from opencode.kernel.errors import FieldProblem


class MailWhen(StrEnum):
    """Whether a notice is mailed, and when."""

    NONE = "none"
    AT_ONCE = "at_once"
    DAILY = "daily"
    """With all others of a day, in one mail."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What happens with notices of one kind."""

    inbox: bool
    mail: MailWhen


_OFTEN = Choice(inbox=True, mail=MailWhen.DAILY)
_RARE = Choice(inbox=True, mail=MailWhen.AT_ONCE)

DEFAULTS: Mapping[NoticeKind, Choice] = {
    NoticeKind.PROJECT_PUBLISHED: _OFTEN,
    NoticeKind.PROJECT_RELEASED: _OFTEN,
    NoticeKind.SEARCH_MATCHED: _OFTEN,
    NoticeKind.PERSON_FOLLOWED: Choice(inbox=True, mail=MailWhen.NONE),
    NoticeKind.REVIEW_WRITTEN: _RARE,
    NoticeKind.REVIEW_REPLIED: _RARE,
    NoticeKind.ORDER_PAID: _RARE,
    NoticeKind.ORDER_REFUNDED: _RARE,
    NoticeKind.ORDER_DISPUTED: _RARE,
    NoticeKind.REPORT_FILED: _OFTEN,
    NoticeKind.MODERATION_DECIDED: _RARE,
    NoticeKind.WEBHOOK_DISABLED: _RARE,
}
"""For whoever has not chosen: what concerns oneself is mailed at once, what one follows once a day."""

Choices = Mapping[NoticeKind, Choice]


def with_defaults(chosen: Choices) -> dict[NoticeKind, Choice]:
    """What holds for every kind."""
    return {kind: chosen.get(kind, DEFAULTS[kind]) for kind in NoticeKind}


def without_mail(chosen: Choices, kinds: frozenset[NoticeKind]) -> dict[NoticeKind, Choice]:
    """The same choices, but these kinds are not mailed any more."""
    before = with_defaults(chosen)
    return {**chosen, **{kind: Choice(before[kind].inbox, MailWhen.NONE) for kind in kinds}}


def kinds_problems(names: Mapping[str, object], at: str) -> list[FieldProblem]:
    """
    Args:
        names: what should be kinds, as they came.
        at: the JSON pointer of the object that they are in.
    """
    known = ", ".join(NoticeKind)
    return [
        FieldProblem(f"{at}/{_escaped(name)}", f"is not a kind of notice; there are {known}")
        for name in names
        if name not in NoticeKind._value2member_map_
    ]


def _escaped(name: str) -> str:
    return name[:100].replace("~", "~0").replace("/", "~1")
