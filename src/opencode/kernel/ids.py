"""Ids: a prefix that names the kind of thing, then 26 characters that sort by the time they were made."""

import os
import time
from typing import NewType

UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)
TokenId = NewType("TokenId", str)
InviteId = NewType("InviteId", str)
InterviewId = NewType("InterviewId", str)
ParticipantId = NewType("ParticipantId", str)
MessageId = NewType("MessageId", str)
DocumentId = NewType("DocumentId", str)
RunId = NewType("RunId", str)
ProjectId = NewType("ProjectId", str)
OrderId = NewType("OrderId", str)
RefundId = NewType("RefundId", str)
EntitlementId = NewType("EntitlementId", str)
NoticeId = NewType("NoticeId", str)
MailId = NewType("MailId", str)
WebhookId = NewType("WebhookId", str)
DeliveryId = NewType("DeliveryId", str)
SearchId = NewType("SearchId", str)
ReviewId = NewType("ReviewId", str)
CollectionId = NewType("CollectionId", str)
ReleaseId = NewType("ReleaseId", str)
ProviderId = NewType("ProviderId", str)
QuestionId = NewType("QuestionId", str)
SummaryId = NewType("SummaryId", str)

# Crockford's base 32, without I, L, O and U: nobody misreads an id aloud. The layout is that of ULID:
# 48 bits of milliseconds, then 80 bits of chance.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHANCE_BITS = 80
_CHANCE_BYTES = _CHANCE_BITS // 8
_DRAWN_AT_ONCE = 400
_drawn: list[int] = []
os.register_at_fork(after_in_child=_drawn.clear)  # two processes must not draw the same
_TO_DIGITS = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")  # as `int` takes them
_CHARACTERS = 26
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_SHIFTS = range((_CHARACTERS - 2) * 5, -1, -10)
_LAST_FIRST = "7"  # 26 letters could hold 130 bits, an id has 128


def new_id(prefix: str) -> str:
    """
    Make an id such as `int_01J9ZC3V…`: unique, unguessable (80 random bits), sorting by creation time.

    Args:
        prefix: three lower-case letters that name the kind, without the underscore.
    """
    return id_of(prefix, (time.time_ns() // 1_000_000) << _CHANCE_BITS | _chance())


def _chance() -> int:
    """80 random bits of the system, which is asked for those of many ids at once: each question is a system call."""
    try:
        return _drawn.pop()
    except IndexError:
        new = os.urandom(_DRAWN_AT_ONCE * _CHANCE_BYTES)
        numbers = [int.from_bytes(new[at : at + _CHANCE_BYTES]) for at in range(0, len(new), _CHANCE_BYTES)]
        _drawn.extend(numbers[1:])
        return numbers[0]


def id_of(prefix: str, number: int) -> str:
    """The id that a number of 128 bits makes; ids compare as their numbers do."""
    pairs = [_PAIRS[number >> shift & 1023] for shift in _SHIFTS]
    return f"{prefix}_{''.join(pairs)}"


def number_of(made: str) -> int:
    """
    The number that an id was made of, for whoever has no room for text.

    Raises:
        ValueError: it holds other letters than ids do.
    """
    return int(made.partition("_")[2].translate(_TO_DIGITS), 32)


def is_id(text: str, prefix: str) -> bool:
    """Could this be an id of that kind? What comes from outside is asked this before a database sees it."""
    kind, _, letters = text.partition("_")
    fits = len(letters) == _CHARACTERS and letters[0] <= _LAST_FIRST
    return kind == prefix and fits and all(letter in ALPHABET for letter in letters)
