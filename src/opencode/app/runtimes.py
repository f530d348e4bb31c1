"""The commands `ocp runtimes …`: which languages there are, how to get them, and whether they work."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import get_args

import click
from rich.progress import Progress

from opencode.app.command_line import Group
from opencode.app.console import err, escape, fail, out, settings_of, show, table_of
from opencode.contracts.execution import Language
from opencode.modules.execution.adapters import installers
from opencode.modules.execution.adapters.installers import InstallFailed, Plan
from opencode.modules.execution.adapters.toolchains import Missing, Toolchains
from opencode.modules.execution.domain.programs import ProbeName, Runtime, Tier
from opencode.modules.execution.probes import PROBES, ProbeResult, ProbeState, run_probe
from opencode.modules.execution.service.runner import ProbeReport, Runs

NAMES = click.argument("names", nargs=-1, help="Languages by their id or an alias, such as kotlin.")
TIER = click.option(
    "--tier",
    type=click.Choice(get_args(Tier)),
    help="All languages of a tier: S for tests, M for most people, L for all of them.",
)
_MEGABYTE = 1_000_000


@click.group("runtimes", cls=Group, invoke_without_command=True)
@click.pass_context
def app(context: click.Context) -> None:
    """Languages: list, install, examine and test them."""
    if context.invoked_subcommand is None:
        context.invoke(list_languages)


@app.command("list")
@TIER
def list_languages(tier: Tier | None) -> None:
    """List the languages that programs can be run in, and why some are not there."""
    runner = _runner()
    languages = asyncio.run(runner.languages())
    by_id = {runtime.id: runtime for runtime in runner.runtimes}
    table = table_of("language", "name", "tier", "versions", "available")
    for language in languages:
        runtime = by_id[language.id]
        if tier is None or runtime.in_tier(tier):
            available = "yes" if language.available else escape(language.reason or "no")
            table.add_row(language.id, language.name, runtime.tier or "", ", ".join(language.versions), available)
    show(table)


@app.command()
@NAMES
@TIER
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def install(names: tuple[str, ...], tier: Tier | None, yes: bool) -> None:
    """Install languages from Debian packages, and from PyPI and npm in the versions that their files name."""
    runner = _runner()
    chosen = _chosen(runner.runtimes, names, tier)
    found = asyncio.run(Toolchains(tuple(chosen), runner.settings.toolchain_folders).all())
    missing = [runtime for runtime in chosen if isinstance(found[runtime.id], Missing)]
    if not missing:
        out.print("All of them are there already; ocp runtimes list shows their versions.")
        return
    made = installers.plan(missing)
    _show_plan(missing, made)
    if made.debian and os.geteuid() != 0:
        fail("Debian packages need root.", f"Type: sudo {' '.join(['ocp', *sys.argv[1:]])}")
    _be_sure(yes)
    failures = [*made.problems, *_install_each(missing, made, runner.settings.toolchain_folders)]
    for language, reason in failures:
        err.print(f"[red]{escape(language)}[/red]: {escape(reason)}")
    if failures:
        fail(f"{len(failures)} of {len(missing)} languages could not be installed.", "The others were.")
    out.print(f"Installed {len(missing)}. Now type: ocp runtimes test {' '.join(runtime.id for runtime in missing)}")


@app.command()
def doctor() -> None:
    """Say of everything that is missing to run programs what to do about it."""

    async def look() -> tuple[ProbeReport, tuple[Language, ...]]:
        runner = _runner()
        try:
            return await runner.probe(), await runner.languages()
        finally:
            await runner.close()

    report, languages = asyncio.run(look())
    there = [language for language in languages if language.available]
    if report.available:
        out.print(f"[green]good[/green]  A sandbox takes {report.duration_ms} ms; {report.limits_held} holds limits.")
    else:
        out.print(f"[red]bad [/red]  No program can be run: {escape(report.reason or '')}")
    out.print(f"[green]good[/green]  {len(there)} of {len(languages)} languages are there.")
    for language in languages:
        if not language.available:
            out.print(f"[yellow]none[/yellow]  {escape(language.name)}: {escape(language.reason or '')}")
    if not report.available:
        sys.exit(1)


@app.command()
@NAMES
@TIER
@click.option("--probe", multiple=True, help="These probes only, such as hello. [all ten]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array instead of a table.")
def test(names: tuple[str, ...], tier: Tier | None, probe: tuple[str, ...], as_json: bool) -> None:
    """Run the ten probes of languages in the real sandbox, without names of all there are. Status 1 if one fails."""
    runner = _runner()
    chosen = _chosen(runner.runtimes, names, tier) if names or tier else None
    probes = _probes(probe)
    results = asyncio.run(_probe_all(runner, chosen, probes))
    if as_json:
        sys.stdout.write(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    else:
        _show_results(results, probes)
    if any(result.state is ProbeState.FAILED for result in results):
        sys.exit(1)


def _chosen(runtimes: Sequence[Runtime], names: Sequence[str], tier: Tier | None) -> list[Runtime]:
    if not names and not tier:
        fail("No language was named.", "Name some, or a tier such as --tier M; ocp runtimes list shows them.")
    by_name = {name: runtime for runtime in runtimes for name in (runtime.id, *runtime.aliases)}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        fail(f"There is no language {', '.join(unknown)}.", "ocp runtimes list shows those there are.")
    wanted = {by_name[name].id for name in names}
    return [runtime for runtime in runtimes if runtime.id in wanted or (tier and runtime.in_tier(tier))]


def _probes(names: Sequence[str]) -> list[ProbeName]:
    unknown = [name for name in names if name not in PROBES]
    if unknown:
        fail(f"There is no probe {', '.join(unknown)}.", f"Take some of {', '.join(PROBES)}.")
    return [probe for probe in PROBES if not names or probe in names]


def _runner() -> Runs:
    # Here, since the sandbox takes longer to load than the commands that only list.
    from opencode.modules.execution.engine import build_cells

    return build_cells(settings_of().execution)


# ---------------------------------------------------------------------------------------------------------- install


def _show_plan(missing: Sequence[Runtime], made: Plan) -> None:
    out.print(f"[bold]Languages[/bold]: {escape(', '.join(runtime.name for runtime in missing))}")
    if made.debian:
        size = f"{made.debian_bytes / _MEGABYTE:,.0f} MB"
        out.print(f"[bold]Debian[/bold]: {len(made.debian)} packages, {size} on the disk: {', '.join(made.debian)}")
    if made.packages:
        out.print(f"[bold]PyPI and npm[/bold]: {', '.join(made.packages)}")


def _be_sure(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        fail("Nothing was installed: there is no terminal to ask on.", "Add --yes to install this.")
    if not click.confirm("Install this?"):
        fail("Nothing was installed.")


def _install_each(runtimes: Sequence[Runtime], made: Plan, shelves: tuple[str, ...]) -> list[tuple[str, str]]:
    """What failed, with the reason. One language at a time, so that one that fails takes no other with it."""
    hopeless = {language for language, _ in made.problems}
    failures: list[tuple[str, str]] = []
    refreshed = False
    for number, runtime in enumerate(runtimes, 1):
        if runtime.id in hopeless:
            continue
        out.print(f"[{number}/{len(runtimes)}] {escape(runtime.name)}", markup=False)
        try:
            try:
                installers.install(runtime, shelves, datetime.now(UTC))
            except InstallFailed:
                if refreshed or not runtime.install.apt:
                    raise
                # The lists of packages may be older than what the mirror still has.
                refreshed = True
                installers.refresh()
                installers.install(runtime, shelves, datetime.now(UTC))
        except InstallFailed as failure:
            failures.append((runtime.id, str(failure)))
    return failures


# ------------------------------------------------------------------------------------------------------------- test


async def _probe_all(runner: Runs, chosen: list[Runtime] | None, probes: list[ProbeName]) -> list[ProbeResult]:
    """Every probe of every language chosen, as many at once as the server would run. None: all languages there are."""
    try:
        report = await runner.probe()
        if not report.available:
            fail("No sandbox can be made on this machine.", report.reason or "")
        if chosen is None:
            there = {language.id for language in await runner.languages() if language.available}
            chosen = [runtime for runtime in runner.runtimes if runtime.id in there]
        turns = asyncio.Semaphore(runner.settings.concurrency)
        with Progress(console=err.console, transient=True) as progress:
            task = progress.add_task("Probing", total=len(chosen) * len(probes))

            async def one(runtime: Runtime, probe: ProbeName) -> ProbeResult:
                async with turns:
                    result = await run_probe(runner, runtime, probe)
                progress.update(task, advance=1, description=f"Probing {runtime.id}")
                return result

            return list(await asyncio.gather(*(one(runtime, probe) for runtime in chosen for probe in probes)))
    finally:
        await runner.close()


_MARKS = {
    ProbeState.PASSED: "[green]yes[/green]",
    ProbeState.FAILED: "[red]no[/red]",
    ProbeState.CANNOT: "[dim]-[/dim]",
    ProbeState.UNWRITTEN: "[dim]?[/dim]",
}


def _show_results(results: Sequence[ProbeResult], probes: Sequence[ProbeName]) -> None:
    table = table_of("language", *probes)
    by_language: dict[str, dict[str, ProbeResult]] = {}
    for result in results:
        by_language.setdefault(result.language, {})[result.probe] = result
    for language, row in by_language.items():
        table.add_row(language, *(_MARKS[row[probe].state] for probe in probes))
    show(table)
    failed = [result for result in results if result.state is ProbeState.FAILED]
    for result in failed:
        out.print(f"[red]{result.language}, {result.probe}[/red]: {escape(result.detail)}")
    bad = {result.language for result in failed}
    out.print(f"{len(by_language) - len(bad)} of {len(by_language)} languages pass. - cannot by nature, ? not written")
