"""What all tables share: one `MetaData`, names for constraints, types for UTC times and for words; and the outbox."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Column, Dialect, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

W = TypeVar("W", bound=StrEnum)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """
    A moment as whole microseconds since 1970 in UTC: one integer on both databases, so that order, equality and
    cursors mean the same everywhere.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


class Word(TypeDecorator[W], Generic[W]):
    """One word of an enumeration, kept as text."""

    impl = String(40)
    cache_ok = True

    def __init__(self, words: type[W]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: W | None, dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> W | None:
        return None if value is None else self.words(value)


def to_micros(moment: datetime) -> int:
    """
    Raises:
        ValueError: the moment has no zone; guessing one would be wrong somewhere.
    """
    if moment.tzinfo is None:
        raise ValueError(f"the moment {moment} has no time zone")
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# SQLite counts rows by itself only in a column that is spelled INTEGER.
_Sequence = BigInteger().with_variant(Integer(), "sqlite")

outbox = Table(
    "outbox",
    metadata,
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    Column("tag", String(120), nullable=False),
    Column("payload", Text, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("last_error", Text, nullable=True),
    # `due_at` is null once all listeners have it: the relay's query touches only what is left to do.
    Index(None, "due_at"),
)
