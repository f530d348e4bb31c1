"""What a page of results was asked for, as its address says it, in one way for all who mean the same."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self, TypeVar

from opencode.infra.html import PageAddress, place
from opencode.kernel.errors import FieldProblem, Invalid
from opencode.modules.marketplace.domain.catalog import Filters, Order, PriceFilter, Search
from opencode.modules.marketplace.domain.project import MAX_WORD

PATH = "/projects"
LONGEST_TEXT = 200
LONGEST_LICENCE = 300
MOST_VALUES = 40

W = TypeVar("W", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    Attributes:
        technologies, tags: in lower case and in order, each once.
        cursor: where the page begins, None for the first one.
    """

    text: str = ""
    technologies: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    licence: str = ""
    price: PriceFilter = PriceFilter.ALL
    order: Order = Order.RELEVANCE
    cursor: str | None = None

    @classmethod
    def of(cls, address: PageAddress) -> Self:
        """Parameters that are not known, and values that are not, make no difference."""
        return cls(
            text=" ".join(address.first("q").replace("\0", " ").split()),
            technologies=_values(address.all("technologies")),
            tags=_values(address.all("tags")),
            licence=address.first("license").strip(),
            price=_one_of(PriceFilter, address.first("price"), PriceFilter.ALL),
            order=_one_of(Order, address.first("sort"), Order.RELEVANCE),
            cursor=address.first("cursor") or None,
        )

    @property
    def query(self) -> list[tuple[str, str]]:
        """What differs from the usual; the same for all who ask for the same."""
        pairs = [("q", self.text), *(("technologies", value) for value in self.technologies)]
        pairs += [("tags", value) for value in self.tags]
        pairs += [("license", self.licence)]
        pairs += [("price", self.price)] if self.price is not PriceFilter.ALL else []
        pairs += [("sort", self.order)] if self.order is not Order.RELEVANCE else []
        return [(name, value) for name, value in [*pairs, ("cursor", self.cursor)] if value]

    @property
    def place(self) -> str:
        return place(PATH, self.query)

    @property
    def choices(self) -> int:
        """How many filters are set."""
        return len(self.technologies) + len(self.tags) + bool(self.licence) + (self.price is not PriceFilter.ALL)

    def search(self) -> Search:
        """
        Raises:
            Invalid: more, or longer, words and filters than can be meant.
        """
        problems: list[FieldProblem] = []
        if len(self.text) > LONGEST_TEXT:
            problems.append(FieldProblem("/q", f"must have at most {LONGEST_TEXT} characters"))
        if len(self.licence) > LONGEST_LICENCE:
            problems.append(FieldProblem("/license", f"must have at most {LONGEST_LICENCE} characters"))
        for name, values in (("technologies", self.technologies), ("tags", self.tags)):
            if len(values) > MOST_VALUES or any(len(value) > MAX_WORD for value in values):
                problems.append(FieldProblem(f"/{name}", f"must be at most {MOST_VALUES} words of {MAX_WORD} letters"))
        if problems:
            told = "; ".join(f"{problem.pointer[1:]} {problem.detail}" for problem in problems)
            raise Invalid(f"This cannot be searched for: {told}.", action="Ask for less.", problems=tuple(problems))
        return Search(self.text, Filters(self.technologies, self.tags, self.licence or None, self.price), self.order)

    def toggled(self, facet: str, value: str) -> "Wanted":
        """The search with one filter more, or without it where it was chosen; from its first page."""
        first = replace(self, cursor=None)
        if facet == "technologies":
            return replace(first, technologies=_toggled(self.technologies, value))
        if facet == "tags":
            return replace(first, tags=_toggled(self.tags, value))
        if facet == "license":
            return replace(first, licence="" if self.has(facet, value) else value)
        return replace(first, price=PriceFilter.ALL if self.has(facet, value) else PriceFilter(value))

    def has(self, facet: str, value: str) -> bool:
        chosen = {"technologies": self.technologies, "tags": self.tags, "license": (self.licence.lower(),)}
        return value.lower() in chosen.get(facet, (self.price.value,))


def _values(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({tidied for value in values if (tidied := value.strip().lower())}))


def _toggled(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    return _values(set(values) ^ {value.lower()})


def _one_of(kind: type[W], value: str, usual: W) -> W:
    return kind(value) if value in set(kind) else usual
