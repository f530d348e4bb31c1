"""Writes docs/settings.md from the settings themselves: `make docs`. A test holds the page to them."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from opencode.app.settings import SECTIONS
from opencode.infra.settings import variable_of
from opencode.infra.settings.setting import KEY, Description

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

_HEAD = """\
# Settings

Each setting has one name. The nearest source wins: a flag of `ocp serve` (`--host`, `--port`, `--data`, `--modules`), \
then the variable, then the line `name = value` in the TOML file that `OCP_CONFIG` names, then the default. \
`ocp settings` prints every one with its value and where it came from; `make run` passes variables on.

A bad value stops the start with its name, its source and what is allowed. An unknown name in the file stops it too; \
an unknown `OCP_…` variable is pointed out. Made by `make docs`: change the settings classes, not this page.
"""
_TITLES = {
    "ProcessSettings": "The process",
    "IdentitySettings": "Accounts and sign-in",
    "CollaborationSettings": "Shared documents",
    "ExecutionSettings": "Runs",
    "PistonSettings": "The Piston API",
    "InterviewsSettings": "Interviews",
    "MarketplaceSettings": "The marketplace",
    "NotificationsSettings": "Notifications",
    "AiSettings": "AI",
}


def render() -> str:
    parts = [_HEAD]
    for section in SECTIONS:
        rows = [_row(item.name, item.default, item.metadata[KEY]) for item in fields(section)]
        head = "| name | variable | default | what it does |\n|---|---|---|---|"
        parts.append(f"## {_TITLES[section.__name__]}\n\n{head}\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _row(name: str, default: Any, description: Description) -> str:
    words = description.default_words or _shown(default)
    doc = description.doc.replace("|", "\\|")
    return f"| `{name}` | `{variable_of(name)}` | {words} | {doc}{_allowed(description)} |"


def _shown(default: Any) -> str:
    if default in ("", (), None):
        return "none"
    value = ", ".join(default) if isinstance(default, tuple) else str(default)
    return f"`{str(default).lower() if isinstance(default, bool) else value}`"


def _allowed(description: Description) -> str:
    low, high = description.minimum, description.maximum
    if description.choices:
        return f" ({', '.join(f'`{choice}`' for choice in description.choices)})"
    if low is not None and high is not None:
        return f" ({low:.15g} to {high:.15g})"
    return f" (at least {low:.15g})" if low is not None else ""


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
