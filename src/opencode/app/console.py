"""What all commands share: where they print, how they fail, and the settings they work with."""

import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from opencode.app.settings import Settings, load_settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


class Printer:
    """A console of rich. That is loaded with the first word: a server has none to say, and keeps what it loads."""

    def __init__(self, *, stderr: bool = False) -> None:
        self._stderr = stderr

    @cached_property
    def console(self) -> "Console":
        from rich.console import Console

        return Console(stderr=self._stderr, soft_wrap=True)

    def print(self, *what: Any, **how: Any) -> None:
        """See `rich.console.Console.print`."""
        self.console.print(*what, **how)


out = Printer()
err = Printer(stderr=True)

_WIDTH_IN_A_FILE = 2_000  # columns, where no terminal says how wide it is: a row stays a line for other programs


def fail(detail: str, action: str = "") -> NoReturn:
    """Say what happened and what to do, and end with status 1."""
    err.print(f"[red bold]{escape(detail)}[/red bold]")
    if action:
        err.print(escape(action))
    sys.exit(1)


def escape(text: str) -> str:
    """A text in which brackets are brackets, and no markup for consoles."""
    from rich.markup import escape as escaped

    return escaped(text)


def table_of(*headings: str) -> "Table":
    """An empty table that folds long words."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def show(table: "Table") -> None:
    """Print a table as wide as the terminal, or wide where there is none."""
    from rich.console import Console

    (out.console if out.console.is_terminal else Console(width=_WIDTH_IN_A_FILE)).print(table)


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
