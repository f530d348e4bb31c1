"""Runs of the shared text."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from opencode.contracts.execution import Terminal
from opencode.infra.http import IdempotencyKey, PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.views import RunView
from opencode.modules.interviews.schemas import RunDraft, TerminalTicketView
from opencode.modules.interviews.service.running import Running
from opencode.modules.interviews.service.terminals import Terminals


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
            terminal=Terminal(data.terminal.columns, data.terminal.rows) if data.terminal else None,
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


@post(
    "/api/v1/runs/{run_id:str}/tickets",
    operation_id="create_terminal_ticket",
    summary="Get a ticket that opens the WebSocket of a run's terminal",
    tags=["Interviews"],
)
async def create_terminal_ticket(
    run_id: FromPath[str], principal: NamedDependency[Principal], terminals: NamedDependency[Terminals]
) -> TerminalTicketView:
    ticket, expires_at = await terminals.issue_ticket(run_id, principal)
    return TerminalTicketView(ticket, expires_at)
