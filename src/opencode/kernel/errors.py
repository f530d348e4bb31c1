"""
What can go wrong, by kind. Modules derive their own errors from these; only `infra/http` knows status codes.

    OpenCodeError
    ├── Invalid            the request cannot be understood or breaks a rule; carries `problems`, one a field
    ├── Unauthenticated    nobody is signed in, or the credential is wrong or expired
    ├── PaymentRequired    it has to be bought first
    ├── Forbidden          the person is known and may not do this
    ├── NotFound           there is no such thing, or none that this person may know of
    ├── Conflict           the thing is in a state that does not allow this
    ├── Outdated           the change was made for an earlier state of the thing
    ├── TooLarge           more bytes than the limit
    ├── Busy               too many, too often; carries `retry_after_s`
    └── Unavailable        a part that is needed cannot be had now; may carry `retry_after_s`
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong field: `pointer` is a JSON pointer (RFC 6901) into the request body, `detail` says what is wrong."""

    pointer: str
    detail: str


class OpenCodeError(Exception):
    """
    Something went wrong that the person who asked should hear of.

    Args:
        detail: what happened, with the value, as one sentence.
        action: what to do about it, as one sentence; may be empty when nothing can be done.
    """

    title = "Something went wrong"

    def __init__(self, detail: str, *, action: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.action = action


class Invalid(OpenCodeError):
    """The request cannot be understood, or breaks a rule that no state could satisfy."""

    title = "The request is not valid"

    def __init__(self, detail: str, *, action: str = "", problems: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__(detail, action=action)
        self.problems = problems


class Unauthenticated(OpenCodeError):
    """Nobody is signed in, or the credential is wrong, expired or revoked."""

    title = "Sign-in needed"


class PaymentRequired(OpenCodeError):
    """It has to be bought first."""

    title = "Payment required"


class Forbidden(OpenCodeError):
    """The person is known and may not do this."""

    title = "Not allowed"


class NotFound(OpenCodeError):
    """There is no such thing, or none that this person may know of."""

    title = "Not found"


class Conflict(OpenCodeError):
    """The thing is in a state that does not allow this."""

    title = "Not possible now"


class Outdated(OpenCodeError):
    """The change was made for an earlier state of the thing (`If-Match`)."""

    title = "Changed in the meantime"


class TooLarge(OpenCodeError):
    """More bytes than the limit."""

    title = "Too large"


class Busy(OpenCodeError):
    """Too many or too often. `retry_after_s`: seconds after which it is worth trying again."""

    title = "Too many requests"

    def __init__(self, detail: str, *, action: str = "", retry_after_s: int = 1) -> None:
        super().__init__(detail, action=action)
        self.retry_after_s = retry_after_s


class Unavailable(OpenCodeError):
    """A part that is needed cannot be had now. `retry_after_s`, where it is known: when to try again."""

    title = "Not available"

    def __init__(self, detail: str, *, action: str = "", retry_after_s: int | None = None) -> None:
        super().__init__(detail, action=action)
        self.retry_after_s = retry_after_s
