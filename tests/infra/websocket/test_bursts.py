"""Writing in bursts."""

import asyncio

from opencode.infra.websocket.bursts import Bursts


class Listener:
    """Counts its turns; one that is broken raises in each."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.turns = 0
        self.had_one = asyncio.Event()

    def write_out(self) -> None:
        self.turns += 1
        self.had_one.set()
        if self.broken:
            raise RuntimeError("the handler is closed")


async def test_a_connection_that_breaks_in_a_burst_takes_nothing_from_the_others() -> None:
    bursts = Bursts()
    first, broken, last = Listener(), Listener(broken=True), Listener()
    for listener in (first, broken, last):
        bursts.join(listener)
    await asyncio.gather(first.had_one.wait(), last.had_one.wait())
    assert (first.turns, broken.turns, last.turns) == (1, 1, 1)


async def test_whoever_joins_after_a_burst_is_in_the_next_one() -> None:
    bursts = Bursts(interval_s=0.001)
    early, late = Listener(), Listener()
    bursts.join(early)
    await early.had_one.wait()
    bursts.join(late)
    await late.had_one.wait()
    assert (early.turns, late.turns) == (1, 1)
