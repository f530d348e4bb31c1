"""What was used, and what is left: for everybody of themselves, and for administrators of all."""

from datetime import date
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from opencode.infra.http import PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.domain.reports import Filters, ReportBy
from opencode.modules.ai.schemas.keys import BudgetView
from opencode.modules.ai.schemas.usage import CallView, UsageView
from opencode.modules.ai.service.reporting import Reporting
from opencode.modules.ai.service.standing import Standings

Person = Annotated[
    str | None, QueryParameter(max_length=40, description="an account's id; administrators see all when not given")
]
Key = Annotated[str | None, QueryParameter(max_length=40, description="a token's id")]
Model = Annotated[str | None, QueryParameter(max_length=300, description="as provider/model")]
Provider = Annotated[str | None, QueryParameter(max_length=64, description="a provider's name")]


class UsageController(Controller):
    path = "/api/v1/ai"
    tags = ("AI",)

    @get("/usage", operation_id="get_ai_usage", summary="What calls to models took")
    async def get_ai_usage(
        self,
        principal: NamedDependency[Principal],
        reporting: NamedDependency[Reporting],
        by: Annotated[ReportBy, QueryParameter(description="what there is one part for each of")] = ReportBy.DAY,
        first: Annotated[
            date | None, QueryParameter(name="from", description="the first day, UTC; 29 days before to when not given")
        ] = None,
        last: Annotated[
            date | None, QueryParameter(name="to", description="the last day, UTC; today when not given")
        ] = None,
        person: Person = None,
        key: Key = None,
        model: Model = None,
        provider: Provider = None,
    ) -> UsageView:
        """At most 366 days. Days without calls are there, with zeros."""
        filters = Filters(person or None, key or None, model or None, provider or None)
        return UsageView.of(await reporting.report(principal, by, filters, first=first, last=last))

    @get("/budgets", operation_id="list_ai_budgets", summary="Budgets, and what is left of them")
    async def list_ai_budgets(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        standings: NamedDependency[Standings],
        *,
        everybody: Annotated[
            bool, QueryParameter(description="for administrators: those of all persons and teams")
        ] = False,
    ) -> PageView[BudgetView]:
        """
        Those that your calls are charged to: yours, your team's, and those of your keys, by kind and id. Of everybody:
        those of persons who have asked models in the period that runs, by id, and then those of teams, by name.
        """
        found = await (standings.everybodys(principal, page) if everybody else standings.page(principal, page))
        return PageView([BudgetView.of(each) for each in found.items], found.next_cursor)

    @get("/calls", operation_id="list_ai_calls", summary="Calls to models")
    async def list_ai_calls(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        reporting: NamedDependency[Reporting],
        person: Person = None,
        key: Key = None,
        model: Model = None,
        provider: Provider = None,
    ) -> PageView[CallView]:
        """
        The newest first, as long as their lines are kept (`OCP_AI_LEDGER_DAYS`). Those of one key, model or provider
        are looked for among the latest 50,000 of the person, or of all.
        """
        filters = Filters(person or None, key or None, model or None, provider or None)
        found = await reporting.calls(principal, filters, page)
        return PageView([CallView.of(each) for each in found.items], found.next_cursor)
