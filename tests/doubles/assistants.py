"""An assistant that says what a test tells it to, when the test tells it to."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opencode.contracts.ai import Answered, Turn
from opencode.kernel.errors import OpenCodeError
from opencode.kernel.ids import UserId

MODEL = "mock/small"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wanted to be answered."""

    on_behalf_of: UserId
    model: str
    system: str
    turns: tuple[Turn, ...]
    form: Mapping[str, Any] | None = None


@dataclass(slots=True)
class ScriptedAssistants:
    """
    `contracts.ai.Assistants`.

    Attributes:
        models: what everybody may use; none by default, like a server without a provider.
        pieces: what is answered.
        failure: raised behind the pieces.
        cost_nano: of each answer.
        goes_on: cleared, an answer stops behind its first piece until it is set.
        left: an answer was broken off.
    """

    models: list[str] = field(default_factory=list[str])
    pieces: tuple[str, ...] = ("Use a ", "dictionary.")
    failure: OpenCodeError | None = None
    cost_nano: int = 18_000
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[Asked] = field(default_factory=list[Asked])

    def __post_init__(self) -> None:
        self.goes_on.set()

    async def available(self, user_id: UserId) -> list[str]:
        return list(self.models)

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
        self.asked.append(Asked(on_behalf_of, model, system, tuple(turns), form))
        try:
            for piece in self.pieces:
                yield piece
                await self.goes_on.wait()
            if self.failure:
                raise self.failure
        except (asyncio.CancelledError, GeneratorExit):
            self.left.set()
            raise
        yield Answered(model, 12, 3, self.cost_nano, cut=False)
