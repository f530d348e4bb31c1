"""
What went wrong, read from a provider's answer, and what our own exceptions tell.

Providers put errors into many shapes: an object, a text, a list of one, a page in HTML, under the status 200. The kind
is found from the most telling part: the error's code, then its type, then its words, then the status.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from opencode.modules.ai.domain.dialects.canonical import Failure, FailureKind, Json
from opencode.modules.ai.domain.dialects.decoding import (
    AnswerNotUnderstoodError,
    CannotBeSaidError,
    NotJsonError,
    RequestNotUnderstoodError,
    decoded,
)

MOST_MESSAGE = 2_000
MOST_WAIT_S = 3600.0 * 24

_BY_STATUS = {
    400: FailureKind.BAD_REQUEST,
    401: FailureKind.UNAUTHENTICATED,
    402: FailureKind.QUOTA_SPENT,
    403: FailureKind.FORBIDDEN,
    404: FailureKind.NOT_FOUND,
    408: FailureKind.TIMED_OUT,
    409: FailureKind.OVERLOADED,
    413: FailureKind.TOO_LARGE,
    422: FailureKind.BAD_REQUEST,
    429: FailureKind.RATE_LIMITED,
    503: FailureKind.OVERLOADED,
    504: FailureKind.TIMED_OUT,
    524: FailureKind.TIMED_OUT,
    529: FailureKind.OVERLOADED,
}
_BY_CODE = {
    "context_length_exceeded": FailureKind.CONTEXT_TOO_LONG,
    "string_above_max_length": FailureKind.CONTEXT_TOO_LONG,
    "exceed_context_size_error": FailureKind.CONTEXT_TOO_LONG,
    "content_filter": FailureKind.CONTENT_REFUSED,
    "content_policy_violation": FailureKind.CONTENT_REFUSED,
    "insufficient_quota": FailureKind.QUOTA_SPENT,
    "billing_error": FailureKind.QUOTA_SPENT,
    "billing_hard_limit_reached": FailureKind.QUOTA_SPENT,
    "rate_limit_exceeded": FailureKind.RATE_LIMITED,
    "rate_limit_error": FailureKind.RATE_LIMITED,
    "tokens": FailureKind.RATE_LIMITED,
    "requests": FailureKind.RATE_LIMITED,
    "invalid_api_key": FailureKind.UNAUTHENTICATED,
    "authentication_error": FailureKind.UNAUTHENTICATED,
    "permission_error": FailureKind.FORBIDDEN,
    "permission_denied": FailureKind.FORBIDDEN,
    "model_not_found": FailureKind.NOT_FOUND,
    "not_found_error": FailureKind.NOT_FOUND,
    "request_too_large": FailureKind.TOO_LARGE,
    "overloaded_error": FailureKind.OVERLOADED,
    "overloaded": FailureKind.OVERLOADED,
    "server_overloaded": FailureKind.OVERLOADED,
    "timeout_error": FailureKind.TIMED_OUT,
    "timeout": FailureKind.TIMED_OUT,
    "stream_cut_off": FailureKind.CUT_OFF,
    "api_error": FailureKind.UPSTREAM_FAILED,
    "server_error": FailureKind.UPSTREAM_FAILED,
    "upstream_failed": FailureKind.UPSTREAM_FAILED,
}
_TYPES_THAT_SAY_LITTLE = {"invalid_request_error": FailureKind.BAD_REQUEST}
_TOO_LONG = re.compile(
    r"prompt is too long|context[ _](length|window|size)|maximum context|input (is|was) too long"
    r"|exceeds? the (available|maximum) (context|number of tokens)",
    re.IGNORECASE,
)
_CREDENTIAL = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|key|api|AIza|hf|r8|pplx)[-_][A-Za-z0-9*_.\-]{6,}|\bAIza[A-Za-z0-9_\-]{10,}"
    r"|(?i:bearer)\s+[A-Za-z0-9._~+/\-]{6,}=*"
)


def read_failure(status: int, body: bytes, headers: Mapping[str, str]) -> Failure:
    """
    What went wrong upstream, from an answer in any dialect: they are told apart by what they hold.

    Args:
        headers: names in any case.
    """
    wait = _wait(headers)
    try:
        said = decoded(body, Any)  # pyright: ignore[reportArgumentType]
    except NotJsonError:
        return Failure(_by_status(status), f"The provider answered {status} with something that is not JSON.", wait)
    error = error_in(said)
    if error is None:
        return Failure(_by_status(status), f"The provider answered {status} without saying why.", wait)
    told = failure_from(error, status)
    return Failure(told.kind, told.message, wait, told.field)


def error_in(said: Any) -> Any:
    """What stands under `error` (or is the whole, where it is a text, or under `detail` or `message`); else None."""
    if isinstance(said, list) and said:
        return error_in(said[0])
    if isinstance(said, str):
        return said or None
    if not isinstance(said, dict):
        return None
    fields: Json = said
    return next((fields[name] for name in ("error", "detail", "message") if fields.get(name)), None)


def failure_from(error: Any, status: int = 0) -> Failure:
    """
    An error as it stands in a body or a stream: an object with `message`, `type` and `code`, or a text.

    Args:
        status: 0 or 200 where the status says nothing of the error.
    """
    fields: Json = error if isinstance(error, dict) else {}
    text = error if isinstance(error, str) else fields.get("message")
    message = text if isinstance(text, str) and text else "The provider told of an error without saying which."
    kind = _kind(fields, message, status)
    field = fields.get("param")
    return Failure(kind, _clean(kind, message), None, field if isinstance(field, str) else "")


def failure_of(error: RequestNotUnderstoodError | CannotBeSaidError | AnswerNotUnderstoodError) -> Failure:
    """What to answer the client."""
    if isinstance(error, AnswerNotUnderstoodError):
        return error.failure
    return Failure(FailureKind.BAD_REQUEST, str(error), None, error.field)


def _kind(fields: Json, message: str, status: int) -> FailureKind:
    for name in ("code", "type", "status"):
        word = fields.get(name)
        if isinstance(word, str) and (kind := _BY_CODE.get(word.lower())):
            return FailureKind.CONTEXT_TOO_LONG if _is_too_long(kind, message) else kind
    words = [fields[name] for name in ("code", "type") if isinstance(fields.get(name), str | int)]
    number = next((int(word) for word in words if re.fullmatch(r"[45]\d\d", str(word))), 0)
    little = next((_TYPES_THAT_SAY_LITTLE[word] for word in words if word in _TYPES_THAT_SAY_LITTLE), None)
    kind = _by_status(number or status)
    if kind is FailureKind.UPSTREAM_FAILED and little and status < 500:
        kind = little
    return FailureKind.CONTEXT_TOO_LONG if _is_too_long(kind, message) else kind


def _is_too_long(kind: FailureKind, message: str) -> bool:
    # llama.cpp and Ollama answer 500 to it, others 400 or 413.
    vague = (FailureKind.BAD_REQUEST, FailureKind.TOO_LARGE, FailureKind.UPSTREAM_FAILED)
    return kind in vague and bool(_TOO_LONG.search(message))


def _by_status(status: int) -> FailureKind:
    if kind := _BY_STATUS.get(status):
        return kind
    return FailureKind.BAD_REQUEST if 400 <= status < 500 else FailureKind.UPSTREAM_FAILED


def _clean(kind: FailureKind, message: str) -> str:
    # Providers quote the refused key, or parts of it; it is the gateway's, not the client's.
    if kind is FailureKind.UNAUTHENTICATED:
        return "The provider refused the credential that it was given."
    return _CREDENTIAL.sub("…", message[:MOST_MESSAGE])


def _wait(headers: Mapping[str, str]) -> float | None:
    by_name = {name.lower(): value for name, value in headers.items()}
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value := by_name.get(name, "").strip()):
            return min(float(value) / unit, MOST_WAIT_S)
    try:
        until, now = (parsedate_to_datetime(by_name[name]) for name in ("retry-after", "date"))
        return min(max((until - now).total_seconds(), 0.0), MOST_WAIT_S)
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
