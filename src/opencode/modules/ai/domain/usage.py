"""What a call uses: tokens, and for whom."""

import re
from dataclasses import dataclass
from enum import IntFlag, StrEnum

from msgspec import Struct

from opencode.modules.ai.domain.configuration.model import Limits

BYTES_PER_TOKEN = 3
"""English has about four bytes a token, Chinese and Japanese about three: the lower one never estimates too little."""
MOST_TOKENS = 1_000_000_000
"""More than any provider can mean; what says more is cut, so that sums stay within 64 bits."""


PICTURE_TOKENS = 1_600
"""About what a picture of a megapixel takes with the services that say how they count."""

_NO_TEXT = re.compile(rb"[A-Za-z0-9+/]{2000,}={0,2}")
_SMALL_BYTES = 8_000


class SubjectKind(StrEnum):
    """What limits are set for. All of them hold at once."""

    PERSON = "person"
    TEAM = "team"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Subject:
    """`id` is that of an account or a token, or the name of a team."""

    kind: SubjectKind
    id: str

    @property
    def words(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Who makes a call.

    Attributes:
        key_id: the token that was shown; empty for a session.
        teams: names, sorted.
        key_limits: what is set for the token alone.
        address: their e-mail address, where the configuration has limits for any.
    """

    user_id: str
    key_id: str = ""
    teams: tuple[str, ...] = ()
    key_limits: Limits | None = None
    address: str = ""


class Usage(Struct, frozen=True):
    """Tokens. `input` includes those read from and written to the provider's cache."""

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output

    def bounded(self) -> "Usage":
        """The same, with what no provider can mean cut off."""
        within = 0 <= self.output <= MOST_TOKENS and self.cached >= 0 and self.cache_write >= 0
        if within and self.cached + self.cache_write <= self.input <= MOST_TOKENS:
            return self
        whole = within_reason(self.input)
        cached = min(whole, within_reason(self.cached))
        return Usage(whole, within_reason(self.output), cached, min(whole - cached, within_reason(self.cache_write)))


class Flag(IntFlag):
    """What else is to be said of a call."""

    STREAM = 1
    CACHED = 2
    """Answered from our own cache; the provider was not asked."""
    ESTIMATED = 4
    """The provider told no usage; it is counted by bytes."""
    RETRIED = 8
    """Somebody was asked before, in vain: the same provider, another one, or a fallback."""
    CUT_OFF = 16
    """The server was killed while it ran: what was reserved is counted."""
    SEMANTIC = 32
    """Answered from our own cache with what was answered to a question like it."""


NONE = Flag(0)
"""Nothing else is to be said; made once, since making flags costs more than comparing them."""


def tokens_of(size_bytes: int) -> int:
    """About how many tokens a text of so many bytes has, rounded up."""
    return within_reason(-(-size_bytes // BYTES_PER_TOKEN))


def tokens_of_request(body: bytes) -> int:
    """About how many tokens a request has at the most: long runs of base64 in it are pictures, and not read as text."""
    if len(body) < _SMALL_BYTES:
        return tokens_of(len(body))
    pictures = [len(found[0]) for found in _NO_TEXT.finditer(body)]
    return within_reason(tokens_of(len(body) - sum(pictures)) + PICTURE_TOKENS * len(pictures))


def within_reason(tokens: int) -> int:
    return max(0, min(MOST_TOKENS, tokens))
