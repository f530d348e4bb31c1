"""A call from its beginning to its end: what it is expected to take at the most, and what became of it."""

from dataclasses import dataclass

from opencode.modules.ai.domain.money import Price
from opencode.modules.ai.domain.usage import NONE, Flag, Usage, tokens_of


@dataclass(frozen=True, slots=True)
class Estimate:
    """
    What a call is expected to take at the most.

    Attributes:
        model: `<provider>/<model>`, as it is asked.
        usage: the tokens to reserve.
    """

    model: str
    price: Price
    usage: Usage


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What became of a call.

    Attributes:
        usage: as the provider told it; None where it did not.
        answer_bytes: of the text that came back, which stands in for the usage.
        status: of the answer, as HTTP has it; 499 for a client that left.
        first_byte_ms: None where none came.
        answered_by: the model and its price, where it was another one than was expected.
    """

    usage: Usage | None
    answer_bytes: int = 0
    status: int = 200
    latency_ms: int = 0
    first_byte_ms: int | None = None
    flags: Flag = NONE
    answered_by: tuple[str, Price] | None = None


@dataclass(slots=True)
class Tries:
    """
    How a call has fared so far.

    Attributes:
        asked: how often somebody was asked. A second one that is asked since the first is slow counts with it.
        fell_back: a fallback's turn has come.
    """

    asked: int = 0
    fell_back: bool = False

    @property
    def flags(self) -> Flag:
        is_again = self.asked > 1 or (self.fell_back and self.asked > 0)
        return Flag.RETRIED if is_again else NONE


def used(estimate: Estimate, outcome: Outcome) -> Usage:
    """What is charged: the usage as told, or what the bytes say, within what was reserved for the question."""
    if outcome.usage is not None:
        return outcome.usage.bounded()
    return Usage(estimate.usage.input, tokens_of(outcome.answer_bytes)).bounded()
