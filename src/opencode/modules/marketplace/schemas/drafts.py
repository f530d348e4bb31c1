"""A project read from where its code lives."""

import msgspec

from opencode.infra.http import Body
from opencode.modules.marketplace.schemas.projects import ProjectView
from opencode.modules.marketplace.service.drafting import ReadProject
from opencode.modules.marketplace.service.syncing import Synced


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


class SyncView(msgspec.Struct, frozen=True):
    """
    `changed`: the fields that are different now. `problems`: fields that would have been taken, and why they were not.
    """

    changed: tuple[str, ...]
    problems: list[ProblemView]
    project: ProjectView

    @classmethod
    def of(cls, synced: Synced, project: ProjectView) -> "SyncView":
        problems = [ProblemView(problem.pointer, problem.detail) for problem in synced.problems]
        return cls(synced.changed, problems, project)
