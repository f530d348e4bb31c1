"""The bundled catalogue of models, read from the package."""

from functools import cache
from importlib.resources import files

import msgspec

from opencode.modules.ai.domain.configuration.model import Capability, ModelPrice
from opencode.modules.ai.domain.models import Catalogue, ModelFacts


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    context_window: int
    capabilities: list[Capability]
    max_output_tokens: int | None = None
    price: ModelPrice | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    source: str
    as_of: str
    models: dict[str, _Entry]


@cache
def bundled_catalogue() -> Catalogue:
    """Some hundred widely known models, with whose numbers they are and of which day."""
    raw = files("opencode.modules.ai.adapters").joinpath("catalogue.json").read_bytes()
    file = msgspec.json.decode(raw, type=_File)
    models = {
        name: ModelFacts(each.context_window, each.max_output_tokens, frozenset(each.capabilities), each.price)
        for name, each in file.models.items()
    }
    return Catalogue(f"{file.source} ({file.as_of})", models)
