"""A line of the usage ledger: one call. Everything in it is a number, so that it takes little room."""

import struct
from enum import IntEnum

from msgspec import Struct
from msgspec.structs import astuple

# 41 bits of milliseconds since 2020, 10 bits for the process, 12 bits for the calls within a millisecond.
EPOCH_MS = 1_577_836_800_000
_PROCESS_BITS = 10
_COUNT_BITS = 12
MILLISECOND = 1 << (_PROCESS_BITS + _COUNT_BITS)
"""From the first number of one to that of the next."""

MOST_ID = 2**63 - 1
"""What a column holds; it is reached in 2089."""
PROCESSES = 1 << _PROCESS_BITS
"""Processes that may run at once without ever making the same number."""
MOST_BUDGETS = 40
"""Budgets that one call may be charged to: a person's and those of teams."""

_FAILED = 500
_FIXED = struct.Struct("<qiiiiiiiiiqiihhh")
_BUDGETS = [struct.Struct(f"<{count}i") for count in range(MOST_BUDGETS + 1)]
_PACKERS = [struct.Struct(f"{_FIXED.format}{count}i").pack for count in range(MOST_BUDGETS + 1)]

MOST_BYTES = _FIXED.size + _BUDGETS[MOST_BUDGETS].size


class NameKind(IntEnum):
    """What the numbers in a line stand for."""

    PERSON = 1
    KEY = 2
    TEAM = 3
    MODEL = 4
    PRICE = 5


class Call(Struct, frozen=True):
    """
    Attributes:
        id: tells when it began, too; see `CallNumbers`.
        person, key, team, model, price: numbers of names; 0 for none.
        first_byte_ms: -1 where none came.
        budgets: numbers of the budgets that it is charged to. They are not in the table.
    """

    id: int
    person: int
    key: int
    team: int
    model: int
    price: int
    input: int
    output: int
    cached: int
    cache_write: int
    cost_nano: int
    latency_ms: int
    first_byte_ms: int
    status: int
    flags: int
    budgets: tuple[int, ...]

    @property
    def began_ms(self) -> int:
        return began_ms(self.id)

    @property
    def has_failed(self) -> bool:
        """Its answer broke off, or the server was killed while it ran. Who leaves has not met a failure."""
        return self.status == 0 or self.status >= _FAILED

    def packed(self) -> bytes:
        """As bytes, at most `MOST_BYTES`: its numbers in the order of `Call`, and its budgets."""
        *numbers, budgets = astuple(self)
        return _PACKERS[len(budgets)](*numbers, len(budgets), *budgets)


def unpack(raw: bytes) -> Call | None:
    """A call out of bytes; None when they are none."""
    if len(raw) < _FIXED.size:
        return None
    numbers: tuple[int, ...] = _FIXED.unpack_from(raw)
    count = numbers[-1]
    if not 0 <= count <= MOST_BUDGETS or len(raw) != _FIXED.size + _BUDGETS[count].size:
        return None
    return Call(*numbers[:-1], budgets=_BUDGETS[count].unpack_from(raw, _FIXED.size))


class CallNumbers:
    """
    Numbers for calls: they sort by time, and no two processes make the same.

    Args:
        process: the number of this process.
    """

    def __init__(self, process: int) -> None:
        self._process = (process % PROCESSES) << _COUNT_BITS
        self._last = 0

    def next(self, now_ms: int) -> int:
        least = ((now_ms - EPOCH_MS) << (_PROCESS_BITS + _COUNT_BITS)) | self._process
        if least <= self._last:
            # More calls than a millisecond has numbers, or a clock that goes back: go on from the last one.
            least = self._last + 1
            if least & ((1 << _COUNT_BITS) - 1) == 0:
                least += (PROCESSES - 1) << _COUNT_BITS
        self._last = least
        return least


def began_ms(call_id: int) -> int:
    """When a call began, in milliseconds since 1970."""
    return (call_id >> (_PROCESS_BITS + _COUNT_BITS)) + EPOCH_MS


def first_id_at(moment_ms: int) -> int:
    """The least number of calls that began then or later, however far away that is."""
    return min(MOST_ID, max(0, moment_ms - EPOCH_MS) << (_PROCESS_BITS + _COUNT_BITS))
