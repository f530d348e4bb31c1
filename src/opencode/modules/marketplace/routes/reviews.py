"""Reviews of projects."""

from typing import Annotated

from litestar import Controller, Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.domain.review import ReviewOrder
from opencode.modules.marketplace.schemas.reviews import HelpfulView, ReplyDraft, ReviewDraft, ReviewsView, ReviewView
from opencode.modules.marketplace.service.reviewing import Reviewing


class ReviewsController(Controller):
    path = "/api/v1"
    tags = ("Marketplace",)

    @get("/projects/{slug:str}/reviews", operation_id="list_reviews", summary="List reviews of a project")
    async def read(
        self,
        slug: FromPath[str],
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        reviewing: NamedDependency[Reviewing],
        sort: Annotated[ReviewOrder, QueryParameter(description="the order; all are descending")] = ReviewOrder.RECENT,
    ) -> ReviewsView:
        """`summary` counts all reviews; `own` is the caller's."""
        return ReviewsView.of(await reviewing.read(slug, principal, sort, page))

    @put("/projects/{slug:str}/review", operation_id="write_review", summary="Write one's review of a project")
    async def write(
        self,
        slug: FromPath[str],
        data: JSONBody[ReviewDraft],
        principal: NamedDependency[Principal],
        reviewing: NamedDependency[Reviewing],
    ) -> Response[ReviewView]:
        """For those who have downloaded or bought it. 201 for a first one, 200 in place of an earlier one."""
        shown, is_new = await reviewing.write(slug, principal, data.values())
        return Response(ReviewView.of(shown), status_code=201 if is_new else 200)

    @delete("/projects/{slug:str}/review", operation_id="delete_review", summary="Take one's review back")
    async def remove(
        self, slug: FromPath[str], principal: NamedDependency[Principal], reviewing: NamedDependency[Reviewing]
    ) -> None:
        await reviewing.delete(slug, principal)

    @put("/reviews/{review_id:str}/helpful", operation_id="mark_review_helpful", summary="Mark a review as helpful")
    async def mark(
        self, review_id: FromPath[str], principal: NamedDependency[Principal], reviewing: NamedDependency[Reviewing]
    ) -> HelpfulView:
        """Twice is the same as once."""
        return HelpfulView(True, await reviewing.mark_helpful(review_id, principal, wanted=True))

    @delete(
        "/reviews/{review_id:str}/helpful",
        operation_id="unmark_review_helpful",
        summary="Take a mark back",
        status_code=200,
    )
    async def unmark(
        self, review_id: FromPath[str], principal: NamedDependency[Principal], reviewing: NamedDependency[Reviewing]
    ) -> HelpfulView:
        return HelpfulView(False, await reviewing.mark_helpful(review_id, principal, wanted=False))

    @put("/reviews/{review_id:str}/reply", operation_id="reply_to_review", summary="Reply to a review of one's project")
    async def reply(
        self,
        review_id: FromPath[str],
        data: JSONBody[ReplyDraft],
        principal: NamedDependency[Principal],
        reviewing: NamedDependency[Reviewing],
    ) -> ReviewView:
        """There is one reply; another takes its place."""
        return ReviewView.of(await reviewing.reply(review_id, principal, data.body))

    @delete(
        "/reviews/{review_id:str}/reply", operation_id="delete_reply", summary="Take one's reply back", status_code=200
    )
    async def unreply(
        self, review_id: FromPath[str], principal: NamedDependency[Principal], reviewing: NamedDependency[Reviewing]
    ) -> ReviewView:
        return ReviewView.of(await reviewing.reply(review_id, principal, None))
