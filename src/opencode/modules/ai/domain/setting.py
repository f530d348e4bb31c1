"""Limits that administrators set while the server runs, and how they stand beside those of files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from msgspec import structs

from opencode.modules.ai.domain.configuration.model import Configuration, Limits
from opencode.modules.ai.domain.usage import Subject, SubjectKind

EVERYBODY = "everybody"
NAMES = ("requests_per_minute", "tokens_per_minute", "concurrency", "budget")
"""The limits that there are. Each is set alone, and a budget as a whole: a period belongs to its amount."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Who limits are set for: a person by the id of the account, a team by its name, or each person (`None`)."""

    subject: Subject | None = None

    @classmethod
    def of_words(cls, words: str) -> "Whose":
        """
        Raises:
            ValueError: it names nobody.
        """
        if words == EVERYBODY:
            return cls()
        kind, _, name = words.partition(":")
        if kind == SubjectKind.KEY or not name:
            raise ValueError(words)
        return cls(Subject(SubjectKind(kind), name))

    @property
    def words(self) -> str:
        """As addresses and tables have it: `everybody`, `team:lab`, `person:usr_…`."""
        return self.subject.words if self.subject else EVERYBODY

    @property
    def path(self) -> tuple[str, ...]:
        """Where the configuration has its limits."""
        if self.subject is None:
            return ("limits",)
        if self.subject.kind is SubjectKind.TEAM:
            return ("teams", self.subject.id, "limits")
        return ("people", self.subject.id)


@dataclass(frozen=True, slots=True)
class StoredLimits:
    """
    Attributes:
        version: another one with each change; two changes never have the same.
    """

    whose: Whose
    limits: Limits
    version: str
    changed_by: str
    changed_at: datetime


class LimitShelf(Protocol):
    """Where limits are kept. Changes are made of what somebody has read, or not at all."""

    async def all(self) -> list[StoredLimits]:
        """By the words of whose they are."""
        ...

    async def find(self, whose: Whose) -> StoredLimits | None: ...

    async def count(self) -> int: ...

    async def add(self, new: StoredLimits) -> bool:
        """False where there are some already."""
        ...

    async def change(self, before: StoredLimits, after: StoredLimits) -> bool:
        """False where they are not what they were any more."""
        ...

    async def delete(self, before: StoredLimits) -> bool:
        """False where they are not what they were any more."""
        ...


def over(below: Limits, above: Limits) -> Limits:
    """What the one says, and of what it does not say what the other says."""
    said = {name: value for name in NAMES if (value := getattr(above, name)) is not None}
    return structs.replace(below, **said)


class PeoplesLimits:
    """
    What each person may use by one configuration: what is set for everybody, unless something is set for them. A file
    names people by their addresses, administrators by accounts; where both do, the file has the last word.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.everybody = configuration.limits
        self._own = {name.lower(): limits for name, limits in configuration.people.items()}
        self.needs_addresses = any("@" in name for name in self._own)

    def of(self, user_id: str, address: str) -> Limits:
        """Args: address: empty where there is none."""
        limits = over(self.everybody, self._own.get(user_id.lower(), Limits()))
        return over(limits, self._own.get(address.strip().lower(), Limits()))


def without_limits(configuration: Configuration) -> Configuration:
    """The same, as if nobody had any."""
    teams = {name: structs.replace(team, limits=Limits()) for name, team in configuration.teams.items()}
    return structs.replace(configuration, limits=Limits(), people={}, teams=teams)


def said_by(stored: Iterable[StoredLimits]) -> dict[Whose, dict[str, object]]:
    """What is stored, as a configuration would say it."""
    return {each.whose: _said(each.limits) for each in stored}


def _said(limits: Limits) -> dict[str, object]:
    said: dict[str, object] = {name: value for name in NAMES if (value := getattr(limits, name)) is not None}
    if limits.budget is not None:
        said["budget"] = {"amount_usd": limits.budget.amount_usd, "period": limits.budget.period.value}
    return said


def as_configuration(said: Mapping[Whose, Mapping[str, object]]) -> dict[str, object]:
    """Limits at their places in a configuration."""
    whole: dict[str, object] = {}
    people, teams = dict[str, object](), dict[str, object]()
    for whose, limits in said.items():
        if not limits:
            continue
        match whose.path:
            case ("people", person):
                people[person] = limits
            case ("teams", team, _):
                teams[team] = {"limits": limits}
            case _:
                whole["limits"] = limits
    return {**whole, **({"people": people} if people else {}), **({"teams": teams} if teams else {})}
