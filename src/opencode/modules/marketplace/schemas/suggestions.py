"""What a model suggests for a README."""

from typing import Annotated

import msgspec
from msgspec import Meta

from opencode.infra.http import Body
from opencode.modules.marketplace.domain.project import MAX_DESCRIPTION_BYTES
from opencode.modules.marketplace.domain.suggestions import Suggestion


class ReadmeBody(Body):
    """Markdown that says what a project is."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_DESCRIPTION_BYTES)]


class SuggestionsOfferedView(msgspec.Struct, frozen=True):
    """`available`: a model suggests something to the caller when asked."""

    available: bool


class SuggestedTagView(msgspec.Struct, frozen=True):
    """`known`: other projects have it already."""

    tag: str
    known: bool


class SuggestionView(msgspec.Struct, frozen=True):
    """What could be taken over; nothing is saved. `summary` is null where the model had none of use."""

    summary: str | None
    tags: list[SuggestedTagView]
    model: str

    @classmethod
    def of(cls, suggestion: Suggestion) -> "SuggestionView":
        tags = [SuggestedTagView(each.tag, each.known) for each in suggestion.tags]
        return cls(suggestion.summary or None, tags, suggestion.model)
