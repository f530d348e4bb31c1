"""Lists on the wire."""

from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import Parameter

from opencode.kernel.pages import PageRequest

V = TypeVar("V")


class PageView(msgspec.Struct, Generic[V]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[V]
    next_cursor: str | None


def provide_page_request(
    limit: Annotated[int | None, Parameter(description="1 to 200; 50 when not given")] = None,
    cursor: Annotated[str | None, Parameter(description="next_cursor of the page before")] = None,
) -> PageRequest:
    """The dependency `page`."""
    return PageRequest.parse(limit, cursor)
