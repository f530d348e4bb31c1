"""What goes in and out over HTTP."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from opencode.contracts.notifications import NoticeKind
from opencode.infra.http import Body, ServerEvent
from opencode.kernel.errors import FieldProblem
from opencode.modules.notifications.domain.notices import Notice
from opencode.modules.notifications.domain.preferences import DEFAULTS, Choice, Choices, MailWhen, kinds_problems
from opencode.modules.notifications.domain.webhooks import Delivery, DeliveryState, Webhook
from opencode.modules.notifications.errors import NoticesRefused
from opencode.modules.notifications.service.hooking import WithSecret
from opencode.modules.notifications.service.streaming import News


class NoticeView(msgspec.Struct, frozen=True, kw_only=True):
    """A notice. `path` leads to what it is about, inside this server."""

    id: str
    kind: NoticeKind
    title: str
    body: str
    path: str
    at: datetime
    read: bool

    @classmethod
    def of(cls, notice: Notice) -> "NoticeView":
        return cls(
            id=notice.id,
            kind=notice.kind,
            title=notice.title,
            body=notice.body,
            path=notice.path,
            at=notice.at,
            read=notice.read_at is not None,
        )


class UnreadView(msgspec.Struct, frozen=True):
    unread: int


class ReadMark(Body):
    """Either `ids`, or `all` with, better, `up_to`: the latest notice that was seen. Newer ones then stay unread."""

    ids: list[str] | None = None
    all: bool = False
    up_to: str | None = None

    def problems(self) -> Iterable[FieldProblem]:
        if (self.ids is None) is not self.all:
            yield FieldProblem("/ids", "must be given, or all must be true; not both")
        if self.up_to is not None and not self.all:
            yield FieldProblem("/up_to", "goes with all")


class NoticeNews(msgspec.Struct, frozen=True, kw_only=True, tag="notice.given", tag_field="type"):
    """A new notice, and how many are unread with it."""

    notice: NoticeView
    unread: int


class CountNews(msgspec.Struct, frozen=True, kw_only=True, tag="notices.counted", tag_field="type"):
    """How many are unread now."""

    unread: int


def event_of(news: News) -> ServerEvent:
    if news.notice is None:
        return ServerEvent(str(news.seq), "notices.counted", msgspec.json.encode(CountNews(unread=news.unread)))
    given = NoticeNews(notice=NoticeView.of(news.notice), unread=news.unread)
    return ServerEvent(str(news.seq), "notice.given", msgspec.json.encode(given))


class ChoiceBody(Body):
    """What happens with notices of one kind."""

    inbox: bool
    mail: MailWhen


class PreferencesBody(Body):
    """`kinds` names kinds of notices; those that it does not name have their defaults."""

    kinds: dict[str, ChoiceBody]

    def choices(self) -> Choices:
        """
        Raises:
            NoticesRefused: a kind is not known.
        """
        if problems := kinds_problems(self.kinds, "/kinds"):
            raise NoticesRefused(tuple(problems))
        return {NoticeKind(name): Choice(choice.inbox, choice.mail) for name, choice in self.kinds.items()}


class ChoiceView(msgspec.Struct, frozen=True):
    inbox: bool
    mail: MailWhen


class PreferencesView(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for each kind, and what would if nothing was chosen. `mails`: this server sends e-mail at all."""

    kinds: dict[NoticeKind, ChoiceView]
    defaults: dict[NoticeKind, ChoiceView]
    mails: bool

    @classmethod
    def of(cls, choices: Choices, *, mails: bool) -> "PreferencesView":
        return cls(kinds=_choice_views(choices), defaults=_choice_views(DEFAULTS), mails=mails)


def _choice_views(choices: Choices) -> dict[NoticeKind, ChoiceView]:
    return {kind: ChoiceView(choice.inbox, choice.mail) for kind, choice in choices.items()}


class WebhookBody(Body):
    """A new webhook. `kinds`: the kinds of notices that it is told, one at least."""

    url: str
    kinds: list[str]
    description: str = ""


class WebhookChange(Body):
    """What is to change; what is absent stays."""

    url: str | UnsetType = UNSET
    kinds: list[str] | UnsetType = UNSET
    description: str | UnsetType = UNSET
    active: bool | UnsetType = UNSET

    def values(self) -> dict[str, Any]:
        present = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in present.items() if value is not UNSET}


class WebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A webhook. `failures`: calls that failed since the last that did not; `switched_off_at`: when there were too many.
    """

    id: str
    url: str
    kinds: tuple[NoticeKind, ...]
    description: str
    active: bool
    failures: int
    switched_off_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookView":
        return cls(**{name: getattr(webhook, name) for name in WebhookView.__struct_fields__})


class NewWebhookView(WebhookView, frozen=True, kw_only=True):
    """A webhook with its secret, which is shown this once."""

    secret: str

    @classmethod
    def revealing(cls, made: WithSecret) -> "NewWebhookView":
        shown = {name: getattr(made.webhook, name) for name in WebhookView.__struct_fields__}
        return cls(**shown, secret=made.secret)


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A message to a webhook. `response_status`, `response_excerpt` (the first 1,024 bytes of the answer), `error` and
    `duration_ms` are of the latest attempt.
    """

    id: str
    event_id: str
    kind: str
    status: DeliveryState
    attempts: int
    response_status: int | None
    response_excerpt: str
    error: str
    duration_ms: int | None
    created_at: datetime
    attempted_at: datetime | None
    next_attempt_at: datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryView":
        return cls(
            id=delivery.id,
            event_id=delivery.event_id,
            kind=delivery.kind,
            status=delivery.state,
            attempts=delivery.attempts,
            response_status=delivery.status,
            response_excerpt=delivery.excerpt,
            error=delivery.error,
            duration_ms=delivery.duration_ms,
            created_at=delivery.created_at,
            attempted_at=delivery.tried_at,
            next_attempt_at=delivery.due_at,
        )
