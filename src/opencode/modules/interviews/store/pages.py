"""Pages of rows, oldest first; `infra.db` has the other direction."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Select, String, literal, tuple_, type_coerce

from opencode.kernel.pages import PageRequest


def oldest_first(
    query: Select[Any], moment: Column[datetime], unique_id: Column[Any], wanted: PageRequest
) -> Select[Any]:
    """
    Order a query, go on where the page before ended, and take one row more than the limit; `Page.cut` takes it off.

    Raises:
        Invalid: the cursor belongs to another list.
    """
    if position := wanted.position(int, str):
        keys = tuple_(type_coerce(moment, BigInteger), unique_id)
        query = query.where(keys > tuple_(literal(position[0], BigInteger), literal(position[1], String)))
    return query.order_by(moment, unique_id).limit(wanted.limit + 1)
