"""
Calls that are answered without the framework: the few of which thousands come each second. Each is described and
answered by the framework, too, and a test holds both to the same answers.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

from opencode.infra.http.problems import Problem, fault_of, problem_of, waiting_headers
from opencode.kernel import errors


@dataclass(frozen=True, slots=True)
class Answer:
    """
    Attributes:
        headers: by their names in lower case; length and type of the body are added.
    """

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    media_type: str = "application/json"


FindDirect = Callable[[Scope], tuple[str, ASGIApp] | None]
"""The route's pattern and who answers; None leaves the request to the framework."""


def answering(call: Callable[[Scope], Awaitable[Answer]]) -> ASGIApp:
    """An application that sends what a call answers, or the problem that it raises."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        del receive  # none of these calls has a body that says anything
        await _send(await _answer_of(call, scope), send)

    return answered


async def _answer_of(call: Callable[[Scope], Awaitable[Answer]], scope: Scope) -> Answer:
    try:
        return await call(scope)
    except errors.OpenCodeError as error:
        problem = problem_of(error, str(scope["state"].get("request_id", "")))
        return _told(problem, waiting_headers(error))
    except Exception as error:
        return _told(fault_of(error, scope), {})


async def _send(answer: Answer, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    if answer.status != _NOT_MODIFIED:
        headers.append((b"content-length", b"%d" % len(answer.body)))
        headers.append((b"content-type", answer.media_type.encode("latin-1")))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def _told(problem: Problem, headers: dict[str, str]) -> Answer:
    return Answer(msgspec.json.encode(problem), problem.status, {"cache-control": "no-store", **headers}, _PROBLEM)


_NOT_MODIFIED = 304
_PROBLEM = "application/problem+json"
