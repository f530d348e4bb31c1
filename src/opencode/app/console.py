"""What all commands share: where they print, how they fail, and the settings they work with."""

import sys
from typing import Any, NoReturn

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from opencode.app.settings import Settings, load_settings

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

_WIDTH_IN_A_FILE = 2_000  # columns, where no terminal says how wide it is: a row stays a line for other programs


def fail(detail: str, action: str = "") -> NoReturn:
    """Say what happened and what to do, and end with status 1."""
    err.print(f"[red bold]{escape(detail)}[/red bold]")
    if action:
        err.print(escape(action))
    sys.exit(1)


def table_of(*headings: str) -> Table:
    """An empty table that folds long words."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def show(table: Table) -> None:
    """Print a table as wide as the terminal, or wide where there is none."""
    (out if out.is_terminal else Console(width=_WIDTH_IN_A_FILE)).print(table)


def settings_of(**flags: Any) -> Settings:
    """Settings with these flags on top, and logs set up accordingly."""
    from opencode.infra.observability.logs import configure_logs

    settings = load_settings(flags)
    chosen = settings.process.log_format
    configure_logs(
        level=settings.process.log_level,
        json=chosen == "json" or (chosen == "auto" and not sys.stderr.isatty()),
    )
    return settings
