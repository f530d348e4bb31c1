"""Scenario: from exec to the first good answer."""

from dataclasses import dataclass

from benchmarks.collaboration.contenders import Contender
from benchmarks.collaboration.statistics import Figures, percentile


@dataclass(frozen=True)
class Starting:
    """Start a server that is already installed, first with an empty data folder, then again with the same one."""

    again: int

    async def measure(self, contender: Contender) -> Figures:
        """Not pinned: a start may use all cores, as it does where the server is installed."""
        first = await contender.start(pinned=False)
        seconds: list[float] = []
        for _ in range(self.again):
            await contender.stop()
            seconds.append(await contender.start(pinned=False))
        return {
            "first_start_s": first,
            "start_s": percentile(seconds, 50),
            "resting_mb": contender.running.resident_bytes() / 1e6,
        }
