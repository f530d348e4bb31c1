"""Providers as administrators see and write them. No answer has a key or the value of a header."""

from datetime import datetime
from typing import Annotated

import msgspec

from opencode.infra.http import Body
from opencode.modules.ai.domain.configuration.model import Dialect, ModelEntry, ProviderType
from opencode.modules.ai.domain.configuration.presets import PRESETS
from opencode.modules.ai.domain.health import HealthState
from opencode.modules.ai.service.administering import ProviderShown

Models = Annotated[list[str | ModelEntry], msgspec.Meta(description="names, or objects that say more of a model")]


class ProviderBody(Body):
    """
    A provider as a configuration says it. `api_key` and `headers` that are null are kept as they are; when the address
    changes they have to be given again. Nothing is filled in: `${…}` stands for itself.
    """

    type: ProviderType
    preset: str | None = None
    dialect: Dialect | None = None
    base_url: str | None = None
    api_key: str | None = None
    headers: dict[str, str] | None = None
    models: Models = msgspec.field(default_factory=list[str | ModelEntry])
    discover: bool = False
    enabled: bool = True
    weight: float = 1.0
    concurrency: int | None = None
    revision: Annotated[
        int | None, msgspec.Meta(description="of what is changed, 0 to add a new one; null changes whatever is there")
    ] = None

    def said(self) -> dict[str, object]:
        """As a configuration says it, without what is secret."""
        optional = {
            "preset": self.preset,
            "dialect": self.dialect,
            "base_url": self.base_url,
            "concurrency": self.concurrency,
        }
        return {
            "type": self.type,
            **{name: value for name, value in optional.items() if value is not None},
            "models": [each if isinstance(each, str) else _said_of(each) for each in self.models],
            "discover": self.discover,
            "enabled": self.enabled,
            "weight": self.weight,
        }


def _said_of(entry: ModelEntry) -> dict[str, object] | str:
    """As a configuration says it, without what it leaves to the catalogue; a name alone where nothing is left."""
    said = {name: value for name, value in msgspec.to_builtins(entry).items() if value is not None}
    return said if len(said) > 1 else entry.name


class PresetView(msgspec.Struct):
    """A service or server that is known by name. `needs_key`: it answers nobody without one."""

    name: str
    type: ProviderType
    dialect: Dialect
    base_url: str
    needs_key: bool


class PresetsView(msgspec.Struct):
    items: list[PresetView]

    @classmethod
    def all(cls) -> "PresetsView":
        return cls(
            [
                PresetView(name, each.type, each.dialect, each.base_url, each.has_key)
                for name, each in sorted(PRESETS.items())
            ]
        )


class ProviderSettingsView(msgspec.Struct):
    """What a provider was stored as, without what is secret: what a change of it begins from."""

    type: ProviderType
    preset: str | None = None
    dialect: Dialect | None = None
    base_url: str | None = None
    models: Models = msgspec.field(default_factory=list[str | ModelEntry])
    discover: bool = False
    enabled: bool = True
    weight: float = 1.0
    concurrency: int | None = None


class ProviderView(msgspec.Struct):
    """
    `layer` and `place` tell where it is named, `key_source` where its key comes from. `state` is `unknown`, `healthy`
    or `failing`, `reason` and `action` tell why and what to do. `revision` and `settings` are null for one that is not
    stored. `problem` tells why a stored one is not in force.
    """

    name: str
    type: ProviderType | None
    dialect: Dialect | None
    base_url: str | None
    enabled: bool
    discover: bool
    layer: str
    place: str
    has_key: bool
    key_source: str
    header_names: list[str]
    models: int
    state: HealthState
    reason: str
    action: str
    since: datetime | None
    checked_at: datetime | None
    latency_ms: float | None
    revision: int | None
    settings: ProviderSettingsView | None
    problem: str

    @classmethod
    def of(cls, shown: ProviderShown) -> "ProviderView":
        upstream, health, stored = shown.upstream, shown.health, shown.stored
        return cls(
            name=shown.name,
            type=upstream.type if upstream else None,
            dialect=upstream.dialect if upstream else None,
            base_url=(upstream.base_url or None) if upstream else None,
            enabled=upstream.enabled if upstream else False,
            discover=upstream.discover if upstream else False,
            layer=shown.layer,
            place=shown.place,
            has_key=bool(upstream.api_key) if upstream else bool(stored and stored.sealed),
            key_source=upstream.key_source if upstream else "",
            header_names=sorted(upstream.headers) if upstream else [],
            models=shown.models,
            state=health.state,
            reason=health.reason,
            action=health.action,
            since=health.since,
            checked_at=health.checked_at,
            latency_ms=None if health.latency_ms is None else round(health.latency_ms, 1),
            revision=stored.revision if stored else None,
            settings=msgspec.convert(stored.settings, ProviderSettingsView) if stored else None,
            problem=shown.problem,
        )
