"""
Calls that are answered without the framework: the few of which thousands come each second. Each is described and
answered by the framework, too, and a test holds both to the same answers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

from opencode.infra.http.problems import fault_of, problem_of, waiting_headers
from opencode.kernel import errors


@dataclass(frozen=True, slots=True)
class Answer:
    """
    Attributes:
        headers: by their names in lower case; length and type of the body are added, and what every answer carries.
    """

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Later:
    """
    An answer that has to wait for something, and for nothing else.

    Attributes:
        after: shared with others who wait for the same; nobody cancels it.
        make: called once that is done, well or not; raises what the call raises.
    """

    after: asyncio.Future[None]
    make: Callable[[], Answer]


class Answering:
    """
    A call that has one answer, as an application (ASGI).

    Args:
        call: answers it.
        now: the same without waiting, where all that it takes is in memory; None leaves it to `call`. It raises
            nothing but what `call` raises.
    """

    __slots__ = ("_call", "_now")

    def __init__(
        self, call: Callable[[Scope], Awaitable[Answer]], now: Callable[[Scope], Answer | Later | None] | None = None
    ) -> None:
        self._call = call
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive  # none of these calls has a body that says anything
        try:
            answer = await self._call(scope)
        except Exception as error:
            answer = told(error, scope)
        await _send(answer, send)

    def now(self, scope: Scope) -> Answer | Later | None:
        """The answer, or its problem, if there is no need to wait for anything but a `Later`."""
        try:
            return self._now(scope) if self._now else None
        except Exception as error:
            return told(error, scope)


FindDirect = Callable[[Scope], tuple[str, ASGIApp] | None]
"""The route's pattern and who answers; None leaves the request to the framework."""


def told(error: Exception, scope: Scope) -> Answer:
    """What somebody is told of an error: of a fault of ours, nothing of its insides."""
    if isinstance(error, errors.OpenCodeError):
        problem = problem_of(error, str(scope["state"].get("request_id", "")))
        headers = waiting_headers(error)
    else:
        problem, headers = fault_of(error, scope), {}
    return Answer(msgspec.json.encode(problem), problem.status, {"cache-control": "no-store", **headers}, _PROBLEM)


def headers_of(answer: Answer) -> list[tuple[bytes, bytes]]:
    """All that tells of the body, and what the call says."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    if answer.status != _NOT_MODIFIED:
        headers.append((b"content-length", b"%d" % len(answer.body)))
        headers.append((b"content-type", answer.media_type.encode("latin-1")))
    return headers


async def _send(answer: Answer, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": headers_of(answer)})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


_NOT_MODIFIED = 304
_PROBLEM = "application/problem+json"
