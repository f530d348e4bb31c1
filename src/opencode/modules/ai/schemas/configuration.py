"""The configuration as administrators see it."""

from datetime import datetime
from typing import Any

import msgspec

from opencode.modules.ai.service.configuring import Explained
from opencode.modules.ai.service.inspecting import ConfigurationShown
from opencode.modules.ai.service.live import Refused


class LayerView(msgspec.Struct):
    layer: str
    source: str


class RefusedView(msgspec.Struct):
    """A configuration that changed nothing: the first hundred of its mistakes, each with its place, and how many."""

    mistakes: list[str]
    count: int
    at: datetime

    @classmethod
    def of(cls, refused: Refused) -> "RefusedView":
        return cls(list(refused.mistakes), refused.count, refused.at)


class ConfigurationView(msgspec.Struct):
    """What is in force, with secrets masked. `refused` is the last one, if it is not the one that is in force."""

    version: int
    digest: str
    since: datetime
    effective: Any
    layers: list[LayerView]
    other_files: list[str]
    refused: RefusedView | None

    @classmethod
    def of(cls, shown: ConfigurationShown) -> "ConfigurationView":
        return cls(
            version=shown.snapshot.version,
            digest=shown.snapshot.digest,
            since=shown.snapshot.since,
            effective=shown.effective,
            layers=[LayerView(layer, source) for layer, source in shown.layers],
            other_files=list(shown.other_files),
            refused=RefusedView.of(shown.refused) if shown.refused else None,
        )


class ValueView(msgspec.Struct):
    """One value, masked where it is secret, and where it comes from."""

    path: str
    value: Any
    layer: str
    place: str

    @classmethod
    def of(cls, explained: Explained) -> "ValueView":
        return cls(explained.path, explained.value, explained.layer, str(explained.place))
