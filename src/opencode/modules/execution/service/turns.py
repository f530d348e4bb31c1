"""Whose turn it is in this process: places, and a fair line of those who wait for one."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from opencode.modules.execution.domain.lines import FairLine


class Turn:
    """Somebody's place, or their wait for one."""

    __slots__ = ("_place",)

    def __init__(self) -> None:
        self._place: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def place(self) -> int | None:
        """The number of the place; None while waiting, and when the turn was given up."""
        return self._place.result() if self._place.done() and not self._place.cancelled() else None

    def give_up(self) -> None:
        """Wait no longer. Whoever has a place keeps it until `Turns.leave`."""
        self._place.cancel()

    @property
    def settled(self) -> "asyncio.Future[int]":
        """Done once there is a place, cancelled once the turn was given up."""
        return self._place


class Turns:
    """
    So many places, each held by one at a time, and a line with an end. A place that becomes free goes round among the
    owners who wait, see `FairLine`.
    """

    def __init__(self, places: int, longest_line: int) -> None:
        self._free = deque(range(places))
        self._line: FairLine[Turn] = FairLine()
        self._longest_line = longest_line
        self._moved = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._line)

    def ask(self, owner: str, *, insist: bool = False) -> Turn:
        """
        Ask for a place. `leave` must follow, whatever becomes of it.

        Args:
            insist: stand in line, however long it is.

        Raises:
            asyncio.QueueFull: the line is as long as it may be.
        """
        turn = Turn()
        if self._free:
            turn.settled.set_result(self._free.popleft())
            return turn
        if len(self._line) >= self._longest_line and not insist:
            raise asyncio.QueueFull
        self._line.push(owner, turn)
        # Who gives up leaves the line in that moment: it must neither count nor be counted.
        turn.settled.add_done_callback(lambda _settled: self._step_out(turn))
        return turn

    async def ahead(self, turn: Turn) -> AsyncGenerator[int]:
        """How many come before this turn, told at first and each time it changes; ends when the turn is settled."""
        told: int | None = None
        while not turn.settled.done():
            ahead = self._line.ahead(turn)
            if ahead is not None and ahead != told:
                told = ahead
                yield ahead
                continue
            moved = asyncio.ensure_future(self._moved.wait())
            try:
                await asyncio.wait({moved, turn.settled}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                moved.cancel()

    def leave(self, turn: Turn) -> None:
        """Give the place to whoever comes next, or leave the line."""
        place = turn.place
        if place is None:
            turn.give_up()
            self._step_out(turn)
            return
        self._hand_on(place)
        self._tell()

    def _hand_on(self, place: int) -> None:
        while following := self._line.pop():
            turn, _ = following
            if not turn.settled.done():
                turn.settled.set_result(place)
                return
        self._free.append(place)

    def _step_out(self, turn: Turn) -> None:
        if self._line.remove(turn):
            self._tell()

    def _tell(self) -> None:
        """Wake those who wait for a move; those who come later wait for the next one."""
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
