"""What every answer carries, and what is counted of it, whichever way it takes."""

from collections.abc import Iterable, Sequence

from opencode.infra.observability import metrics

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    # For answers of the API, which are no pages; pages name their own policy.
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_SECURITY_NAMES = frozenset(name for name, _ in SECURITY_HEADERS)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def marked(headers: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, with those that every answer has. An answer's own word wins."""
    own = list(headers)
    return [*own, *missing_of(name.lower() for name, _ in own), (b"x-request-id", request_id.encode())]


def missing_of(names: Iterable[bytes]) -> Sequence[tuple[bytes, bytes]]:
    """What every answer has and one with these names, in lower case, has not; `SECURITY_HEADERS` itself if all."""
    own = _SECURITY_NAMES.intersection(names)
    return [each for each in SECURITY_HEADERS if each[0] not in own] if own else SECURITY_HEADERS


def count_answer(method: str, route: str, status: int, seconds: float) -> None:
    """
    Args:
        route: its pattern; see `problems.route_of`.
    """
    known = method if method in _METHODS else "other"
    metrics.series(metrics.REQUESTS, known, route, str(status)).inc()
    metrics.series(metrics.RESPONSE_TIME, route).observe(seconds)
