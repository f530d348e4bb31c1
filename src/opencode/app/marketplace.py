"""The commands `ocp marketplace …`: whether the ledger adds up, and looking after the catalogue."""

import asyncio
import sys
from pathlib import Path

import click

from opencode.app import catalogue
from opencode.app.command_line import DATA_FOLDER, Group
from opencode.app.console import escape, out, settings_of, show, table_of


@click.group("marketplace", cls=Group, no_args_is_help=True)
def app() -> None:
    """The marketplace: does its ledger add up, and its index agree?"""


app.add_command(catalogue.rebuild)
app.add_command(catalogue.check)


@app.command("ledger-check")
@DATA_FOLDER
def ledger_check(data: Path | None) -> None:
    """Add the ledger up and compare it with the orders; status 1 when something does not agree."""
    from opencode.app.migrate import migrate
    from opencode.app.wiring import open_database
    from opencode.modules.marketplace.domain.ledger import Check
    from opencode.modules.marketplace.module import check_ledger

    async def work() -> Check:
        database = open_database(settings_of(data=data))
        try:
            await migrate(database)
            return await check_ledger(database)
        finally:
            await database.close()

    check = asyncio.run(work())
    table = table_of("account", "currency", "balance in minor units")
    for each in check.balances:
        table.add_row(each.account.value, each.currency, str(each.amount_minor))
    show(table)
    for finding in check.findings:
        out.print(f"[red]bad [/red]  [bold]{escape(finding.subject)}[/bold]: {escape(finding.detail)}")
    if not check.is_balanced:
        sys.exit(1)
    out.print(f"[green]good[/green]  {check.transactions} transactions add up and agree with the orders.")
