"""Who used what, reviews, and the marks that they get."""

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import delete, exists, false, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import ProjectId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.marketplace.domain.review import RATINGS, Ratings, Review, ReviewOrder, ShownReview
from opencode.modules.marketplace.store.tables import profiles, review_marks, reviews, uses

_REVIEW = tuple(reviews.c[field.name] for field in fields(Review))
_KEYS = {
    ReviewOrder.RECENT: reviews.c.created_at,
    ReviewOrder.HELPFUL: reviews.c.helpful,
    ReviewOrder.RATING: reviews.c.rating,
}


class ReviewStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql

    async def has_used(self, project_id: ProjectId, user_id: str) -> bool:
        query = select(uses.c.at).where(uses.c.project_id == project_id, uses.c.user_id == user_id)
        return (await self._connection.execute(query)).first() is not None

    async def get(self, review_id: str, *, to_change: bool = False) -> Review | None:
        query = select(*_REVIEW).where(reviews.c.id == review_id)
        row = (await self._connection.execute(query.with_for_update() if to_change else query)).mappings().one_or_none()
        return Review(**row) if row else None

    async def of(self, project_id: ProjectId, author_id: str, *, to_change: bool = False) -> Review | None:
        query = select(*_REVIEW).where(reviews.c.project_id == project_id, reviews.c.author_id == author_id)
        row = (await self._connection.execute(query.with_for_update() if to_change else query)).mappings().one_or_none()
        return Review(**row) if row else None

    async def shown(self, review_id: str, reader_id: str) -> ShownReview:
        row = (await self._connection.execute(_shown_to(reader_id).where(reviews.c.id == review_id))).mappings().one()
        return _shown(row)

    async def page_of(
        self, project_id: ProjectId, order: ReviewOrder, wanted: PageRequest, reader_id: str
    ) -> Page[ShownReview]:
        """Those that moderators hold are not in it."""
        query = _shown_to(reader_id).where(reviews.c.project_id == project_id, reviews.c.hold.is_(None))
        query = newest_first(query, _KEYS[order], reviews.c.id, wanted)
        found = [_shown(row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda each: _key(each.review, order))

    async def ratings_of(self, project_id: ProjectId) -> Ratings:
        query = select(reviews.c.rating, func.count()).where(
            reviews.c.project_id == project_id, reviews.c.hold.is_(None)
        )
        found = {row[0]: row[1] for row in await self._connection.execute(query.group_by(reviews.c.rating))}
        one, two, three, four, five = (found.get(rating, 0) for rating in RATINGS)
        return Ratings((one, two, three, four, five))

    async def add(self, new: Review) -> None:
        await self._connection.execute(insert(reviews).values(asdict(new)))

    async def save(self, review: Review) -> None:
        await self._connection.execute(update(reviews).where(reviews.c.id == review.id).values(asdict(review)))

    async def count_mark(self, review_id: str, added: int) -> int:
        """Returns how many marks the review has then."""
        change = update(reviews).where(reviews.c.id == review_id).values(helpful=reviews.c.helpful + added)
        return (await self._connection.execute(change.returning(reviews.c.helpful))).scalar_one()

    async def delete(self, review_id: str) -> None:
        await self.forget_marks(review_id)
        await self._connection.execute(delete(reviews).where(reviews.c.id == review_id))

    async def forget_marks(self, review_id: str) -> None:
        await self._connection.execute(delete(review_marks).where(review_marks.c.review_id == review_id))

    async def mark(self, review_id: str, user_id: str, *, wanted: bool) -> bool:
        """Set or take back somebody's mark. Returns whether anything changed."""
        values = {"review_id": review_id, "user_id": user_id}
        if wanted:
            change = self._dialect.insert(review_marks).values(values).on_conflict_do_nothing()
        else:
            own = (review_marks.c.review_id == review_id, review_marks.c.user_id == user_id)
            change = delete(review_marks).where(*own)
        return (await self._connection.execute(change.returning(review_marks.c.user_id))).first() is not None


def _shown_to(reader_id: str) -> Any:
    marked = exists().where(review_marks.c.review_id == reviews.c.id, review_marks.c.user_id == reader_id)
    there = reviews.join(profiles, profiles.c.user_id == reviews.c.author_id)
    by_reader = marked if reader_id else false()
    return select(*_REVIEW, profiles.c.handle, profiles.c.display_name, by_reader.label("marked")).select_from(there)


def _shown(row: Any) -> ShownReview:
    review = Review(**{column.name: row[column.name] for column in _REVIEW})
    return ShownReview(review, row["handle"], row["display_name"], bool(row["marked"]))


def _key(review: Review, order: ReviewOrder) -> tuple[int, str]:
    match order:
        case ReviewOrder.RECENT:
            return time_keys(review.created_at, review.id)
        case ReviewOrder.HELPFUL:
            return review.helpful, review.id
        case ReviewOrder.RATING:
            return review.rating, review.id
