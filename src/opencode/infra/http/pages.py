"""Lists on the wire."""

from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.di import NamedDependency
from litestar.params import Parameter

from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal

V = TypeVar("V")


class PageView(msgspec.Struct, Generic[V]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[V]
    next_cursor: str | None


def provide_page_request(
    principal: NamedDependency[Principal],
    limit: Annotated[int | None, Parameter(description="1 to 200; 50 when not given")] = None,
    cursor: Annotated[str | None, Parameter(description="next_cursor of the page before")] = None,
) -> PageRequest:
    """
    The dependency `page`. It asks for the principal only to come after it: dependencies that do not need each other are
    resolved side by side, and a bad cursor would then cancel the question who is calling halfway through its query.
    """
    del principal
    return PageRequest.parse(limit, cursor)
