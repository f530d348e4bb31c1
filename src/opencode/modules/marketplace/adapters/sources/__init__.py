"""Projects that are already told of elsewhere: an address is recognised, asked, and its answer read as a draft."""

from opencode.modules.marketplace.adapters.sources.importer import Importer
from opencode.modules.marketplace.adapters.sources.places import Place, Places, SourceKind
from opencode.modules.marketplace.adapters.sources.recognising import Source, recognise

__all__ = ["Importer", "Place", "Places", "Source", "SourceKind", "recognise"]
