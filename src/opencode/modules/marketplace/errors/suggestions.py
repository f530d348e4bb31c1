"""
What can go wrong when a model suggests a summary and tags.

    NotFound     SuggestionsOff
    Busy         SuggestionsTooFast
    Unavailable  NothingSuggested
"""

from opencode.kernel.errors import Busy, NotFound, Unavailable


class SuggestionsOff(NotFound):
    """There is no language model that this person may use, or their token does not reach that far."""

    title = "Nothing is suggested here"

    def __init__(self) -> None:
        super().__init__(
            "You can use no model that suggests summaries and tags.",
            action="Write them yourself; an administrator can set up a model provider: docs/ai.md.",
        )


class SuggestionsTooFast(Busy):
    """One person asks for suggestions too fast."""

    title = "Too many suggestions"

    def __init__(self, wait_s: int) -> None:
        super().__init__("You ask for suggestions too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s)


class NothingSuggested(Unavailable):
    """The model took too long, or what it said is no summary and no tags that a project could have."""

    title = "The model had no suggestion"

    def __init__(self) -> None:
        super().__init__(
            "The model's answer has no summary and no tags that a project could have.",
            action="Try again, or write them yourself.",
        )
