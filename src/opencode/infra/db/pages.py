"""Pages of rows, newest first: by a moment, and by the id where two moments are the same."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Select, String, literal, tuple_, type_coerce

from opencode.infra.db.tables import to_micros
from opencode.kernel.pages import PageRequest


def newest_first(query: Select[Any], moment: Column[Any], unique_id: Column[Any], page: PageRequest) -> Select[Any]:
    """
    Order a query, go on where the page before ended, and take one row more than the limit; `Page.cut` takes it off.

    Raises:
        Invalid: the cursor belongs to another list.
    """
    if position := page.position(int, str):
        # Compared as the whole numbers that they are: a forged cursor may name a moment that no calendar has.
        keys = tuple_(type_coerce(moment, BigInteger), unique_id)
        query = query.where(keys < tuple_(literal(position[0], BigInteger), literal(position[1], String)))
    return query.order_by(moment.desc(), unique_id.desc()).limit(page.limit + 1)


def time_keys(moment: datetime, unique_id: str) -> tuple[int, str]:
    """The sort keys of an item in such a list, for its cursor."""
    return to_micros(moment), unique_id
