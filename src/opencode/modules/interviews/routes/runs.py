"""Runs of the shared text."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from opencode.infra.http import PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.views import RunView
from opencode.modules.interviews.routes.interviews import IdempotencyKey
from opencode.modules.interviews.schemas import RunDraft
from opencode.modules.interviews.service.running import Running


class RunsController(Controller):
    path = "/api/v1/interviews/{interview_id:str}/runs"
    tags = ("Interviews",)

    @post("/", operation_id="start_run", status_code=202, summary="Run the shared text")
    async def start(
        self,
        interview_id: FromPath[str],
        data: JSONBody[RunDraft],
        principal: NamedDependency[Principal],
        running: NamedDependency[Running],
        idempotency_key: IdempotencyKey = None,
    ) -> RunView:
        run = await running.run(
            interview_id,
            principal,
            language=data.language,
            stdin=data.stdin or "",
            args=tuple(data.args or ()),
            key=idempotency_key,
        )
        return RunView.of(run)

    @get("/", operation_id="list_runs", summary="List the runs of an interview, newest first")
    async def list_runs(
        self,
        interview_id: FromPath[str],
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        running: NamedDependency[Running],
    ) -> PageView[RunView]:
        found = await running.list(interview_id, principal, page)
        return PageView([RunView.of(run) for run in found.items], found.next_cursor)
