"""Reviews by people who used a project, and how they rate it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import ProjectId, ReviewId
from opencode.modules.marketplace.domain.moderation import Case, Hold
from opencode.modules.marketplace.domain.text import Findings, line_problem, plain_problem, tidy_line, tidy_plain

MAX_REVIEW_TITLE = 120
MAX_REVIEW_BODY = 5_000
RATINGS = range(1, 6)


class ReviewOrder(StrEnum):
    """In which order reviews come; whatever is equal comes newest first."""

    RECENT = "recent"
    HELPFUL = "helpful"
    RATING = "rating"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """
    What somebody who used a project says of it, in plain text.

    Attributes:
        rating: 1 to 5.
        helpful: how many people marked it so.
        reply: the project's owner's, None while there is none.
        hold: by moderators; then only its author sees it, and it counts in no rating.
    """

    id: ReviewId
    project_id: ProjectId
    author_id: str
    rating: int
    title: str
    body: str
    helpful: int = 0
    reply: str | None = None
    replied_at: datetime | None = None
    hold: Hold | None = None
    created_at: datetime
    updated_at: datetime

    def rewritten(self, fields: Mapping[str, Any], at: datetime) -> "Review":
        """
        The review with other words; the same one when nothing is different. Marks were for the words that were there,
        so it starts without.
        """
        after = replace(self, **fields)
        return self if after == self else replace(after, helpful=0, updated_at=at)

    def replied(self, reply: str | None, at: datetime) -> "Review":
        if reply == self.reply:
            return self
        return replace(self, reply=reply, replied_at=None if reply is None else at)


@dataclass(frozen=True, slots=True)
class ShownReview:
    """A review with its author's names. `marked`: by the caller; `case`: that keeps it out of sight, for its author."""

    review: Review
    author_handle: str
    author_name: str
    marked: bool = False
    case: Case | None = None


@dataclass(frozen=True, slots=True)
class Ratings:
    """How many people gave each rating: `counts[0]` is for 1."""

    counts: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)

    @property
    def count(self) -> int:
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        """Of what people gave and nothing else, in hundredths; None before there is a review."""
        if not self.count:
            return None
        given = sum(rating * count for rating, count in zip(RATINGS, self.counts, strict=True))
        return round(given / self.count, 2)


def checked_review(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldProblem]]:
    """The fields of a review as they are kept, and everything that is wrong; absent ones are not looked at."""
    findings = Findings()
    fields = dict(values)
    if "title" in values:
        fields["title"] = tidy_line(values["title"])
        findings.add("/title", line_problem(fields["title"], MAX_REVIEW_TITLE))
    if "body" in values:
        fields["body"] = tidy_plain(values["body"])
        findings.add("/body", plain_problem(fields["body"], MAX_REVIEW_BODY, least=1))
    return fields, findings.problems
