"""`ocp ai`: the AI configuration, before anything starts."""

import difflib
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from opencode.app.console import err, fail, out
from opencode.modules.ai.adapters.files import Owner, Places
from opencode.modules.ai.domain.configuration.model import SCHEMA_ID, json_schema
from opencode.modules.ai.service import configuring
from opencode.modules.ai.service.configuring import Loaded

app = typer.Typer(
    help="The AI configuration: check it, show it, and see where each value comes from.", no_args_is_help=True
)

ConfigFile = Annotated[Path | None, typer.Option("--config", help="A file on top of the others. [OCP_AI_CONFIG]")]


@app.command()
def check(config: ConfigFile = None) -> None:
    """Tell every mistake with its place; the status is 1 when there is one."""
    loaded = configuring.load(Places.of_process(config))
    _tell_passed_over(loaded)
    for problem in loaded.checked.problems:
        _write(str(problem))
    if loaded.checked.problems:
        count = len(loaded.checked.problems)
        err.print(f"[red]{count} {'mistake' if count == 1 else 'mistakes'}.[/red]")
        raise typer.Exit(1)
    configuration = loaded.checked.configuration
    assert configuration is not None
    models = sum(len(provider.models) for provider in configuration.providers.values())
    out.print(f"[green]good[/green]  {len(configuration.providers)} providers, {models} models named")


@app.command()
def show(config: ConfigFile = None) -> None:
    """Print the configuration in force as JSON, with secrets masked."""
    loaded = _good(config)
    _write(json.dumps(configuring.show(loaded), indent=2, ensure_ascii=False))


@app.command()
def explain(
    key: Annotated[str, typer.Argument(help="Such as providers.local.base_url; empty for all.")] = "",
    config: ConfigFile = None,
) -> None:
    """Tell which file and line a value comes from."""
    loaded = configuring.load(Places.of_process(config))
    explained = configuring.explain(loaded, key)
    for each in explained:
        value = escape(json.dumps(each.value, ensure_ascii=False))
        out.print(
            f"[bold]{escape(each.path)}[/bold] = {value}  [dim]{each.layer}, {escape(str(each.place))}[/dim]",
            soft_wrap=True,
        )
    if not explained:
        known = [each.path for each in configuring.explain(loaded, "")]
        close = difflib.get_close_matches(key, known, n=1)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        fail(f"Nothing is configured at {key!r}.{meant}", "`ocp ai show` prints all that is.")


@app.command()
def schema() -> None:
    """Print the JSON Schema, for editors and other programs."""
    _write(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command()
def diff(other: Annotated[Path, typer.Argument(help="The file to compare with.")], config: ConfigFile = None) -> None:
    """Tell what would change if the other file were named; the status is 1 when something would."""
    before, after = (configuring.load(Places.of_process(each)) for each in (config, other))
    differences = configuring.compare(before, after)
    for each in differences:
        for sign, colour, value in (("-", "red", each.before), ("+", "green", each.after)):
            if value is not None:
                written = escape(json.dumps(value, ensure_ascii=False))
                out.print(f"[{colour}]{sign} {escape(each.path)} = {written}[/{colour}]", soft_wrap=True)
    for problem in after.checked.problems:
        _write(str(problem))
    if differences or after.checked.problems:
        raise typer.Exit(1)
    out.print("[green]no difference[/green]")


def _write(text: str) -> None:
    """As it is: other programs read it."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _good(config: Path | None) -> Loaded:
    """A configuration without mistakes, or the end with all of them told."""
    loaded = configuring.load(Places.of_process(config))
    if loaded.checked.problems:
        for problem in loaded.checked.problems:
            _write(str(problem))
        raise typer.Exit(1)
    return loaded


def _tell_passed_over(loaded: Loaded) -> None:
    for each in loaded.passed_over:
        whose: Any = (
            "belongs to the coding agent of the same name" if each.owner is Owner.AGENT else "does not say whose it is"
        )
        message = f'{each.source.name} {whose} and is left alone. A file of ours carries "$schema": "{SCHEMA_ID}".'
        err.print(f"[yellow]{escape(message)}[/yellow]", soft_wrap=True)
