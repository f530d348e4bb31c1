"""Reviews: reading and writing them, marking them helpful, and replying."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from opencode.contracts.marketplace import ProjectRated
from opencode.contracts.notifications import NoticeGiven, NoticeKind
from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import ReviewId, UserId, is_id, new_id
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.addresses import page_of_project
from opencode.modules.marketplace.domain.profile import Profile
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.review import (
    MAX_REVIEW_BODY,
    Ratings,
    Review,
    ReviewOrder,
    ShownReview,
    checked_review,
)
from opencode.modules.marketplace.domain.text import plain_problem, tidy_plain
from opencode.modules.marketplace.errors import NotUsed, ReviewNotFound, YourOwnReview
from opencode.modules.marketplace.policy import Action, WordsAction
from opencode.modules.marketplace.service.base import UseCases, require_good
from opencode.modules.marketplace.service.cases import note_deleted
from opencode.modules.marketplace.service.subjects import review_subject
from opencode.modules.marketplace.store import MarketplaceWork, Stores


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """A page of reviews. `own` is the caller's; `may_review`: the caller has used the project, which is another's."""

    reviews: list[ShownReview]
    next_cursor: str | None
    ratings: Ratings
    own: ShownReview | None
    may_review: bool


class Reviewing(UseCases):
    async def read(self, slug: str, by: Principal, order: ReviewOrder, wanted: PageRequest) -> ReviewPage:
        """
        Raises:
            ProjectNotFound
        """
        async with self.reading() as stores:
            project = (await self.find(stores, slug)).project
            policy.require(Action.SEE, by, project)
            page = await stores.reviews.page_of(project.id, order, wanted, by.id)
            ratings = await stores.reviews.ratings_of(project.id)
            own = await stores.reviews.of(project.id, by.id) if by.is_user else None
            shown = await self._own(stores, own, project, by) if own else None
            return ReviewPage(page.items, page.next_cursor, ratings, shown, await _may_review(stores, project, by))

    async def write(self, slug: str, by: Principal, values: Mapping[str, Any]) -> tuple[ShownReview, bool]:
        """
        Write one's review of a project, in place of an earlier one. The owner is told of a first one.

        Args:
            values: `rating`, `title` and `body`.

        Returns:
            The review, and whether there was none before.

        Raises:
            ProjectNotFound, NotPublished, YourOwnProject, NotUsed, WordsHeld, ProjectRefused, ActsTooFast,
            Unauthenticated, …
        """
        policy.require_account(by)
        fields, problems = checked_review(values)
        await self.slow_down(by)
        author = await self.own_profile(by)
        now = self.clock.now()
        async with self.unit_of_work() as work:
            # Nobody else changes the project meanwhile, so one who writes twice at the same moment has one review.
            project = (await self.find(work.stores, slug, to_change=True)).project
            policy.require(Action.REVIEW, by, project)
            require_good(problems)
            if not await _has_used(work.stores, project, by):
                raise NotUsed(project.slug)
            before = await work.stores.reviews.of(project.id, by.id, to_change=True)
            if before:
                _require(WordsAction.CHANGE, by, before, author.handle, project)
            after = await (self._rewrite(work, before, fields, now) if before else self._add(work, project, by, fields))
            if before is None or after.rating != before.rating:
                work.publish(ProjectRated(project_id=project.id, at=now))
            if before is None:
                work.publish(_written(project, after, author, now))
            return await self._own(work.stores, after, project, by), before is None

    async def delete(self, slug: str, by: Principal) -> None:
        """
        Take one's review back.

        Raises:
            ProjectNotFound, ReviewNotFound, WordsHeld, Unauthenticated, …
        """
        async with self.unit_of_work() as work:
            project = (await self.find(work.stores, slug, to_change=True)).project
            policy.require(Action.SEE, by, project)
            policy.require_writer(by)
            own = await work.stores.reviews.of(project.id, by.id, to_change=True)
            author = await work.stores.profiles.of(by.id)
            if own is None or author is None:
                raise ReviewNotFound(f"of {project.slug} by you")
            _require(WordsAction.DELETE, by, own, author.handle, project)
            await note_deleted(work, review_subject(own, author.handle, project.slug), by.id, self.clock.now())
            await work.stores.reviews.delete(own.id)
            work.publish(ProjectRated(project_id=project.id, at=self.clock.now()))

    async def mark_helpful(self, review_id: str, by: Principal, *, wanted: bool) -> int:
        """
        Mark somebody's review as helpful, or take the mark back; twice is the same as once. Returns how many marks
        there are.

        Raises:
            ReviewNotFound, YourOwnReview, ActsTooFast, Unauthenticated, …
        """
        policy.require_writer(by)
        await self.slow_down(by)
        async with self.unit_of_work() as work:
            review, project = await self._find(work.stores, review_id)
            policy.require(Action.SEE, by, project)
            if review.author_id == by.id:
                raise YourOwnReview
            if not await work.stores.reviews.mark(review.id, by.id, wanted=wanted):
                return review.helpful
            return await work.stores.reviews.count_mark(review.id, 1 if wanted else -1)

    async def reply(self, review_id: str, by: Principal, body: str | None) -> ShownReview:
        """
        Reply to a review of one's project, change the reply, or take it back (None). The author is told of a first one.

        Raises:
            ReviewNotFound, NotYourProject, ProjectRefused, ActsTooFast, Unauthenticated, …
        """
        reply = None if body is None else tidy_plain(body)
        problem = None if reply is None else plain_problem(reply, MAX_REVIEW_BODY, least=1)
        policy.require_account(by)
        await self.slow_down(by)
        now = self.clock.now()
        async with self.unit_of_work() as work:
            review, project = await self._find(work.stores, review_id)
            policy.require(Action.REPLY, by, project)
            require_good([FieldProblem("/body", problem)] if problem else [])
            after = review.replied(reply, now)
            if after is not review:
                await work.stores.reviews.save(after)
                if review.reply is None:
                    work.publish(_replied(project, after, now))
            return await work.stores.reviews.shown(review.id, by.id)

    async def _find(self, stores: Stores, review_id: str) -> tuple[Review, Project]:
        review = await stores.reviews.get(review_id, to_change=True) if is_id(review_id, "rev") else None
        shown = await stores.projects.get(review.project_id) if review else None
        if review is None or shown is None or review.hold:
            raise ReviewNotFound(review_id)
        return review, shown.project

    async def _own(self, stores: Stores, review: Review, project: Project, by: Principal) -> ShownReview:
        """The caller's, with the case that keeps it out of sight, if one does."""
        shown = await stores.reviews.shown(review.id, by.id)
        if review.hold is None:
            return shown
        subject = review_subject(review, shown.author_handle, project.slug)
        return replace(shown, case=await stores.moderation.of_subject(subject))

    async def _rewrite(self, work: MarketplaceWork, before: Review, fields: Mapping[str, Any], now: datetime) -> Review:
        after = before.rewritten(fields, now)
        if after is not before:
            await work.stores.reviews.forget_marks(after.id)
            await work.stores.reviews.save(after)
        return after

    async def _add(self, work: MarketplaceWork, project: Project, by: Principal, fields: Mapping[str, Any]) -> Review:
        now = self.clock.now()
        new = Review(
            id=ReviewId(new_id("rev")),
            project_id=project.id,
            author_id=by.id,
            created_at=now,
            updated_at=now,
            **fields,
        )
        await work.stores.reviews.add(new)
        return new


def _require(action: WordsAction, by: Principal, review: Review, author_handle: str, project: Project) -> None:
    name = review_subject(review, author_handle, project.slug).name
    policy.require_with_words(action, by, review.author_id, review.hold, name)


async def _may_review(stores: Stores, project: Project, by: Principal) -> bool:
    if not by.is_user or project.owner_id == by.id:
        return False
    return await _has_used(stores, project, by)


async def _has_used(stores: Stores, project: Project, by: Principal) -> bool:
    if await stores.reviews.has_used(project.id, by.id):
        return True
    return await stores.entitlements.active_of(by.id, project.id) is not None


def _written(project: Project, review: Review, author: Profile, at: datetime) -> NoticeGiven:
    return NoticeGiven(
        kind=NoticeKind.REVIEW_WRITTEN,
        # Taking it back and writing again is no news.
        key=f"{project.id}:reviewed:{review.author_id}",
        recipient_ids=(UserId(project.owner_id),),
        title=f"{author.display_name} has reviewed {project.title}",
        body=review.title,
        path=page_of_project(project.slug),
        at=at,
    )


def _replied(project: Project, review: Review, at: datetime) -> NoticeGiven:
    return NoticeGiven(
        kind=NoticeKind.REVIEW_REPLIED,
        key=f"{review.id}:replied",
        recipient_ids=(UserId(review.author_id),),
        title=f"The owner of {project.title} has replied to your review",
        path=page_of_project(project.slug),
        at=at,
    )
