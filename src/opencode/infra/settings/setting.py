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
    prefixes: tuple[str, ...] = ()
    secret: bool = False
    default_words: str = ""


def setting(
    default: Any,
    doc: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    prefixes: tuple[str, ...] = (),
    secret: bool = False,
    default_words: str = "",
) -> Any:
    """
    A field of a frozen dataclass of settings: `port: int = setting(8000, "…", minimum=0, maximum=65535)`. Its
    environment variable is `OCP_` and the field's name in capitals, so names are unique over all modules.

    Args:
        default: used when nobody says otherwise.
        doc: one line, with the unit.
        prefixes: what a value may begin with, when there is one.
        secret: `ocp settings` shows only whether it is set.
        default_words: how docs/settings.md tells a default that differs from machine to machine.
    """
    return field(
        default=default, metadata={KEY: Description(doc, minimum, maximum, choices, prefixes, secret, default_words)}
    )
