"""
What can go wrong with reviews.

    NotFound   ReviewNotFound
    Forbidden  YourOwnReview · NotUsed
"""

from opencode.kernel.errors import Forbidden, NotFound


class ReviewNotFound(NotFound):
    """No such review."""

    title = "The review was not found"

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no review {what[:200]}.", action="It may have been taken back; look at the list.")


class YourOwnReview(Forbidden):
    """Nobody marks what they wrote themselves."""

    title = "Your own review"

    def __init__(self) -> None:
        super().__init__("You may not mark your own review as helpful.", action="Leave that to others.")


class NotUsed(Forbidden):
    """Only those who have used a project review it."""

    title = "You have not used it"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"You have not used {slug} yet, as far as this server knows.",
            action="Download or buy it while you are signed in, then review it.",
        )
