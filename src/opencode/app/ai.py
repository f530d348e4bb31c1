"""`ocp ai`: the AI configuration, before anything starts."""

import asyncio
import difflib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import click

from opencode.app.ai_stored import rotate_key, stored_providers
from opencode.app.command_line import PATH, Group
from opencode.app.console import err, escape, fail, out, settings_of
from opencode.modules.ai.adapters.files import Owner, Places
from opencode.modules.ai.domain.configuration.jsonc import Source, plain, read
from opencode.modules.ai.domain.configuration.model import SCHEMA_ID, json_schema
from opencode.modules.ai.domain.health import Probe
from opencode.modules.ai.domain.importing import imported
from opencode.modules.ai.domain.registry import Upstream, upstreams_of
from opencode.modules.ai.service import configuring
from opencode.modules.ai.service.configuring import Loaded

MOCK_PORT = 11_435
"""Beside Ollama's."""

CONFIG_FILE = click.option("--config", type=PATH, help="A file on top of the others. [OCP_AI_CONFIG]")
DATA_FOLDER = click.option("--data", type=PATH, help="Folder of the database with the stored providers.")


@click.group("ai", cls=Group, no_args_is_help=True)
def app() -> None:
    """The AI configuration: check it, show it, and see where each value comes from."""


@app.command()
@CONFIG_FILE
@DATA_FOLDER
def check(config: Path | None, data: Path | None) -> None:
    """Tell every mistake with its place; the status is 1 when there is one."""
    _checked(_loaded(config, data))


def _checked(loaded: Loaded) -> None:
    _tell_passed_over(loaded)
    for problem in loaded.checked.problems:
        _write(str(problem))
    if loaded.checked.problems:
        count = len(loaded.checked.problems)
        err.print(f"[red]{count} {'mistake' if count == 1 else 'mistakes'}.[/red]")
        sys.exit(1)
    configuration = loaded.checked.configuration
    assert configuration is not None
    models = sum(len(provider.models) for provider in configuration.providers.values())
    out.print(f"[green]good[/green]  {len(configuration.providers)} providers, {models} models named")


@app.command()
@CONFIG_FILE
@DATA_FOLDER
def show(config: Path | None, data: Path | None) -> None:
    """Print the configuration in force as JSON, with secrets masked."""
    loaded = _good(config, data)
    _write(json.dumps(configuring.show(loaded), indent=2, ensure_ascii=False))


@app.command()
@click.argument("key", default="", help="Such as providers.local.base_url; empty for all.")
@CONFIG_FILE
@DATA_FOLDER
def explain(key: str, config: Path | None, data: Path | None) -> None:
    """Tell which file and line a value comes from."""
    loaded = _loaded(config, data)
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
@click.argument("other", type=PATH, help="The file to compare with.")
@CONFIG_FILE
def diff(other: Path, config: Path | None) -> None:
    """Tell what would change if the other file were named; the status is 1 when something would."""
    before, after = (_loaded(each, None) for each in (config, other))
    differences = configuring.compare(before, after)
    for each in differences:
        for sign, colour, value in (("-", "red", each.before), ("+", "green", each.after)):
            if value is not None:
                written = escape(json.dumps(value, ensure_ascii=False))
                out.print(f"[{colour}]{sign} {escape(each.path)} = {written}[/{colour}]", soft_wrap=True)
    for problem in after.checked.problems:
        _write(str(problem))
    if differences or after.checked.problems:
        sys.exit(1)
    out.print("[green]no difference[/green]")


@app.command()
@CONFIG_FILE
@DATA_FOLDER
def doctor(config: Path | None, data: Path | None) -> None:
    """Check everything, then test the connection to each provider from here; status 1 when one is not good."""
    loaded = _loaded(config, data, opened=True)
    _checked(loaded)
    configuration = loaded.checked.configuration
    assert configuration is not None
    upstreams = [each for each in upstreams_of(configuration, configuring.key_sources(loaded)).values() if each.enabled]
    probes = asyncio.run(_probed(upstreams))
    for upstream, probe in zip(upstreams, probes, strict=True):
        _tell_probe(upstream, probe)
    if not all(probe.is_good for probe in probes):
        sys.exit(1)


async def _probed(upstreams: Sequence[Upstream]) -> list[Probe]:
    # Loaded only here: the client takes longer to load than all of `check`.
    from opencode.modules.ai.adapters.upstream import Connections

    connections = Connections()
    try:
        return await asyncio.gather(*map(connections.probe, upstreams))
    finally:
        connections.close()


def _tell_probe(upstream: Upstream, probe: Probe) -> None:
    name = f"[bold]{escape(upstream.name)}[/bold]"
    if probe.is_good:
        models = "" if probe.models is None else f", {len(probe.models)} models"
        where = upstream.base_url or upstream.entry_point or ""
        out.print(f"[green]good[/green]  {name}  {escape(where)}  {probe.latency_ms:.0f} ms{models}", highlight=False)
    else:
        action = f" {probe.action}" if probe.action else ""
        out.print(f"[red]bad [/red]  {name}: {escape(f'{probe.reason}.{action}')}", highlight=False)


@app.command("import")
@click.argument("file", type=PATH, help="The opencode.json of the coding agent of the same name.")
@click.option("--to", type=PATH, help="Where to write it; it must not be there. [output]")
def import_file(file: Path, to: Path | None) -> None:
    """Make a configuration of ours from the providers and models of the coding agent's file."""
    try:
        node, problems = read(Source(str(file), file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError):
        fail(f"{file} cannot be read as text.", "Check the name.")
    for problem in problems:
        _write(str(problem))
    if problems or node is None or not isinstance(node.value, dict):
        fail(f"{file} is not what the coding agent reads.", "It is an object: JSON, with comments.")
    made = imported(cast("dict[str, Any]", plain(node)))
    text = json.dumps(made.configuration, indent=2, ensure_ascii=False)
    for left_out in made.left_out:
        err.print(f"[yellow]left out:[/yellow] {escape(left_out)}")
    if to is None:
        _write(text)
        return
    try:
        with to.open("x", encoding="utf-8") as target:
            target.write(f"{text}\n")
    except OSError as error:
        fail(f"{to} cannot be written: {error.strerror}.", "Name a file that is not there yet.")
    out.print(f"[green]written[/green]  {escape(str(to))}; `ocp ai check --config {escape(str(to))}` looks at it")


@app.command()
@DATA_FOLDER
def rotate(data: Path | None) -> None:
    """Seal the stored keys of providers with a new key. The old ones can be taken out of the key file afterwards."""
    from opencode.infra.security import SealBroken

    try:
        key_id, count = rotate_key(settings_of(data=data))
    except (SealBroken, OSError) as error:
        fail(f"The key file is not good: {error}.", "OCP_AI_KEY_FILE names it; each line is an id and a key.")
    out.print(f"[green]good[/green]  {count} providers are sealed with the new key {key_id}")


@app.command()
@click.option("--port", type=int, default=MOCK_PORT, show_default=True, help="Port on loopback; 0 picks a free one.")
@click.option(
    "--pause-ms", type=click.IntRange(min=0), default=30, show_default=True, help="Before each word of a stream."
)
def mock(port: int, pause_ms: int) -> None:
    """Run a small provider whose model repeats what it is told: to try the gateway without a model."""
    from opencode.app.mock_provider import listen, serve

    try:
        listening = listen(port)
    except (OSError, OverflowError) as error:
        fail(f"Port {port} cannot be listened on: {error}.", "Choose another with --port, and name it in base_url.")
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    ready = f"[green]ready[/green]  {address}/v1 speaks OpenAI's dialect, {address} Anthropic's and Ollama's"
    serve(listening, pause_ms / 1000, lambda: out.print(ready))


def _write(text: str) -> None:
    """As it is: other programs read it."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _loaded(config: Path | None, data: Path | None, *, opened: bool = False) -> Loaded:
    """
    Everything that a server with these settings would load.

    Args:
        opened: with the keys of stored providers.
    """
    settings = settings_of(data=data)
    looked = stored_providers(settings, opened=opened)
    if looked.note:
        err.print(f"[yellow]Stored providers are not looked at: {escape(looked.note)}.[/yellow]")
    for name, reason in looked.unreadable.items():
        err.print(f"[yellow]{escape(f'The stored key of {name} cannot be opened: {reason}.')}[/yellow]")
    named = config or (Path(settings.ai.ai_config) if settings.ai.ai_config else None)
    return configuring.load(Places.of_process(named), looked.providers, looked.limits)


def _good(config: Path | None, data: Path | None) -> Loaded:
    """A configuration without mistakes, or the end with all of them told."""
    loaded = _loaded(config, data)
    if loaded.checked.problems:
        for problem in loaded.checked.problems:
            _write(str(problem))
        sys.exit(1)
    return loaded


def _tell_passed_over(loaded: Loaded) -> None:
    for each in loaded.passed_over:
        whose: Any = (
            "belongs to the coding agent of the same name" if each.owner is Owner.AGENT else "does not say whose it is"
        )
        message = f'{each.source.name} {whose} and is left alone. A file of ours carries "$schema": "{SCHEMA_ID}".'
        err.print(f"[yellow]{escape(message)}[/yellow]", soft_wrap=True)
