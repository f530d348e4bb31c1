"""Revisions on the wire: `ETag` and `If-Match`."""

from typing import Annotated, TypeVar

from litestar import Response
from litestar.params import HeaderParameter

V = TypeVar("V")

IfMatch = Annotated[
    str | None,
    HeaderParameter(name="If-Match", max_length=1000, description="the ETag that the change is made for; 412 if gone"),
]


def with_revision(view: V, revision: int | str, *, status_code: int = 200) -> Response[V]:
    """An answer whose `ETag` is the revision of what it shows."""
    return Response(view, status_code=status_code, headers={"etag": f'"{revision}"'})
