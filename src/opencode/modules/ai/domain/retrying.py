"""Which failures are worth another try, where, and how many of them there may be."""

from collections import deque
from dataclasses import dataclass, field

from opencode.modules.ai.domain.dialects.canonical import Failure, FailureKind

WINDOW_S = 10.0
LEAST_RETRIES = 5
"""Of a window: a share of few calls is none, and somebody who makes one call an hour wants it to succeed, too."""

_OF_THE_REQUEST = frozenset(
    {
        FailureKind.BAD_REQUEST,
        FailureKind.TOO_LARGE,
        FailureKind.CONTEXT_TOO_LONG,
        FailureKind.CONTENT_REFUSED,
    }
)
"""They would come again, wherever it is sent."""
_PASSING = frozenset(
    {
        FailureKind.RATE_LIMITED,
        FailureKind.OVERLOADED,
        FailureKind.UPSTREAM_FAILED,
        FailureKind.CUT_OFF,
    }
)
"""Where another try at the same place may do. One that took all its time is not tried again there."""
_OF_THE_DEPLOYMENT = frozenset({FailureKind.UPSTREAM_FAILED, FailureKind.TIMED_OUT, FailureKind.CUT_OFF})
_OF_THE_GATEWAY = frozenset({FailureKind.UNAUTHENTICATED, FailureKind.FORBIDDEN, FailureKind.QUOTA_SPENT})


def may_go_elsewhere(failure: Failure) -> bool:
    return failure.kind not in _OF_THE_REQUEST


def may_try_again(failure: Failure, longest_wait_s: float) -> bool:
    """Whether at the same deployment."""
    return failure.kind in _PASSING and (failure.retry_after_s or 0.0) <= longest_wait_s


def speaks_against(failure: Failure) -> bool:
    """Whether the deployment is to blame, rather than the request, the credential or too many calls."""
    return failure.kind in _OF_THE_DEPLOYMENT


def told_to_client(failure: Failure) -> Failure:
    """A failure as the client is to see it: a refused credential is the gateway's, not the client's."""
    if failure.kind not in _OF_THE_GATEWAY:
        return failure
    return Failure(FailureKind.UPSTREAM_FAILED, failure.message, failure.retry_after_s)


@dataclass(slots=True)
class RetryBudget:
    """
    Retries at one provider, as a share of its calls: when it is down for everybody, everybody's retries would keep it
    there.
    """

    _calls: "_Recent" = field(default_factory=lambda: _Recent())
    _retries: "_Recent" = field(default_factory=lambda: _Recent())

    def called(self, now_s: float) -> None:
        """A call began: its first try, or another one."""
        self._calls.add(now_s)

    def take(self, now_s: float, share: float) -> bool:
        """Whether there may be one more retry now; it is counted if so."""
        if share <= 0 or self._retries.count(now_s) >= max(LEAST_RETRIES, share * self._calls.count(now_s)):
            return False
        self._retries.add(now_s)
        return True


class _Recent:
    """How often something happened within the window, give or take a second."""

    def __init__(self) -> None:
        self._seconds: deque[int] = deque()
        self._counts: deque[int] = deque()
        self._sum = 0

    def add(self, now_s: float) -> None:
        self.count(now_s)
        second = int(now_s)
        if not self._seconds or self._seconds[-1] < second:
            self._seconds.append(second)
            self._counts.append(0)
        self._counts[-1] += 1
        self._sum += 1

    def count(self, now_s: float) -> int:
        while self._seconds and self._seconds[0] <= now_s - WINDOW_S:
            self._seconds.popleft()
            self._sum -= self._counts.popleft()
        return self._sum
