"""
What can go wrong with notices.

    NotFound    NoticeNotFound
    Busy        TooManyNoticeStreams
    Invalid     NoticesRefused · UnsubscribeLinkBroken
"""

from opencode.kernel.errors import Busy, FieldProblem, Invalid, NotFound


class NoticeNotFound(NotFound):
    """No such notice in one's inbox; somebody else's reads the same."""

    title = "The notice was not found"

    def __init__(self, notice_id: str) -> None:
        super().__init__(
            f"There is no notice {notice_id[:100]!r} in your inbox.", action="Get the inbox again; it may be deleted."
        )


class TooManyNoticeStreams(Busy):
    """This person follows their inbox too many times at once."""

    title = "Too many open streams"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"Your inbox is followed {most} times already.",
            action="Close other pages, then try again.",
            retry_after_s=5,
        )


class NoticesRefused(Invalid):
    """Fields of a request about notices break a rule; `errors` names all of them."""

    title = "Fields are not valid"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        listed = ", ".join(problem.pointer.lstrip("/") for problem in problems)
        super().__init__(
            f"There are problems with: {listed}.", action="Correct the fields named in errors.", problems=problems
        )


class UnsubscribeLinkBroken(Invalid):
    """The link of a mail is not whole, or was not made by this server."""

    title = "The link is broken"

    def __init__(self) -> None:
        super().__init__(
            "This link to end mails is not whole, or not of this server.",
            action="Copy the whole link, or sign in and choose in your preferences.",
        )
