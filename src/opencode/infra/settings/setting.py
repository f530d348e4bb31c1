"""How a settings class describes its fields."""

from dataclasses import dataclass, field
from typing import Any

KEY = "opencode.setting"


@dataclass(frozen=True, slots=True)
class Description:
    """What a person should know of one setting: what it does, the values allowed, and whether to hide it."""

    doc: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False


def setting(
    default: Any,
    doc: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    secret: bool = False,
) -> Any:
    """
    A field of a frozen dataclass of settings: `port: int = setting(8000, "…", minimum=0, maximum=65535)`. Its
    environment variable is `OCP_` and the field's name in capitals, so names are unique over all modules.

    Args:
        default: used when nobody says otherwise.
        doc: one line, with the unit.
        secret: `ocp settings` shows only whether it is set.
    """
    return field(default=default, metadata={KEY: Description(doc, minimum, maximum, choices, secret)})
