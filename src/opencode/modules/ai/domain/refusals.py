"""Our own refusals as clients of language models know failures."""

from opencode.kernel import errors
from opencode.modules.ai.domain.dialects.canonical import Failure, FailureKind
from opencode.modules.ai.errors import BudgetSpent

_KINDS: tuple[tuple[type[errors.OpenCodeError], FailureKind], ...] = (
    (BudgetSpent, FailureKind.QUOTA_SPENT),
    (errors.Unauthenticated, FailureKind.UNAUTHENTICATED),
    (errors.Forbidden, FailureKind.FORBIDDEN),
    (errors.NotFound, FailureKind.NOT_FOUND),
    (errors.Busy, FailureKind.RATE_LIMITED),
    (errors.TooLarge, FailureKind.TOO_LARGE),
    (errors.Unavailable, FailureKind.OVERLOADED),
    (errors.OpenCodeError, FailureKind.BAD_REQUEST),
)


def failure_of_refusal(error: errors.OpenCodeError) -> Failure:
    """What happened and what to do, as one message."""
    kind = next(kind for of, kind in _KINDS if isinstance(error, of))
    wait_s = error.retry_after_s if isinstance(error, errors.Busy | errors.Unavailable) else None
    return Failure(kind, f"{error.detail} {error.action}".strip(), wait_s)
