"""Limits that are set for one key alone, beside those of the person who holds it."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct, field

from opencode.modules.ai.domain.configuration.model import Limits


class KeyLimits(Struct, frozen=True):
    """
    Attributes:
        models: the only ones that may be asked with it, `*` standing for any part of a name; None for all.
    """

    limits: Limits = field(default_factory=Limits)
    models: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class LimitedKey:
    """
    A key with limits.

    Attributes:
        token_id: the key is the token itself.
    """

    token_id: str
    owner_id: str
    own: KeyLimits
    changed_by: str
    changed_at: datetime
