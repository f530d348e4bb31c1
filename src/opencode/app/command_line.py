"""How `ocp` reads its command line: groups that load a command's module when it is asked for, and types of values."""

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 and the number of SIGINT, as shells have it."""

PATH = click.Path(path_type=Path)
DATA_FOLDER = click.option("--data", type=PATH, help="Folder for the database, keys and files.")


class Group(click.Group):
    """
    Commands in the order in which they were written.

    Args:
        late: names of commands, and the modules whose `app` they are. Each is loaded when it is asked for: a server
            keeps whatever its process has loaded, for as long as it runs.
        more: what else `click.Group` takes.
    """

    def __init__(self, *parts: Any, late: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(*parts, **more)
        self._late = dict(late or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, *self._late]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if module := self._late.get(cmd_name):
            return import_module(module).app
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as unknown:
            # Click looks for what may have been meant among those alone that are loaded.
            raise click.exceptions.NoSuchCommand(args[0], possibilities=self.list_commands(ctx), ctx=ctx) from unknown

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        named = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        # Click cuts what a command is for down to a line; here each word of it was put there for a reason.
        with formatter.section("Commands"):
            formatter.write_dl([(name, " ".join((command.help or "").split())) for name, command in named if command])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
