"""Providers that administrators add while the server runs."""

from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from opencode.kernel.ids import ProviderId, UserId


class Secrets(msgspec.Struct, frozen=True):
    """What is sealed of a provider."""

    api_key: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])

    @property
    def is_empty(self) -> bool:
        return not self.api_key and not self.headers


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProvider:
    """
    Attributes:
        settings: as a configuration would say it, without what is secret.
        sealed: its `Secrets`; None when it has none.
        revision: from 1; each change adds one.
    """

    id: ProviderId
    name: str
    settings: dict[str, object]
    sealed: str | None = field(default=None, repr=False)
    revision: int = 1
    changed_by: UserId
    created_at: datetime
    changed_at: datetime

    @property
    def what(self) -> str:
        """What its secrets are sealed as: they open as part of this record only."""
        return f"ai.provider {self.id}"

    def leads_elsewhere(self, settings: dict[str, object]) -> bool:
        """Whether calls would go to another address with these settings."""
        return any(self.settings.get(key) != settings.get(key) for key in ("preset", "base_url"))
