"""
What can go wrong when people follow people, projects and searches.

    NotFound  SearchNotFound
    Conflict  FollowingYourself · FollowingTooMany
"""

from opencode.kernel.errors import Conflict, NotFound


class SearchNotFound(NotFound):
    """No such followed search, or somebody else's: both read the same."""

    title = "The search was not found"

    def __init__(self, search_id: str) -> None:
        super().__init__(
            f"You follow no search {search_id[:100]!r}.", action="GET /api/v1/me/searches lists those that you follow."
        )


class FollowingYourself(Conflict):
    """Nobody follows themselves."""

    title = "This is you"

    def __init__(self) -> None:
        super().__init__("You cannot follow yourself.", action="Follow somebody else.")


class FollowingTooMany(Conflict):
    """One person follows as many things as the server allows."""

    title = "You follow too many"

    def __init__(self, most: int, what: str) -> None:
        super().__init__(f"You follow {most} {what}, which is the most.", action="Stop following one of them first.")
