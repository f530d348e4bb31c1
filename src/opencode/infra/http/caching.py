"""
Answers that caches in front of the server may keep: those to nobody in particular. Whoever shows who they are gets one
of their own, which nobody keeps.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from litestar import Response
from litestar.params import HeaderParameter

from opencode.infra.http.direct import Answer
from opencode.kernel.principal import Principal, PrincipalKind

V = TypeVar("V")

ASKED_EACH_TIME = "public, no-cache"
"""It is kept, and the server is asked each time whether it is still the same: so each look is counted."""
# `Cookie` and not the session's alone: there is no way to name one of them (RFC 9110 §12.5.5).
_VARY = "authorization, cookie"

IfNoneMatch = Annotated[
    str | None,
    HeaderParameter(name="If-None-Match", max_length=1000, description="the ETag of what is known; 304 if it is so"),
]


def kept_for(fresh_s: int, stale_s: int) -> str:
    """`Cache-Control` of what caches in front keep, and give away for a while when it is outdated (RFC 5861)."""
    return f"public, max-age=0, s-maxage={fresh_s}, stale-while-revalidate={stale_s}"


def answer_to(
    by: Principal,
    view: V,
    *,
    control: str,
    if_none_match: str | None,
    surrogate_keys: Iterable[str] = (),
    revision: int | None = None,
) -> Response[V]:
    """
    Args:
        control: `Cache-Control` for nobody in particular.
        revision: of what is shown; the `ETag` begins with it, or is it, so that `If-Match` can name it.
    """
    if by.kind is not PrincipalKind.ANONYMOUS:
        own = {} if revision is None else {"etag": f'"{revision}"'}
        return Response(view, headers={"vary": _VARY, **own, "cache-control": "private, no-store"})
    answer = answer_to_all(encoded(view, revision), control, if_none_match, surrogate_keys)
    body: Any = answer.body
    return Response(body, media_type=answer.media_type, status_code=answer.status, headers=answer.headers)


class Encoded(NamedTuple):
    """A view as it is sent, and its `ETag`."""

    body: bytes
    etag: str


def encoded(view: object, revision: int | None) -> Encoded:
    body = msgspec.json.encode(view)
    shown = hashlib.sha256(body).hexdigest()[:24]
    return Encoded(body, f'"{shown}"' if revision is None else f'"{revision}-{shown}"')


def answer_to_all(view: Encoded, control: str, if_none_match: str | None, surrogate_keys: Iterable[str] = ()) -> Answer:
    """As `answer_to`, to nobody in particular."""
    headers = {"vary": _VARY, "etag": view.etag, "cache-control": control}
    if keys := " ".join(surrogate_keys):
        headers["surrogate-key"] = keys
    if if_none_match and (if_none_match.strip() == "*" or view.etag in if_none_match):
        return Answer(b"", 304, headers)
    return Answer(view.body, 200, headers)
