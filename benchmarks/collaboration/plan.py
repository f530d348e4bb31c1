"""What is measured, at which size, with whom, and which of the figures go into the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.collaboration.contenders import Contender
from benchmarks.collaboration.editing import Editing
from benchmarks.collaboration.memory import Churn, Idle, JoinStorm
from benchmarks.collaboration.ours import Ours
from benchmarks.collaboration.peers.contenders import BareRelay, PycrdtWebsocket, YWebsocket
from benchmarks.collaboration.running import Running
from benchmarks.collaboration.starting import Starting
from benchmarks.collaboration.statistics import Figures

MAIN: tuple[type[Contender], ...] = (Ours, YWebsocket)  # alternate in each round
BESIDE: tuple[type[Contender], ...] = (PycrdtWebsocket, BareRelay)  # once, for context
ALL = (*MAIN, *BESIDE)


class Measure(Protocol):
    async def measure(self, contender: Contender) -> Figures: ...


@dataclass(frozen=True)
class Column:
    """A figure in the table. `digits` are those after the decimal point."""

    figure: str
    title: str
    digits: int = 1


@dataclass(frozen=True)
class Scenario:
    """One thing to measure. `once` are the contenders of the first round only."""

    name: str
    title: str
    measure: Measure
    columns: Sequence[Column]
    contenders: Sequence[type[Contender]] = MAIN
    once: Sequence[type[Contender]] = ()
    rounds: int | None = None  # None: as many as asked for


EDITING = (
    Column("cpu_us_per_delivery", "server CPU, µs per delivery"),
    Column("propagation_p50_ms", "propagation p50, ms"),
    Column("propagation_p99_ms", "p99, ms"),
    Column("acknowledgement_p50_ms", "acknowledgement p50, ms"),
    Column("acknowledgement_p99_ms", "p99, ms"),
    Column("deliveries_per_s", "deliveries/s", 0),
    Column("server_busy_percent", "server core busy, %", 0),
    Column("load_busy_percent", "load core busy, %", 0),
    Column("load_lateness_p99_ms", "load late p99, ms"),
)
IDLE = (
    Column("kb_per_interview", "kB per interview"),
    Column("kb_per_interview_of_sockets", "of it after arranging, kB"),
    Column("empty_mb", "RSS before, MB"),
    Column("full_mb", "RSS with all, MB"),
)
JOIN = (
    Column("all_synced_s", "all synced, s", 2),
    Column("half_synced_s", "half of them, s", 2),
    Column("cpu_ms_per_person", "server CPU, ms per person"),
    Column("peak_above_resting_mb", "peak above resting RSS, MB"),
    Column("resting_mb", "resting RSS, MB"),
    Column("document_mb", "document, MB", 2),
)
CHURN = (
    Column("growth_mb", "growth, MB"),
    Column("growth_kb_per_room", "growth, kB per room", 2),
    Column("fresh_mb", "RSS at start, MB"),
    Column("before_mb", "before, MB"),
    Column("at_once_mb", "right after, MB"),
    Column("after_mb", "after, MB"),
    Column("rooms_per_s", "rooms/s", 0),
)
START = (
    Column("start_s", "start, s", 2),
    Column("first_start_s", "first start, s", 2),
    Column("resting_mb", "RSS then, MB"),
)
HELLO = (
    Column("finished_p50_ms", "finished p50, ms"),
    Column("finished_p99_ms", "p99, ms"),
    Column("output_p50_ms", "last output p50, ms"),
    Column("output_p99_ms", "p99, ms"),
)


def scenarios(*, quick: bool, warm_up_s: float, measured_s: float) -> tuple[Scenario, ...]:
    """
    All of them at full size, or small enough for a look at whether they still work (`quick`).

    Args:
        warm_up_s, measured_s: seconds of typing before the window and within it.
    """
    pairs, crowd = (20, 10) if quick else (200, 50)
    idle, join, churn, hello, again = (50, 20, 400, 5, 1) if quick else (1_000, 150, 10_000, 50, 5)
    size = 1_000_000 if quick else 4_000_000
    one = Editing(pairs, 2, 1, 10, warm_up_s, measured_s)
    step = Editing(pairs, 2, 1, 10, warm_up_s, measured_s, in_step=True)
    both = Editing(pairs, 2, 2, 5, warm_up_s, measured_s)
    many = Editing(4, crowd, 4, 10, warm_up_s, measured_s)
    return (
        Scenario("pairs", f"{pairs} interviews of two, one types 10 letters a second", one, EDITING, MAIN, BESIDE),
        Scenario("step", f"the same {pairs} interviews, all letters in the same moments", step, EDITING, MAIN, BESIDE),
        Scenario("both", f"{pairs} interviews of two, both type 5 letters a second", both, EDITING),
        Scenario("crowd", f"4 rooms of {crowd}, four type 10 letters a second each", many, EDITING, MAIN, BESIDE),
        Scenario("idle", f"{idle} idle interviews with two sockets each", Idle(idle), IDLE),
        Scenario("join", f"{join} people open a {size / 1e6:.0f} MB document at once", JoinStorm(join, size), JOIN),
        Scenario("churn", f"{churn} rooms opened, written in and closed", Churn(churn), CHURN, rounds=1),
        Scenario("start", "start until ready", Starting(again), START),
        Scenario("hello", f'print("hello") run in a room, {hello} times', Running(hello), HELLO, (Ours,)),
    )
