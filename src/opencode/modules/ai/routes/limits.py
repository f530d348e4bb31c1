"""Limits of persons, teams and everybody, for administrators."""

from typing import Annotated

from litestar import Controller, Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from opencode.infra.http import IfMatch, PageView, with_revision
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.schemas.limits import LimitsBody, LimitsView
from opencode.modules.ai.service.limiting import Limiting, LimitsShown

WhosePath = Annotated[
    str,
    PathParameter(
        max_length=300, description="`everybody`, `team:<name>`, `person:<id or e-mail address of an account>`"
    ),
]


class LimitsController(Controller):
    path = "/api/v1/ai/limits"
    tags = ("AI",)

    @get(operation_id="list_ai_limits", summary="Limits of everybody, teams and persons")
    async def list_ai_limits(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        limiting: NamedDependency[Limiting],
    ) -> PageView[LimitsView]:
        """
        What is set for everybody first, then teams by name, then, by id, all who have asked a model or for whom
        something is set. Each with what is spent, and where each limit comes from.
        """
        found = await limiting.page(principal, page)
        return PageView([LimitsView.of(each) for each in found.items], found.next_cursor)

    @get("/{whose:str}", operation_id="get_ai_limits", summary="The limits of somebody")
    async def get_ai_limits(
        self, whose: WhosePath, principal: NamedDependency[Principal], limiting: NamedDependency[Limiting]
    ) -> Response[LimitsView]:
        return _answer(await limiting.find(whose, principal))

    @put("/{whose:str}", operation_id="put_ai_limits", summary="Set the limits of somebody")
    async def put_ai_limits(
        self,
        whose: WhosePath,
        data: JSONBody[LimitsBody],
        principal: NamedDependency[Principal],
        limiting: NamedDependency[Limiting],
        if_match: IfMatch = None,
    ) -> Response[LimitsView]:
        """
        All that are not set in a file: what is null is as for everybody. In force when this answers, and on all
        servers within a second. What was spent stays spent.
        """
        return _answer(await limiting.put(whose, data.limits(), principal, if_match))

    @delete("/{whose:str}", operation_id="delete_ai_limits", summary="Take the limits of somebody away")
    async def delete_ai_limits(
        self,
        whose: WhosePath,
        principal: NamedDependency[Principal],
        limiting: NamedDependency[Limiting],
        if_match: IfMatch = None,
    ) -> None:
        """What is set for everybody holds again; what files say stays."""
        await limiting.delete(whose, principal, if_match)


def _answer(shown: LimitsShown) -> Response[LimitsView]:
    return with_revision(LimitsView.of(shown), shown.version)
