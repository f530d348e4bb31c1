"""Suggestions: what a model would say of a project in its list, for its author to take or leave."""

import asyncio

from opencode.contracts.ai import Answered, Assistants, Turn
from opencode.infra.security import Rate
from opencode.kernel.ids import UserId
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.catalog import Search
from opencode.modules.marketplace.domain.suggestions import (
    FORM,
    MOST_ANSWER,
    MOST_OUTPUT_TOKENS,
    Suggestion,
    beginning_of,
    suggestion_of,
    system_for,
)
from opencode.modules.marketplace.errors import (
    CatalogueFilling,
    NothingSuggested,
    SuggestionsOff,
    SuggestionsTooFast,
)
from opencode.modules.marketplace.service.base import Shared, UseCases

_MINUTE_S = 60
PATIENCE_S = 60.0
"""Somebody looks at a button meanwhile."""


class Suggesting(UseCases):
    def __init__(self, shared: Shared, assistants: Assistants) -> None:
        super().__init__(shared)
        self._assistants = assistants

    async def offered(self, by: Principal) -> bool:
        """
        May this person ask for suggestions, and is there a model that makes them?

        Raises:
            Unauthenticated, Forbidden: this person may not make projects.
        """
        return bool(await self._models(by))

    async def suggest(self, by: Principal, readme: str) -> Suggestion:
        """
        Have a summary and tags suggested. Nothing is saved; the call is charged to this person.

        Raises:
            Unauthenticated, Forbidden: this person may not make projects.
            SuggestionsOff, SuggestionsTooFast, NothingSuggested
            OpenCodeError: a limit or budget of this person is reached, or the provider failed.
        """
        if not (models := await self._models(by)):
            raise SuggestionsOff
        rate = Rate(self.settings.suggestions_per_minute, _MINUTE_S)
        if wait_s := await self.parts.limiter.attempt(f"marketplace:suggest:{by.id}", rate):
            raise SuggestionsTooFast(wait_s)
        known = await self._known_tags()
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer, answered_by = await self._answer(by, models[0], system_for(known), beginning_of(readme))
        except TimeoutError:
            raise NothingSuggested from None
        if (suggestion := suggestion_of(answer, known, answered_by)) is None:
            raise NothingSuggested
        return suggestion

    async def _models(self, by: Principal) -> list[str]:
        policy.require_writer(by)
        # A token that may write projects only must not spend what its owner may spend on models.
        return await self._assistants.available(UserId(by.id)) if by.may(policy.TO_USE_AI) else []

    async def _known_tags(self) -> list[str]:
        try:
            found = await self.catalogue.search(Search(limit=1))
        except CatalogueFilling:
            return []
        return [facet.value for facet in found.facets.tags]

    async def _answer(self, by: Principal, model: str, system: str, readme: str) -> tuple[str, str]:
        said: list[str] = []
        length, answered_by = 0, model
        pieces = self._assistants.answer(
            on_behalf_of=UserId(by.id),
            model=model,
            system=system,
            turns=[Turn("person", readme)],
            most_output_tokens=MOST_OUTPUT_TOKENS,
            form=FORM,
        )
        try:
            async for piece in pieces:
                if isinstance(piece, Answered):
                    answered_by = piece.model
                    continue
                said.append(piece)
                length += len(piece)
                if length > MOST_ANSWER:
                    raise NothingSuggested
        finally:
            await pieces.aclose()
        return "".join(said), answered_by
