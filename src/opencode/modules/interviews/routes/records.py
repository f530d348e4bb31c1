"""Chat, signals, and the event stream."""

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from opencode.infra.http import After, LastEventId, PageView, ServerEvent, event_stream
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.records import PASSING, Said
from opencode.modules.interviews.domain.views import MessageView, SignalView
from opencode.modules.interviews.schemas import MessageDraft, SignalReport
from opencode.modules.interviews.service.chat import Chat
from opencode.modules.interviews.service.monitoring import Monitoring, Observation
from opencode.modules.interviews.service.streaming import Streaming


class RecordsController(Controller):
    path = "/api/v1/interviews/{interview_id:str}"
    tags = ("Interviews",)

    @get("/messages", operation_id="list_messages", summary="Read the chat, oldest first")
    async def list_messages(
        self,
        interview_id: FromPath[str],
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        chat: NamedDependency[Chat],
    ) -> PageView[MessageView]:
        found = await chat.read(interview_id, principal, page)
        return PageView([MessageView.of(message) for message in found.items], found.next_cursor)

    @post("/messages", operation_id="write_message", summary="Write in the chat")
    async def write_message(
        self,
        interview_id: FromPath[str],
        data: JSONBody[MessageDraft],
        principal: NamedDependency[Principal],
        chat: NamedDependency[Chat],
    ) -> MessageView:
        return MessageView.of(await chat.write(interview_id, principal, data.text))

    @get("/signals", operation_id="list_signals", summary="Read what was observed, newest first")
    async def list_signals(
        self,
        interview_id: FromPath[str],
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        monitoring: NamedDependency[Monitoring],
    ) -> PageView[SignalView]:
        found = await monitoring.read(interview_id, principal, page)
        return PageView([SignalView.of(signal) for signal in found.items], found.next_cursor)

    @post("/signals", operation_id="report_signals", status_code=204, summary="Report what a candidate's page observed")
    async def report_signals(
        self,
        interview_id: FromPath[str],
        data: JSONBody[SignalReport],
        principal: NamedDependency[Principal],
        monitoring: NamedDependency[Monitoring],
    ) -> None:
        observed = [Observation(**msgspec.structs.asdict(signal)) for signal in data.signals]
        await monitoring.report(interview_id, principal, observed)

    @get(
        "/events",
        operation_id="watch_interview",
        summary="Follow what happens, as Server-Sent Events",
        media_type="text/event-stream",
    )
    async def watch(
        self,
        interview_id: FromPath[str],
        principal: NamedDependency[Principal],
        streaming: NamedDependency[Streaming],
        last_event_id: LastEventId = None,
        after: After = None,
    ) -> Response[Any]:
        start = last_event_id if last_event_id is not None else after or 0
        said = await streaming.open(interview_id, principal, after=start)
        if said is None:
            # To an EventSource this means: do not come back (WHATWG HTML, section 9.2.3).
            return Response(None, status_code=204)
        return event_stream(_on_the_wire(said))


async def _on_the_wire(said: AsyncGenerator[Said]) -> AsyncGenerator[ServerEvent]:
    try:
        async for event in said:
            number = "" if event.seq == PASSING else str(event.seq)
            yield ServerEvent(number, event.type, event.data.encode())
    finally:
        await said.aclose()
