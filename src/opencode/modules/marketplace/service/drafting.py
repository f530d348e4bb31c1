"""Drafts: what another place tells of a project, for its author to look at before anything is saved."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from opencode.infra.security import Rate
from opencode.kernel.errors import FieldProblem
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.drafts import Draft
from opencode.modules.marketplace.domain.project import checked
from opencode.modules.marketplace.domain.readings import prints_of
from opencode.modules.marketplace.errors import DraftsTooFast
from opencode.modules.marketplace.service.base import Shared, UseCases

ReadDraft = Callable[[str], Awaitable[Draft]]
"""An address -> what the place that it leads to tells; raises the errors of `Drafting.read`."""

_MINUTE_S = 60
_NOT_TOLD = {
    "summary": "was not told; one line says what the project is for",
    "description": "was not told, or not in Markdown",
    "license": "was not told, or is none that has one SPDX expression",
    "technologies": "were not told",
    "tags": "were not told",
    "repository_url": "was not told",
}


@dataclass(frozen=True, slots=True)
class ReadProject:
    """
    Attributes:
        fields: of a new project, by name, good in every way; what could not be told is empty.
        problems: what could not be told, or was told in a way that no project may have.
    """

    fields: dict[str, Any]
    problems: tuple[FieldProblem, ...]


class Drafting(UseCases):
    def __init__(self, shared: Shared, read: ReadDraft, hosts: Sequence[str]) -> None:
        super().__init__(shared)
        self._read = read
        self._hosts = hosts

    def hosts(self, by: Principal) -> Sequence[str]:
        """
        Whose pages can be read: none where the operator has named none.

        Raises:
            Unauthenticated, Forbidden: this person may not make projects.
        """
        policy.require_writer(by)
        return self._hosts

    async def draft(self, by: Principal, url: str) -> ReadProject:
        """
        Read a project to be. Nothing of it is saved but prints of what was read, which tell later what is its author's.

        Raises:
            Those of `read`.
        """
        read = await self.read(by, url)
        if repository_url := read.fields["repository_url"]:
            async with self.unit_of_work() as work:
                await work.stores.readings.note_draft(by.id, repository_url, prints_of(read.fields), self.clock.now())
        return read

    async def read(self, by: Principal, url: str) -> ReadProject:
        """
        Read what can be read at an address. Nothing is saved.

        Raises:
            Unauthenticated, Forbidden: this person may not make projects.
            DraftsTooFast, SourceUnknown, SourceMissing, SourcePrivate, SourceBusy, SourceTooLarge, SourceUnreadable,
            FetchFailed
        """
        policy.require_writer(by)
        rate = Rate(self.settings.drafts_per_minute, _MINUTE_S)
        if wait_s := await self.parts.limiter.attempt(f"marketplace:draft:{by.id}", rate):
            raise DraftsTooFast(wait_s)
        return _good(await self._read(url))


def _good(draft: Draft) -> ReadProject:
    told: dict[str, Any] = {
        "title": draft.title,
        "summary": draft.summary,
        "description": draft.description,
        "technologies": list(draft.technologies),
        "license": draft.license or None,
        "tags": list(draft.tags),
        "repository_url": draft.repository_url or None,
        "documentation_url": draft.documentation_url or None,
        "demo_url": draft.demo_url or None,
    }
    fields, problems = checked(told)
    wrong = {problem.pointer.split("/")[1] for problem in problems}
    problems += [
        FieldProblem(f"/{name}", detail) for name, detail in _NOT_TOLD.items() if name not in wrong and not fields[name]
    ]
    # A field that breaks a rule is as good as not told: whoever publishes the draft as it is must not be refused.
    kept = {name: type(told[name])() if name in wrong and told[name] else value for name, value in fields.items()}
    return ReadProject({**kept, "license": kept["license"] or None}, tuple(problems))
