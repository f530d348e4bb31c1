"""The command `ocp`."""

import asyncio
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from opencode import __version__
from opencode.app.command_line import DATA_FOLDER, PATH, Group
from opencode.app.console import err, escape, fail, out, settings_of, show, table_of
from opencode.app.settings import Settings, unknown_variables
from opencode.infra.settings import Origin, SettingsError
from opencode.kernel.errors import OpenCodeError
from opencode.modules.execution.errors import RuntimeFileError

_GROUPS = {name: f"opencode.app.{name}" for name in ("runtimes", "marketplace", "ai")}
_WIDEST_HELP = 120  # columns


@click.group("ocp", cls=Group, late=_GROUPS, no_args_is_help=True, context_settings={"max_content_width": _WIDEST_HELP})
@click.version_option(__version__, message="%(version)s", help="Print the version and stop.")
def app() -> None:
    """OpenCode: live coding interviews, a project marketplace and an AI gateway on your own server."""


@app.command()
@click.option("--host", help="Address to listen on. [127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one. [8000]")
@DATA_FOLDER
@click.option("--modules", help="Run these modules only, separated by commas. [all]")
def serve(host: str | None, port: int | None, data: Path | None, modules: str | None) -> None:
    """Serve OpenCode until it is told to stop."""
    settings = settings_of(host=host, port=port, data=data, modules=modules)
    for name in unknown_variables(settings):
        err.print(f"[yellow]{escape(name)} is not a setting of this version and does nothing.[/yellow]")
    from opencode.app.data_folder import sole_use
    from opencode.app.server import serve as run_server
    from opencode.app.wiring import wire

    if settings.process.database_url:
        run_server(wire(settings))
        return
    with sole_use(settings.process.data):
        run_server(wire(settings))


@app.command()
@click.option("--concurrency", type=int, help="Programs to run at once. [one for each core]")
def worker(concurrency: int | None) -> None:
    """Run queued programs for servers that share a PostgreSQL and a Redis, until told to stop."""
    settings = settings_of(concurrency=concurrency)
    from opencode.app.worker import work

    work(settings)


@app.command("settings")
@DATA_FOLDER
def show_settings(data: Path | None) -> None:
    """Print every setting with its value and where it came from."""
    settings = settings_of(data=data)
    table = table_of("setting", "value", "from", "what it does")
    for value in sorted(settings.values, key=lambda value: value.name):
        secret = value.description.secret
        shown = ("(set)" if value.value else "(not set)") if secret else _shown(value.value)
        place = "default" if value.origin is Origin.DEFAULT else value.place
        table.add_row(value.name, escape(shown), escape(place), escape(value.description.doc))
    show(table)
    for name in unknown_variables(settings):
        err.print(f"[yellow]{escape(name)} is not a setting of this version and does nothing.[/yellow]")


@app.command()
@DATA_FOLDER
def doctor(data: Path | None) -> None:
    """Look for what is missing, and say what to do about it."""
    from opencode.app.doctor import examine

    findings = asyncio.run(examine(settings_of(data=data)))
    for finding in findings:
        mark = "[green]good[/green]" if finding.good else "[red]bad [/red]"
        out.print(f"{mark}  [bold]{escape(finding.what)}[/bold]: {escape(finding.detail)}")
        if finding.action:
            out.print(f"      {escape(finding.action)}")
    if not all(finding.good for finding in findings):
        sys.exit(1)


@app.command()
@DATA_FOLDER
@click.option("--check", is_flag=True, help="Only say what is pending; status 1 if anything is.")
def migrate(data: Path | None, check: bool) -> None:
    """Bring the database to the schema that this version needs. `ocp serve` does it as well."""
    from opencode.app.migrate import migrate as apply
    from opencode.app.migrate import pending
    from opencode.app.wiring import open_database

    async def work() -> list[str]:
        database = open_database(settings_of(data=data))
        try:
            return await (pending(database) if check else apply(database))
        finally:
            await database.close()

    revisions = asyncio.run(work())
    if not revisions:
        out.print("The database is up to date.")
    else:
        out.print(f"{'Pending' if check else 'Applied'}: {', '.join(revisions)}")
    if check and revisions:
        sys.exit(1)


@app.command()
@click.argument("file", type=PATH, help="The program, such as main.py.")
@click.option("--language", help="Its language. [by the ending of the file]")
@click.option("--stdin", help="What it reads; - takes it from here until its end.")
@click.option("--args", default="", help="Its arguments, in quotes: a shell's rules hold among them.")
@click.option("--time", type=click.FloatRange(min=0.1), help="Seconds that it may take. [the server's limit]")
@click.option("--memory", type=click.IntRange(min=1), help="MB that it may use. [the server's limit]")
@click.option("--terminal", is_flag=True, help="Run it in a terminal that takes your keys.")
def run(
    file: Path,
    language: str | None,
    stdin: str | None,
    args: str,
    time: float | None,
    memory: int | None,
    terminal: bool,
) -> None:
    """Run a file in the sandbox, and end with its exit code (128 and the number of a signal that ended it)."""
    from opencode.app.running import language_of, request_for, run_file, status_of, verdict_in_words
    from opencode.contracts.execution import Finished, Limits
    from opencode.modules.execution.engine import build_cells

    async def work() -> Finished:
        runner = build_cells(settings_of().execution)
        try:
            limits = Limits(
                wall_time_ms=None if time is None else round(time * 1000),
                memory_bytes=None if memory is None else memory * 1024 * 1024,
            )
            chosen = language_of(file, language, runner.runtimes)
            words = tuple(shlex.split(args))
            request = request_for(file, chosen, stdin=stdin, args=words, limits=limits, terminal=terminal)
            return await run_file(runner, request)
        finally:
            await runner.close()

    finished = asyncio.run(work())
    err.print(f"[dim]{escape(verdict_in_words(finished))}[/dim]")
    sys.exit(status_of(finished))


@app.command()
@click.argument("interview", help="The interview's id (int_…) or its six digits.")
@DATA_FOLDER
@click.option("--out", "to", type=PATH, help="Write to this file instead of the terminal.")
def export(interview: str, data: Path | None, to: Path | None) -> None:
    """Write everything that belongs to an interview as JSON."""
    from opencode.app.exporting import export_interview

    raw = asyncio.run(export_interview(settings_of(data=data), interview))
    if to is None:
        sys.stdout.buffer.write(raw + b"\n")
    else:
        to.write_bytes(raw)
        err.print(f"Wrote {len(raw)} bytes to {escape(str(to))}.")


@app.command()
@click.argument("target", type=PATH, help="The file to make, such as opencode.tar.gz.")
@DATA_FOLDER
def backup(target: Path, data: Path | None) -> None:
    """Copy everything into one file, while the server goes on working."""
    from opencode.app.data_folder import back_up

    settings = _embedded(settings_of(data=data), "pg_dump")
    made = back_up(settings.process.data, target, now=datetime.now(UTC))
    out.print(f"Wrote {escape(str(made.path))}, {made.size_bytes} bytes. Keep it safe: it holds accounts and keys.")


@app.command()
@click.argument("source", type=PATH, help="A file that ocp backup made.")
@DATA_FOLDER
@click.option("--force", is_flag=True, help="Move what the folder holds aside, and restore.")
def restore(source: Path, data: Path | None, force: bool) -> None:
    """Bring a backup back into the data folder of a server that is not running."""
    from opencode.app.data_folder import restore as bring_back

    settings = _embedded(settings_of(data=data), "pg_restore")
    back = bring_back(source, settings.process.data, force=force, now=datetime.now(UTC))
    out.print(f"Restored the backup of {back.manifest.made_at:%Y-%m-%d %H:%M} UTC to {settings.process.data}.")


def main() -> None:
    """Run the command; errors that we know are told in words and end with status 1."""
    try:
        app()
    except OpenCodeError as error:
        fail(error.detail, error.action)
    except RuntimeFileError as error:
        fail(f"A language's file is not good: {error}.", "Correct it, or take it out of the folder.")
    except SettingsError as error:
        for problem in error.problems:
            err.print(f"[red]Setting[/red] {escape(problem)}")
        fail("The settings are not good.", "Correct them; ocp settings shows all with their places.")


def _embedded(settings: Settings, tool: str) -> Settings:
    if settings.process.database_url:
        fail("The data is in PostgreSQL, which brings its own tools.", f"Use {tool}; see docs/deploy.md.")
    return settings


def _shown(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
