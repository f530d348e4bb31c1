"""Answers for other modules of the product, over the same gateway as those for clients."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from opencode.contracts.ai import Answered, Turn
from opencode.contracts.identity import Identity
from opencode.kernel.errors import OpenCodeError
from opencode.kernel.ids import UserId, new_id
from opencode.kernel.principal import Principal, PrincipalKind
from opencode.modules.ai.domain.dialects.canonical import (
    ChatRequest,
    Dialect,
    Event,
    Failed,
    Finished,
    FinishReason,
    JsonFormat,
    Message,
    Role,
    Text,
    TextDelta,
)
from opencode.modules.ai.domain.dialects.openai_chat.requests import write_request
from opencode.modules.ai.domain.dialects.openai_chat.streams import Reader
from opencode.modules.ai.domain.money import cost_of, price_of
from opencode.modules.ai.domain.usage import Usage
from opencode.modules.ai.errors import AnswerFailed
from opencode.modules.ai.policy import TO_USE
from opencode.modules.ai.service.callers import Callers, Known
from opencode.modules.ai.service.calling import Streaming
from opencode.modules.ai.service.gateway import Gateway, GatewayFailed, Reply
from opencode.modules.ai.service.models import Models

_ROLES = {"person": Role.USER, "assistant": Role.ASSISTANT}


class Assisting:
    """`contracts.ai.Assistants`."""

    def __init__(self, identity: Identity, callers: Callers, models: Models, gateway: Gateway) -> None:
        self._identity = identity
        self._callers = callers
        self._models = models
        self._gateway = gateway

    async def available(self, user_id: UserId) -> list[str]:
        # Most servers have no provider, and are asked this whenever somebody opens a room.
        if not self._models.any or user_id not in await self._identity.holders_of(TO_USE):
            return []
        return await self._models.names(_account(user_id, may_use=True))

    async def answer(
        self,
        *,
        on_behalf_of: UserId,
        model: str,
        system: str,
        turns: Sequence[Turn],
        most_output_tokens: int,
        form: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[str | Answered]:
        may_use = on_behalf_of in await self._identity.holders_of(TO_USE)
        by = await self._callers.known_account(_account(on_behalf_of, may_use=may_use))
        messages = tuple(Message(_ROLES[turn.speaker], (Text(turn.text),)) for turn in turns)
        request = ChatRequest(
            dialect=Dialect.OPENAI_CHAT,
            model=model,
            system=system,
            messages=messages,
            max_tokens=most_output_tokens,
            format=JsonFormat(dict(form)) if form else None,
            stream=True,
            wants_usage=True,
        )
        try:
            # What people are told in an interview is made for them: an answer of yesterday's would be on no bill.
            reply = await self._gateway.answer(Dialect.OPENAI_CHAT, write_request(request), by, {}, may_be_kept=False)
        except GatewayFailed as error:
            # Our own refusals have better words than the dialects have kinds.
            if isinstance(error.__cause__, OpenCodeError):
                raise error.__cause__ from None
            raise AnswerFailed(error.failure.message, error.failure.retry_after_s) from error
        async for event in _events(reply):
            match event:
                case TextDelta(text):
                    yield text
                case Finished():
                    yield _answered(event, reply, by)
                case Failed(failure):
                    raise AnswerFailed(failure.message, failure.retry_after_s)
                case _:
                    # Thoughts are the model's own, and there are no tools.
                    pass


async def _events(reply: Reply) -> AsyncGenerator[Event]:
    reader = Reader(new_id("ans"))
    if not isinstance(reply.body, Streaming):
        for event in (*reader.feed(reply.body), *reader.end()):
            yield event
        return
    try:
        async with aclosing(reply.body.pieces()) as pieces:
            async for piece in pieces:
                for event in reader.feed(piece):
                    yield event
        for event in reader.end():
            yield event
    finally:
        await reply.body.close()


def _answered(end: Finished, reply: Reply, by: Known) -> Answered:
    cut = end.reason is FinishReason.LENGTH
    if end.usage is None:
        return Answered(reply.model, None, None, None, cut)
    told = end.usage
    facts = next((each.facts for each in by.snapshot.registry.deployments if each.name == reply.model), None)
    price = price_of(facts.price if facts else None)
    cost = cost_of(price, Usage(told.input, told.output, told.cached_input, told.cache_write).bounded())
    return Answered(reply.model, told.input, told.output, cost, cut)


def _account(user_id: UserId, *, may_use: bool) -> Principal:
    permissions = frozenset({TO_USE}) if may_use else frozenset[str]()
    return Principal(user_id, PrincipalKind.USER, permissions=permissions)
