"""A project read from where its code lives."""

from typing import Annotated

import msgspec
from msgspec import Meta

from opencode.infra.http import Body
from opencode.modules.marketplace.domain.readings import SyncField
from opencode.modules.marketplace.schemas.projects import ProjectView
from opencode.modules.marketplace.service.drafting import ReadProject
from opencode.modules.marketplace.service.syncing import Reading, Synced


class DraftAddress(Body):
    """The address of a project's page on a code host or package index that this server knows."""

    url: str


class SourcesView(msgspec.Struct, frozen=True):
    """Hosts whose pages drafts are read from; empty where the operator has named none."""

    hosts: list[str]


class ProblemView(msgspec.Struct, frozen=True):
    """`pointer` names a field of the draft; `detail` says why it is empty."""

    pointer: str
    detail: str


class DraftView(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, ready to be edited and sent to `POST /api/v1/projects` without `problems`. Nothing is saved."""

    title: str
    summary: str
    description: str
    technologies: tuple[str, ...]
    license: str | None
    tags: tuple[str, ...]
    repository_url: str | None
    documentation_url: str | None
    demo_url: str | None
    problems: list[ProblemView]

    @classmethod
    def of(cls, read: ReadProject) -> "DraftView":
        problems = [ProblemView(problem.pointer, problem.detail) for problem in read.problems]
        return cls(**read.fields, problems=problems)


class SyncRequest(Body):
    """
    `take`: the fields to take over and no other, also those that their author has worded; without it, all that follow
    the repository.
    """

    take: Annotated[list[SyncField], Meta(max_length=len(SyncField))] | None = None


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A field of which the repository says something else. `by_hand`: its author has worded it since it was read last, so
    it is replaced only when it is named.
    """

    field: SyncField
    mine: str | tuple[str, ...]
    told: str | tuple[str, ...]
    by_hand: bool


class SyncPreviewView(msgspec.Struct, frozen=True):
    """What would change; nothing has. `problems`: what could not be told and could have been taken, and why."""

    revision: int
    offers: list[OfferView]
    problems: list[ProblemView]

    @classmethod
    def of(cls, reading: Reading) -> "SyncPreviewView":
        offers = [
            OfferView(field=each.field, mine=each.mine, told=each.told, by_hand=each.by_hand) for each in reading.offers
        ]
        problems = [ProblemView(problem.pointer, problem.detail) for problem in reading.problems]
        return cls(reading.project.revision, offers, problems)


class SyncView(msgspec.Struct, frozen=True):
    """
    `changed`: the fields that are different now. `kept`: those that the repository words otherwise, and that are the
    author's. `problems`: fields that would have been taken, and why they were not.
    """

    changed: tuple[SyncField, ...]
    kept: tuple[SyncField, ...]
    problems: list[ProblemView]
    project: ProjectView

    @classmethod
    def of(cls, synced: Synced, project: ProjectView) -> "SyncView":
        problems = [ProblemView(problem.pointer, problem.detail) for problem in synced.problems]
        return cls(synced.changed, synced.kept, problems, project)
