"""Where to go with an old address; and what goes with revisions (`infra/http/revisions.py`)."""

from typing import Any

from litestar import Response

from opencode.infra.http import IfMatch, with_revision

__all__ = ["IfMatch", "moved_to", "with_revision"]


def moved_to(path: str) -> Response[Any]:
    """The thing has another address now, for good; the method stays (308, RFC 9110 §15.4.9)."""
    return Response(b"", media_type="application/json", status_code=308, headers={"location": path})
