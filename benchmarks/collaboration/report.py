"""The table on the screen and the two files that a run leaves behind."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.collaboration.plan import Column, Scenario
from benchmarks.collaboration.statistics import Figures, medians

RESULTS = Path(__file__).parent.parent / "results"


@dataclass
class Outcome:
    """What one contender did in one scenario: the figures of each round, or why there are none."""

    scenario: str
    contender: str
    rounds: list[Figures] = field(default_factory=lambda: [])
    failure: str | None = None


@dataclass
class Report:
    """One run of the benchmark."""

    machine: Mapping[str, str]
    options: Mapping[str, object]
    outcomes: list[Outcome] = field(default_factory=lambda: [])
    notes: list[str] = field(default_factory=lambda: [])
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def outcome(self, scenario: str, contender: str) -> Outcome:
        for outcome in self.outcomes:
            if (outcome.scenario, outcome.contender) == (scenario, contender):
                return outcome
        self.outcomes.append(Outcome(scenario, contender))
        return self.outcomes[-1]

    @property
    def failed(self) -> bool:
        return any(outcome.failure for outcome in self.outcomes)

    def table(self, scenario: Scenario) -> str:
        """The scenario's medians in Markdown."""
        outcomes = [outcome for outcome in self.outcomes if outcome.scenario == scenario.name]
        columns = [column for column in scenario.columns if _has_any(outcomes, column)]
        titles = ["", *(column.title for column in columns), "rounds"]
        lines = [f"### {scenario.name}: {scenario.title}", "", _row(titles), _row(["---"] * len(titles))]
        return "\n".join([*lines, *(_row(_cells(outcome, columns)) for outcome in outcomes)])

    def markdown(self, scenarios: Sequence[Scenario]) -> str:
        facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.machine.items())
        options = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.options.items())
        head = [f"## {self.started_at:%Y-%m-%d %H:%M} UTC", facts, f"Options: {options}.", *self.notes]
        measured = {outcome.scenario for outcome in self.outcomes}
        return "\n\n".join([*head, *(self.table(one) for one in scenarios if one.name in measured)]) + "\n"

    def write(self, scenarios: Sequence[Scenario]) -> Path:
        """Append this run to the files of its day."""
        RESULTS.mkdir(exist_ok=True)
        page = RESULTS / f"{self.started_at:%Y-%m-%d}-collaboration.md"
        data = page.with_suffix(".json")
        text = page.read_text() if page.exists() else "# Collaboration, measured\n\nThe method: ../README.md.\n"
        page.write_text(f"{text}\n{self.markdown(scenarios)}")
        earlier: list[object] = json.loads(data.read_text()) if data.exists() else []
        data.write_text(json.dumps([*earlier, self._plain()], indent=1) + "\n")
        return page

    def _plain(self) -> dict[str, object]:
        return {
            "started_at": f"{self.started_at:%Y-%m-%dT%H:%M:%SZ}",
            "machine": dict(self.machine),
            "options": dict(self.options),
            "notes": self.notes,
            "outcomes": [_without_nan(outcome) for outcome in self.outcomes],
        }


def _has_any(outcomes: Sequence[Outcome], column: Column) -> bool:
    """Is there a contender that has this figure? (Only ours acknowledges.)"""
    values = (figures.get(column.figure, math.nan) for outcome in outcomes for figures in outcome.rounds)
    return any(not math.isnan(value) for value in values)


def _cells(outcome: Outcome, columns: Sequence[Column]) -> Iterator[str]:
    yield outcome.contender
    if outcome.failure or not outcome.rounds:
        yield f"failed: {outcome.failure}"
        return
    figures = medians(outcome.rounds)
    for column in columns:
        value = figures.get(column.figure, math.nan)
        yield "–" if math.isnan(value) else f"{value:.{column.digits}f}"
    yield str(len(outcome.rounds))


def _without_nan(outcome: Outcome) -> dict[str, object]:
    """JSON has no NaN."""
    plain = asdict(outcome)
    plain["rounds"] = [
        {name: None if math.isnan(value) else round(value, 4) for name, value in figures.items()}
        for figures in outcome.rounds
    ]
    return plain


def _row(cells: Iterator[str] | Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
