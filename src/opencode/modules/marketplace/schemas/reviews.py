"""Reviews."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from opencode.infra.http import Body
from opencode.kernel.errors import FieldProblem
from opencode.modules.marketplace.domain.review import Ratings, ShownReview, checked_review
from opencode.modules.marketplace.schemas.fields import HoldView, OwnerView
from opencode.modules.marketplace.service.reviewing import ReviewPage


class ReviewDraft(Body):
    """Somebody's review, in plain text."""

    rating: Annotated[int, Meta(ge=1, le=5)]
    body: str
    title: str = ""

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_review(fields)[1]

    def values(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self)


class ReplyDraft(Body):
    """The owner's reply to a review, in plain text."""

    body: str


class ReviewView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A review. `helpful`: how many marked it so; `marked`: the caller did. `moderation` is null unless moderators hold
    it; then its author alone sees it.
    """

    id: str
    author: OwnerView
    rating: int
    title: str
    body: str
    helpful: int
    marked: bool
    reply: str | None
    replied_at: datetime | None
    moderation: HoldView | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, shown: ShownReview) -> "ReviewView":
        review = shown.review
        return cls(
            id=review.id,
            author=OwnerView(shown.author_handle, shown.author_name),
            rating=review.rating,
            title=review.title,
            body=review.body,
            helpful=review.helpful,
            marked=shown.marked,
            reply=review.reply,
            replied_at=review.replied_at,
            moderation=HoldView.of(shown.case, review.hold),
            created_at=review.created_at,
            updated_at=review.updated_at,
        )


class RatingsView(msgspec.Struct, frozen=True):
    """`mean` is that of the ratings given, null without reviews; `stars` counts by rating, from `1` to `5`."""

    count: int
    mean: float | None
    stars: dict[str, int]

    @classmethod
    def of(cls, ratings: Ratings) -> "RatingsView":
        stars = {str(rating): count for rating, count in enumerate(ratings.counts, start=1)}
        return cls(ratings.count, ratings.mean, stars)


class ReviewsView(msgspec.Struct, frozen=True):
    """A page of reviews. `own`: the caller's; `may_review`: the caller has used the project, which is another's."""

    items: list[ReviewView]
    next_cursor: str | None
    summary: RatingsView
    own: ReviewView | None
    may_review: bool

    @classmethod
    def of(cls, page: ReviewPage) -> "ReviewsView":
        return cls(
            [ReviewView.of(each) for each in page.reviews],
            page.next_cursor,
            RatingsView.of(page.ratings),
            ReviewView.of(page.own) if page.own else None,
            page.may_review,
        )


class HelpfulView(msgspec.Struct, frozen=True):
    marked: bool
    helpful: int
