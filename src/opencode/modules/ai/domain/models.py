"""What is known of a model: by the catalogue, by its provider, and by the configuration, the last on top."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from opencode.modules.ai.domain.configuration.model import Capability, ModelEntry, ModelPrice

_DATED = re.compile(r"-(?:latest|\d{8}|\d{4}-\d{2}-\d{2})$")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """
    Attributes:
        context_window: tokens of question and answer together; None where nobody says.
        capabilities: None where nobody says, which is not the same as none.
        price: None where nobody says; a model of one's own machines costs nothing only if somebody writes so.
    """

    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: frozenset[Capability] | None = None
    price: ModelPrice | None = None

    def under(self, above: "ModelFacts") -> "ModelFacts":
        """These, with what the other ones say on top."""
        said = {name: value for name in ModelFacts.__slots__ if (value := getattr(above, name)) is not None}
        return replace(self, **said)


NOTHING_KNOWN = ModelFacts()


@dataclass(frozen=True, slots=True)
class DiscoveredModel:
    """
    A model that a provider says it has.

    Attributes:
        digest: changes when the model does; empty where the provider tells none.
    """

    name: str
    facts: ModelFacts = NOTHING_KNOWN
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """
    Widely known models, as the package brings them.

    Attributes:
        source: whose numbers they are, and of which day.
        models: by `<preset>/<model>`.
    """

    source: str = ""
    models: Mapping[str, ModelFacts] = field(default_factory=dict[str, ModelFacts])

    def about(self, preset: str | None, model: str) -> ModelFacts:
        """What is known of a service's model. One with a date behind its name is the one without."""
        if preset is None:
            return NOTHING_KNOWN
        name = f"{preset}/{model}"
        return self.models.get(name) or self.models.get(_DATED.sub("", name)) or NOTHING_KNOWN


def facts_of(entry: str | ModelEntry) -> ModelFacts:
    """What a configuration says of a model."""
    if isinstance(entry, str):
        return NOTHING_KNOWN
    capabilities = None if entry.capabilities is None else frozenset(entry.capabilities)
    return ModelFacts(entry.context_window, entry.max_output_tokens, capabilities, entry.price)
