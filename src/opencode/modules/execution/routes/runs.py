"""Runs of programs that people send."""

from collections.abc import AsyncGenerator
from typing import Any

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from opencode.infra.http import After, IdempotencyKey, LastEventId, PageView, ServerEvent, event_stream
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.execution.domain.runs import Said
from opencode.modules.execution.domain.views import NativeRunOutlineView, NativeRunView
from opencode.modules.execution.schemas.runs import NativeRunDraft
from opencode.modules.execution.service.ordering import Ordering
from opencode.modules.execution.service.streaming import Streaming


class NativeRunsController(Controller):
    path = "/api/v1/runs"
    tags = ("Runs",)

    @post("/", operation_id="create_run", status_code=202, summary="Run a program, or judge it")
    async def create(
        self,
        data: JSONBody[NativeRunDraft],
        principal: NamedDependency[Principal],
        ordering: NamedDependency[Ordering],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[NativeRunView]:
        run = await ordering.create(principal, data.wish(), key=idempotency_key)
        return Response(run, headers={"location": f"/api/v1/runs/{run.id}"})

    @get("/", operation_id="list_own_runs", summary="List one's own runs, newest first")
    async def list_own(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        ordering: NamedDependency[Ordering],
    ) -> PageView[NativeRunOutlineView]:
        found = await ordering.list(principal, page)
        return PageView([NativeRunOutlineView.of_outline(run) for run in found.items], found.next_cursor)

    @get(
        "/{run_id:str}",
        operation_id="get_run",
        summary="Get a run; those of interviews are here too, in a shape of their own",
        responses={200: ResponseSpec(NativeRunView, generate_examples=False)},
    )
    async def get_one(
        self, run_id: FromPath[str], principal: NamedDependency[Principal], ordering: NamedDependency[Ordering]
    ) -> Response[Any]:
        return Response(await ordering.get(run_id, principal))

    @post(
        "/{run_id:str}/stop",
        operation_id="stop_run",
        status_code=202,
        summary="Stop a run",
        responses={202: ResponseSpec(NativeRunView, generate_examples=False)},
    )
    async def stop(
        self, run_id: FromPath[str], principal: NamedDependency[Principal], ordering: NamedDependency[Ordering]
    ) -> Response[Any]:
        return Response(await ordering.stop(run_id, principal))

    @delete("/{run_id:str}", operation_id="delete_run", summary="Delete a run that is finished")
    async def remove(
        self, run_id: FromPath[str], principal: NamedDependency[Principal], ordering: NamedDependency[Ordering]
    ) -> None:
        await ordering.delete(run_id, principal)

    @get(
        "/{run_id:str}/events",
        operation_id="watch_run",
        summary="Follow a run, as Server-Sent Events",
        media_type="text/event-stream",
    )
    async def watch(
        self,
        run_id: FromPath[str],
        principal: NamedDependency[Principal],
        streaming: NamedDependency[Streaming],
        last_event_id: LastEventId = None,
        after: After = None,
    ) -> Response[Any]:
        start = last_event_id if last_event_id is not None else after or 0
        said = await streaming.open(run_id, principal, after=start)
        if said is None:
            # To an EventSource this means: do not come back (WHATWG HTML, section 9.2.3).
            return Response(None, status_code=204)
        return event_stream(_on_the_wire(said))


async def _on_the_wire(said: AsyncGenerator[Said]) -> AsyncGenerator[ServerEvent]:
    try:
        async for event in said:
            yield ServerEvent(str(event.seq), event.type, event.data.encode())
    finally:
        await said.aclose()
