"""The languages of this server, as interviews use them."""

from opencode.contracts.execution import Language
from opencode.modules.interviews.domain.interview import find_language
from opencode.modules.interviews.service.base import UseCases


class Languages(UseCases):
    async def list(self) -> tuple[Language, ...]:
        """All languages, those that can be run here first."""
        return await self.runner.languages()

    async def find(self, asked: str) -> Language:
        """
        Raises:
            LanguageNotKnown: no language has this id or alias.
        """
        return find_language(asked, await self.runner.languages())

    async def first(self) -> Language:
        """The language of an interview that is created without one: the configured one, if it can be run here."""
        languages = await self.runner.languages()
        configured = find_language(self.settings.default_language, languages)
        return configured if configured.available else languages[0]
