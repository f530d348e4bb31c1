"""One's notices."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from opencode.infra.http import After, LastEventId, PageView, ServerEvent, event_stream
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.notifications.errors import NoticesRefused
from opencode.modules.notifications.schemas import NoticeView, ReadMark, UnreadView, event_of
from opencode.modules.notifications.service.inbox import Inbox
from opencode.modules.notifications.service.streaming import News, Streaming

Unread = Annotated[bool | None, QueryParameter(description="true: only unread ones; false: only read ones")]


class InboxController(Controller):
    path = "/api/v1/me/notices"
    tags = ("Notifications",)

    @get("/", operation_id="list_notices", summary="One's notices, newest first")
    async def page(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        inbox: NamedDependency[Inbox],
        unread: Unread = None,
    ) -> PageView[NoticeView]:
        found = await inbox.page(principal, page, unread=unread)
        return PageView([NoticeView.of(notice) for notice in found.items], found.next_cursor)

    @get("/count", operation_id="count_notices", summary="How many of one's notices are unread")
    async def count(self, principal: NamedDependency[Principal], inbox: NamedDependency[Inbox]) -> UnreadView:
        return UnreadView(await inbox.unread(principal))

    @post("/read", operation_id="read_notices", summary="Mark notices as read", status_code=200)
    async def read(
        self, data: JSONBody[ReadMark], principal: NamedDependency[Principal], inbox: NamedDependency[Inbox]
    ) -> UnreadView:
        """What is read already, or not in this inbox, is passed over."""
        if problems := tuple(data.problems()):
            raise NoticesRefused(problems)
        if data.ids is not None:
            return UnreadView(await inbox.mark_read(principal, data.ids))
        return UnreadView(await inbox.mark_all_read(principal, up_to=data.up_to))

    @delete("/{notice_id:str}", operation_id="delete_notice", summary="Delete a notice")
    async def delete(
        self, notice_id: FromPath[str], principal: NamedDependency[Principal], inbox: NamedDependency[Inbox]
    ) -> None:
        await inbox.delete(principal, notice_id)

    @get(
        "/events",
        operation_id="watch_notices",
        summary="Follow one's notices, as Server-Sent Events",
        media_type="text/event-stream",
    )
    async def watch(
        self,
        principal: NamedDependency[Principal],
        notice_streaming: NamedDependency[Streaming],
        last_event_id: LastEventId = None,
        after: After = None,
    ) -> Response[Any]:
        """`notice.given` for each new notice, `notices.counted` when the number of unread ones changes otherwise."""
        start = last_event_id if last_event_id is not None else after
        return event_stream(_on_the_wire(await notice_streaming.open(principal, after=start)))


async def _on_the_wire(news: AsyncGenerator[News]) -> AsyncGenerator[ServerEvent]:
    try:
        async for each in news:
            yield event_of(each)
    finally:
        await news.aclose()
