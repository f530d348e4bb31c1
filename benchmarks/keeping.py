"""Printing and keeping what measures of one part found: a table a run, in the files of its day."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from benchmarks.collaboration.machine import describe
from benchmarks.collaboration.report import RESULTS
from benchmarks.collaboration.statistics import Figures


def told(figures: Figures) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in figures.items())


def keep(part: str, heading: str, titles: Mapping[str, str], found: Mapping[str, Figures]) -> None:
    """
    Append this run to `results/<date>-<part>.md` and `.json`.

    Args:
        heading: of a new page.
        titles: what was measured, in words, by the names in `found`.
    """
    at = datetime.now(UTC)
    facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in describe().items() if name != "pinning")
    lines = [f"\n## {at:%Y-%m-%d %H:%M} UTC", "", facts, "", "| | measured |", "| --- | --- |"]
    lines += [f"| {name}: {titles[name]} | {told(figures)} |" for name, figures in found.items()]
    page = RESULTS / f"{at:%Y-%m-%d}-{part}.md"
    text = page.read_text() if page.exists() else f"# {heading}\n\nThe method: ../README.md.\n"
    page.write_text(text + "\n".join(lines) + "\n")
    data = page.with_suffix(".json")
    earlier: list[object] = json.loads(data.read_text()) if data.exists() else []
    data.write_text(json.dumps([*earlier, {"at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "figures": found}], indent=1) + "\n")
    print(f"Kept in {page.name}")
