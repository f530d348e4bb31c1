"""Pages of a list: a page, and an opaque cursor that says where the next one starts."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from opencode.kernel.errors import FieldProblem, Invalid

T = TypeVar("T")
U = TypeVar("U")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted: `limit` from 1 to 200, `after` the sort keys of the last item seen, if any."""

    limit: int = DEFAULT_LIMIT
    after: tuple[str | int, ...] | None = None

    @classmethod
    def parse(cls, limit: int | None, cursor: str | None) -> "PageRequest":
        """
        Raises:
            Invalid: the limit is out of range, or the cursor is not one that this server made.
        """
        if limit is not None and not 1 <= limit <= MAX_LIMIT:
            raise Invalid(
                f"A page of {limit} items was asked for.",
                action=f"Ask for 1 to {MAX_LIMIT} items.",
                problems=(FieldProblem("/limit", f"must be from 1 to {MAX_LIMIT}"),),
            )
        return cls(limit or DEFAULT_LIMIT, decode_cursor(cursor) if cursor else None)

    def position(self, *kinds: type[str] | type[int]) -> tuple[Any, ...] | None:
        """
        Where to go on, or None for the first page.

        Args:
            kinds: the types of this list's sort keys. A cursor of another list has other ones.

        Raises:
            Invalid: the cursor belongs to another list.
        """
        if self.after is not None and tuple(map(type, self.after)) != kinds:
            raise _not_a_cursor()
        return self.after


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. `next_cursor` is None on the last one."""

    items: list[T]
    next_cursor: str | None = None

    @staticmethod
    def cut(rows: list[U], limit: int, key: Callable[[U], tuple[str | int, ...]]) -> "Page[U]":
        """
        Make a page out of `limit + 1` rows: the extra row only tells that more follow.

        Args:
            key: gives the sort keys of an item, the last of which is unique.
        """
        if len(rows) <= limit:
            return Page(rows)
        return Page(rows[:limit], encode_cursor(key(rows[limit - 1])))


def encode_cursor(keys: tuple[str | int, ...]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> tuple[str | int, ...]:
    """
    Raises:
        Invalid: this is not a cursor that `encode_cursor` made.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        keys = msgspec.json.decode(raw, type=tuple[str | int, ...])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise _not_a_cursor() from None
    if not all(_fits_a_column(key) for key in keys):
        raise _not_a_cursor()
    return keys


def _fits_a_column(key: str | int) -> bool:
    # A cursor can be forged. PostgreSQL refuses NUL in text, and both databases count in 64 bits.
    return "\0" not in key if isinstance(key, str) else -(2**63) <= key < 2**63


def _not_a_cursor() -> Invalid:
    return Invalid(
        "The cursor is not one that this server gave.",
        action="Take next_cursor from the last answer, or leave the cursor out to start over.",
        problems=(FieldProblem("/cursor", "is not a cursor of this list"),),
    )
