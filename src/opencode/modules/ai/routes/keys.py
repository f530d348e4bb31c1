"""Limits of keys, for those who hold them and for administrators."""

from typing import Annotated

from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from opencode.infra.http import PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.schemas.keys import KeyLimitsBody, KeyLimitsView
from opencode.modules.ai.service.keys import Keys


class KeysController(Controller):
    path = "/api/v1/ai/keys"
    tags = ("AI",)

    @get(operation_id="list_ai_keys", summary="Your keys that have limits")
    async def list_ai_keys(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        keys: NamedDependency[Keys],
        person: Annotated[
            str, QueryParameter(max_length=40, description="an account's id, for administrators; you when not given")
        ] = "",
        *,
        everybody: Annotated[bool, QueryParameter(description="for administrators: those of all accounts")] = False,
    ) -> PageView[KeyLimitsView]:
        """By id, each with what is used of its limits now."""
        found = await keys.page(principal, person, page, everybody=everybody)
        return PageView([KeyLimitsView.of(each) for each in found.items], found.next_cursor)

    @get("/{token_id:str}/limits", operation_id="get_ai_key_limits", summary="The limits of a key")
    async def get_ai_key_limits(
        self, token_id: FromPath[str], principal: NamedDependency[Principal], keys: NamedDependency[Keys]
    ) -> KeyLimitsView:
        return KeyLimitsView.of(await keys.find(token_id, principal))

    @put("/{token_id:str}/limits", operation_id="put_ai_key_limits", summary="Set all limits of a key")
    async def put_ai_key_limits(
        self,
        token_id: FromPath[str],
        data: JSONBody[KeyLimitsBody],
        principal: NamedDependency[Principal],
        keys: NamedDependency[Keys],
    ) -> KeyLimitsView:
        """They hold beside those of its person and team, on all servers within five seconds."""
        return KeyLimitsView.of(await keys.put(token_id, data.own(), principal))

    @delete("/{token_id:str}/limits", operation_id="delete_ai_key_limits", summary="Take all limits of a key away")
    async def delete_ai_key_limits(
        self, token_id: FromPath[str], principal: NamedDependency[Principal], keys: NamedDependency[Keys]
    ) -> None:
        """Those of its person and team stay."""
        await keys.delete(token_id, principal)
