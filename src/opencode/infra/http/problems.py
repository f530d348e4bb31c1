"""Errors as RFC 9457 problem documents: what happened, what to do, and the request's id to ask about it."""

import re
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from opencode.infra.observability import metrics
from opencode.kernel import errors

log = structlog.get_logger(__name__)

PROBLEM_BASE = "https://opencode.invalid/problems/"
"""Names problems; it is an identifier (RFC 9457 §3.1.1), and `.invalid` says that nothing is to be fetched there."""

_STATUS: dict[type[errors.OpenCodeError], int] = {
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.PaymentRequired: 402,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Outdated: 412,
    errors.TooLarge: 413,
    errors.Busy: 429,
    errors.Unavailable: 503,
}

_FRAMEWORK: dict[int, tuple[str, str, str]] = {
    404: ("Not found", "There is nothing at this address.", "Check the address; /docs lists every call."),
    405: ("Method not allowed", "This address does not answer that method.", "/docs lists every call."),
    408: ("Too slow", "The body of the request did not arrive in time.", "Send it faster, or send less at once."),
    413: ("Too large", "The body of the request is too large.", "Send less at once."),
}


class Problem(msgspec.Struct, omit_defaults=True):
    """A problem document. `errors` lists every wrong field."""

    type: str
    title: str
    status: int
    detail: str
    action: str
    request_id: str
    errors: list[dict[str, str]] = []


def status_of(error: errors.OpenCodeError) -> int:
    """The status code of an error, by its kind."""
    return next(status for kind, status in _STATUS.items() if isinstance(error, kind))


def slug_of(error: type[errors.OpenCodeError]) -> str:
    """What the last part of a problem's type is: `InterviewNotLive` is `interview-not-live`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", error.__name__).lower()


def problem_of(error: errors.OpenCodeError, request_id: str) -> Problem:
    fields = error.problems if isinstance(error, errors.Invalid) else ()
    return Problem(
        type=PROBLEM_BASE + slug_of(type(error)),
        title=error.title,
        status=status_of(error),
        detail=error.detail,
        action=error.action,
        request_id=request_id,
        errors=[{"pointer": field.pointer, "detail": field.detail} for field in fields],
    )


def problem_response(error: errors.OpenCodeError, request_id: str) -> Response[bytes]:
    """An answer that carries the problem, with `Retry-After` where waiting helps."""
    return _respond(problem_of(error, request_id), waiting_headers(error))


def waiting_headers(error: errors.OpenCodeError) -> dict[str, str]:
    """`Retry-After`, where waiting helps."""
    wait_s = error.retry_after_s if isinstance(error, errors.Busy | errors.Unavailable) else None
    return {} if wait_s is None else {"retry-after": str(wait_s)}


def handle_domain_error(request: Request[Any, Any, Any], error: errors.OpenCodeError) -> Response[bytes]:
    return problem_response(error, _request_id(request))


def handle_framework_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Errors that Litestar found: unknown addresses, methods, parameters."""
    status = error.status_code
    if status == 400:
        return problem_response(_invalid_parameters(error), _request_id(request))
    if status >= 500:
        return handle_fault(request, error)
    title, detail, action = _FRAMEWORK.get(status, ("The request was refused", str(error.detail), ""))
    slug = title.lower().replace(" ", "-")
    problem = Problem(PROBLEM_BASE + slug, title, status, detail, action, _request_id(request))
    return _respond(problem, dict(error.headers or {}))


def handle_fault(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    return _respond(fault_of(error, request.scope), {})


def fault_of(error: Exception, scope: Any) -> Problem:
    """The problem of a fault of ours: logged whole here, told without its insides."""
    request_id = str(scope["state"].get("request_id", ""))
    log.exception("request failed", method=scope["method"], path=scope["path"], request_id=request_id, exc_info=error)
    metrics.ERRORS.labels(route=route_of(scope)).inc()
    return Problem(
        PROBLEM_BASE + "internal-fault",
        "The server made a mistake",
        500,
        "Something failed inside the server; nothing of your request was kept half-done.",
        f"Try again. If it stays, tell the operator the request id {request_id}.",
        request_id,
    )


def route_of(scope: Any) -> str:
    """The route's pattern, such as `/api/v1/interviews/{interview_id}`: few values, fit for a metric's label."""
    return str(scope.get("path_template") or "other")


def _invalid_parameters(error: HTTPException) -> errors.Invalid:
    extra = error.extra if isinstance(error.extra, list) else []
    problems = tuple(
        errors.FieldProblem("/" + str(entry.get("key", "")), str(entry.get("message", "")))
        for entry in extra
        if isinstance(entry, dict)
    )
    return errors.Invalid(
        "The request has wrong or missing parameters.",
        action="Correct the parameters named in errors; /docs describes them.",
        problems=problems,
    )


def _request_id(request: Request[Any, Any, Any]) -> str:
    return str(request.scope["state"].get("request_id", ""))


def _respond(problem: Problem, headers: dict[str, str]) -> Response[bytes]:
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type="application/problem+json",
        headers={"cache-control": "no-store", **headers},
    )


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    errors.OpenCodeError: handle_domain_error,
    HTTPException: handle_framework_error,
    Exception: handle_fault,
}

__all__ = [
    "EXCEPTION_HANDLERS",
    "Problem",
    "fault_of",
    "problem_of",
    "problem_response",
    "route_of",
    "slug_of",
    "status_of",
    "waiting_headers",
]
