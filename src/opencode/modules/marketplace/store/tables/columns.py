"""Types of columns that several tables have."""

from typing import Any

import msgspec
from sqlalchemy import Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from opencode.modules.marketplace.domain.claims import Claims


class Words(TypeDecorator[tuple[str, ...]]):
    """Several words, in order, as a JSON array."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else msgspec.json.decode(value, type=tuple[str, ...])


class ClaimsText(TypeDecorator[Claims]):
    """What was heard of an order's refunds and disputes, as a JSON object."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Claims | None, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Claims | None:
        return None if value is None else msgspec.json.decode(value, type=Claims)


ID = String(40)

URL = String(2000)
