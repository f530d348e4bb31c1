"""Revisions on the wire: `ETag`, `If-Match`, and where to go with an old address."""

from typing import Annotated, Any, TypeVar

from litestar import Response
from litestar.params import HeaderParameter

V = TypeVar("V")

IfMatch = Annotated[
    str | None,
    HeaderParameter(name="If-Match", max_length=1000, description="the ETag that the change is made for; 412 if gone"),
]


def with_revision(view: V, revision: int, *, status_code: int = 200) -> Response[V]:
    """An answer whose `ETag` is the revision of what it shows."""
    return Response(view, status_code=status_code, headers={"etag": f'"{revision}"'})


def moved_to(path: str) -> Response[Any]:
    """The thing has another address now, for good; the method stays (308, RFC 9110 §15.4.9)."""
    return Response(b"", media_type="application/json", status_code=308, headers={"location": path})
