"""Errors in the Piston dialect: `{"message": …}`, and beside it all that is wrong."""

import msgspec
from msgspec import UNSET, UnsetType

from opencode.contracts.execution import LanguageUnknown
from opencode.infra.http.problems import status_of
from opencode.kernel.errors import Busy, Invalid, OpenCodeError, Unavailable
from opencode.modules.execution.errors import JobRefused


class ErrorAnswer(msgspec.Struct, frozen=True):
    """
    Attributes:
        message: what Piston would say, where it would say anything.
        errors: every wrong field: a JSON pointer (RFC 6901) and what is wrong.
        nearest: languages that may have been meant, when there is none of the name.
    """

    message: str
    errors: list[dict[str, str]] | UnsetType = UNSET
    nearest: list[str] | UnsetType = UNSET


class Refused(msgspec.Struct, frozen=True):
    """An error ready to be sent."""

    status: int
    body: bytes
    retry_after_s: int | None = None


def refused(error: OpenCodeError) -> Refused:
    """What to answer: an engine that cannot work is 500, as in Piston; everything else is as in the house."""
    status = 500 if isinstance(error, Unavailable) else 400 if isinstance(error, LanguageUnknown) else status_of(error)
    retry_after_s = error.retry_after_s if isinstance(error, Busy) else None
    return Refused(status, msgspec.json.encode(answer_to(error)), retry_after_s)


def answer_to(error: OpenCodeError) -> ErrorAnswer:
    problems = error.problems if isinstance(error, Invalid) else ()
    errors = [{"pointer": problem.pointer, "detail": problem.detail} for problem in problems]
    nearest = error.nearest if isinstance(error, JobRefused) else None
    message = f"{error.detail} {error.action}".rstrip()
    return ErrorAnswer(message, errors or UNSET, UNSET if nearest is None else list(nearest))
