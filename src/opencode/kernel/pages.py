"""Pages of a list: a page, and an opaque cursor that says where the next one starts."""

import base64
import binascii
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from opencode.kernel.errors import FieldProblem, Invalid

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

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


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. `next_cursor` is None on the last one."""

    items: list[T]
    next_cursor: str | None = None

    @classmethod
    def cut(cls, rows: list[T], limit: int, key: "KeyOf[T]") -> "Page[T]":
        """Make a page out of `limit + 1` rows: the extra row only tells that more follow."""
        if len(rows) <= limit:
            return cls(rows)
        return cls(rows[:limit], encode_cursor(key(rows[limit - 1])))


class KeyOf(Protocol[T_contra]):
    """Gives the sort keys of an item, the last of which is unique."""

    def __call__(self, item: T_contra, /) -> tuple[str | int, ...]: ...


def encode_cursor(keys: tuple[str | int, ...]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> tuple[str | int, ...]:
    """
    Raises:
        Invalid: this is not a cursor that `encode_cursor` made.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=tuple[str | int, ...])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise Invalid(
            "The cursor is not one that this server gave.",
            action="Take next_cursor from the last answer, or leave the cursor out to start over.",
            problems=(FieldProblem("/cursor", "is not a cursor of this list"),),
        ) from None
