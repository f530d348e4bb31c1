"""One line of an import: read, checked, and turned into what is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from opencode.infra.http import Body
from opencode.infra.http.requests import decode_body
from opencode.kernel.errors import FieldProblem, Invalid
from opencode.modules.marketplace.domain.importing import LONGEST_LINE_BYTES
from opencode.modules.marketplace.domain.project import Counters, ProjectStatus, checked
from opencode.modules.marketplace.domain.slugs import handle_problem

_Count = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]


class PriceBody(Body):
    """`{"amount_minor": 900, "currency": "EUR"}`: minor units, so 9.00 EUR. An amount of 0 is free."""

    amount_minor: int
    currency: str | None = None


class ProjectBody(Body):
    """What somebody says of a new project. `license` is an SPDX expression; a `price` of null, or of 0, is free."""

    title: str
    summary: str = ""
    description: str = ""
    technologies: list[str] = msgspec.field(default_factory=list[str])
    license: str | None = None
    price: PriceBody | int | None = None
    repository_url: str | None = None
    demo_url: str | None = None
    documentation_url: str | None = None
    tags: list[str] = msgspec.field(default_factory=list[str])

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked(rule_values(fields))[1]


class ImportLine(ProjectBody):
    """A project as the bulk door takes it: as it is created, and what is known of it from elsewhere."""

    status: ProjectStatus = ProjectStatus.PUBLISHED
    name: str | None = None
    owner: str | None = None
    featured: bool = False
    stars: _Count = 0
    downloads: _Count = 0
    views: _Count = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A good line: its number, the fields as they are kept, and what came along with them."""

    number: int
    fields: dict[str, Any]
    name: str | None
    owner: str | None
    counters: Counters
    created_at: datetime | None
    updated_at: datetime | None


_RULED = frozenset(ImportLine.__struct_fields__) - {
    "name",
    "owner",
    "stars",
    "downloads",
    "views",
    "created_at",
    "updated_at",
}


def rule_values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Of the fields of a body those that have rules, in the form that `domain.project.checked` takes them."""
    values = {name: value for name, value in fields.items() if name in _RULED}
    if "price" in values:
        values["price"] = price_pair(values["price"])
    return values


def price_pair(price: "PriceBody | Mapping[str, Any] | int | None") -> tuple[int, str | None] | None:
    """The amount and the currency. A plain 0 is free; any other plain number lacks its currency, which is told."""
    if price is None or isinstance(price, int):
        return None if price is None else (price, None)
    if isinstance(price, PriceBody):
        return price.amount_minor, price.currency
    return price.get("amount_minor", 0), price.get("currency")


def read_line(number: int, raw: bytes, now: datetime) -> ReadLine:
    """
    Raises:
        Invalid: the line is not a project; the sentence says why.
    """
    if len(raw) > LONGEST_LINE_BYTES:
        raise Invalid(f"has more than {LONGEST_LINE_BYTES} bytes")
    line: ImportLine = decode_body(raw, ImportLine)
    values = {name: getattr(line, name) for name in _RULED}
    fields, problems = checked({**values, "price": price_pair(line.price)})
    problems += _further_problems(line, now)
    if problems:
        raise Invalid("", problems=tuple(problems))
    return ReadLine(
        number,
        fields,
        line.name,
        line.owner,
        Counters(stars=line.stars, downloads=line.downloads, views=line.views),
        line.created_at,
        line.updated_at,
    )


def reason_of(error: Invalid) -> str:
    """Why a line was refused, in one sentence."""
    told = "; ".join(f"{problem.pointer.lstrip('/') or 'the line'} {problem.detail}" for problem in error.problems)
    return (told or error.detail)[:500]


def _further_problems(line: ImportLine, now: datetime) -> list[FieldProblem]:
    problems: list[FieldProblem] = []
    if line.name is not None:
        problems += checked({"name": line.name})[1]
    if line.owner is not None and (detail := handle_problem(line.owner)):
        problems.append(FieldProblem("/owner", detail))
    for name in ("created_at", "updated_at"):
        moment: datetime | None = getattr(line, name)
        if moment is not None and (moment.tzinfo is None or moment > now or moment.year < 1970):
            problems.append(FieldProblem(f"/{name}", "must be a moment since 1970 with its zone, not in the future"))
    if line.created_at and line.updated_at and not problems and line.updated_at < line.created_at:
        problems.append(FieldProblem("/updated_at", "must not be before created_at"))
    return problems
