"""How many calls pass the meter: one process, an SQLite file, three limits by the minute and a budget."""

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.collaboration.statistics import Figures
from opencode.app.migrate import migrate
from opencode.infra.cache import Cache
from opencode.infra.db import Database
from opencode.infra.plugs import Parts
from opencode.infra.pubsub import MemoryPubSub
from opencode.infra.security import MemoryRateLimiter, Signer
from opencode.kernel.clock import SystemClock
from opencode.modules.ai.adapters.limits.memory import MemoryLimits
from opencode.modules.ai.domain.calls import Estimate, Outcome
from opencode.modules.ai.domain.configuration.model import Period
from opencode.modules.ai.domain.limits import Bounds, BudgetBound, CountBound, Measure
from opencode.modules.ai.domain.money import NANO, Price
from opencode.modules.ai.domain.usage import Caller, Subject, SubjectKind, Usage
from opencode.modules.ai.service.metering import Meter

PERSON = Subject(SubjectKind.PERSON, "usr_benchmark")
BOUNDS = Bounds(
    tuple(CountBound(PERSON, measure, 10**9) for measure in Measure),
    (BudgetBound(PERSON, 1_000_000 * NANO, Period.MONTH),),
)
ESTIMATE = Estimate("lab/model", Price(3 * NANO, 15 * NANO), Usage(input=1_000, output=1_000))
OUTCOME = Outcome(Usage(input=900, output=200), latency_ms=1_500, first_byte_ms=300)
BREATH = 100
"""Calls after which others get their turn, such as the ledger's writer."""


async def pairs(count: int) -> Figures:
    """
    Reserve and settle, one after the other, until all of it is in the ledger.

    Returns:
        `pairs_per_s` by the time of the processor, of all threads; `us_per_pair`.
    """
    with tempfile.TemporaryDirectory() as folder:
        database = Database.in_folder(Path(folder))
        await migrate(database)
        meter = Meter(_parts(database), MemoryLimits(SystemClock()), Path(folder) / "calls", lambda _caller: BOUNDS)
        await meter.start()
        caller = Caller(PERSON.id, "tok_benchmark", ("lab",))
        began = time.process_time()
        for number in range(count):
            await meter.settle(await meter.reserve(caller, ESTIMATE), OUTCOME)
            if number % BREATH == 0:
                await asyncio.sleep(0)
        await meter.stop()
        took_s = time.process_time() - began
        await database.close()
    return {"pairs_per_s": count / took_s, "us_per_pair": took_s / count * 1e6}


def _parts(database: Database) -> Parts:
    clock, pubsub = SystemClock(), MemoryPubSub()
    return Parts(
        database=database,
        clock=clock,
        pubsub=pubsub,
        cache=Cache(clock, pubsub),
        limiter=MemoryRateLimiter(clock),
        signer=Signer(b"a key of thirty-two bytes, no less"),
        wake_relay=lambda: None,
        public_url=lambda: "",
    )
