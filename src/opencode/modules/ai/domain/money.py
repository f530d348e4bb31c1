"""
What a call costs. Money is whole nano-dollars (billionths of a US dollar) everywhere: a token of the cheapest models
costs some ten of them, and nine billion dollars fit into 64 bits.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from msgspec import Struct

from opencode.modules.ai.domain.configuration.model import ModelPrice
from opencode.modules.ai.domain.usage import Usage

NANO = 1_000_000_000
"""Nano-dollars in a dollar."""
MOST_NANO = 9 * 10**18
"""The most that a column of 64 bits holds, rounded down."""

_MILLION = 1_000_000


class Price(Struct, frozen=True):
    """Nano-dollars for a million tokens of each kind."""

    input: int = 0
    output: int = 0
    cached_input: int = 0
    cache_write: int = 0

    @classmethod
    def of(cls, price: ModelPrice | None) -> "Price":
        """As the configuration says it; without a price nothing costs anything."""
        if price is None:
            return cls()
        cached = price.input if price.cached_input is None else price.cached_input
        write = price.input if price.cache_write is None else price.cache_write
        return cls(nano_of(price.input), nano_of(price.output), nano_of(cached), nano_of(write))

    @property
    def words(self) -> str:
        """A snapshot as text, by which the same price is kept once."""
        return f"{self.input}:{self.output}:{self.cached_input}:{self.cache_write}"


@lru_cache(maxsize=10_000)
def price_of(price: ModelPrice | None) -> Price:
    """`Price.of`, remembered: every call asks for it."""
    return Price.of(price)


def nano_of(dollars: float) -> int:
    """Dollars as somebody wrote them, to the nearest nano-dollar: 0.1 is exactly a tenth here."""
    return int((Decimal(repr(dollars)) * NANO).to_integral_value(ROUND_HALF_EVEN))


def dollars(nano: int) -> str:
    """For people: `$12.5`."""
    return f"${decimal_of(nano)}"


def decimal_of(nano: int) -> str:
    """Dollars to the last digit, for programs: `12.5`."""
    return f"{Decimal(nano) / NANO:f}"


def cost_of(price: Price, usage: Usage) -> int:
    """
    Nano-dollars, rounded up once for the whole call: what costs anything is never 0, and a call never costs less than
    its parts would suggest.
    """
    plain = max(0, usage.input - usage.cached - usage.cache_write)
    exact = (
        plain * price.input
        + usage.output * price.output
        + usage.cached * price.cached_input
        + usage.cache_write * price.cache_write
    )
    return min(MOST_NANO, -(-exact // _MILLION))


def most_cost_of(price: Price, usage: Usage) -> int:
    """The most that a call of so many tokens can cost, whatever part of it comes out of a cache or goes into one."""
    dearest = max(price.input, price.cached_input, price.cache_write)
    return min(MOST_NANO, -(-(usage.input * dearest + usage.output * price.output) // _MILLION))
