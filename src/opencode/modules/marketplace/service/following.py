"""FollowState people, projects and searches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opencode.contracts.notifications import NoticeGiven, NoticeKind
from opencode.kernel.ids import SearchId, UserId, is_id, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.addresses import page_of_person
from opencode.modules.marketplace.domain.following import (
    SEARCHES_PER_PERSON,
    Follow,
    FollowedSearch,
    FollowKind,
    checked_search,
)
from opencode.modules.marketplace.domain.profile import Profile
from opencode.modules.marketplace.domain.views import Card
from opencode.modules.marketplace.errors import FollowingTooMany, FollowingYourself, SearchNotFound
from opencode.modules.marketplace.policy import Action
from opencode.modules.marketplace.service.base import UseCases, require_good
from opencode.modules.marketplace.store import MarketplaceWork, Stores

_PEOPLE_AND_PROJECTS = (FollowKind.PERSON, FollowKind.PROJECT)


@dataclass(frozen=True, slots=True)
class FollowState:
    """Whether the caller follows something, and how many do."""

    following: bool
    followers: int


@dataclass(frozen=True, slots=True)
class Followed:
    """One thing that somebody follows: exactly one of person, card and search is there."""

    kind: FollowKind
    at: datetime
    person: Profile | None = None
    card: Card | None = None
    search: FollowedSearch | None = None


class Following(UseCases):
    async def of_person(self, handle: str, by: Principal) -> FollowState:
        """
        Raises:
            ProfileNotFound
        """
        async with self.reading() as stores:
            target = await self.person(stores, handle)
            return await _standing(stores, FollowKind.PERSON, target.user_id, by)

    async def of_project(self, slug: str, by: Principal) -> FollowState:
        """
        Raises:
            ProjectNotFound
        """
        async with self.reading() as stores:
            project = (await self.find(stores, slug)).project
            policy.require(Action.SEE, by, project)
            return await _standing(stores, FollowKind.PROJECT, project.id, by)

    async def follow_person(self, handle: str, by: Principal, *, wanted: bool) -> FollowState:
        """
        Follow somebody, or stop; twice is the same as once. They are told the first time.

        Raises:
            ProfileNotFound, FollowingYourself, FollowingTooMany, ActsTooFast, Unauthenticated, …
        """
        policy.require_writer(by)
        await self.slow_down(by)
        follower = await self.own_profile(by)
        async with self.unit_of_work() as work:
            target = await self.person(work.stores, handle)
            if target.user_id == by.id:
                raise FollowingYourself
            if await self._set(work, FollowKind.PERSON, target.user_id, by, wanted=wanted):
                work.publish(_followed(target, follower, self.clock.now()))
            return await _standing(work.stores, FollowKind.PERSON, target.user_id, by)

    async def follow_project(self, slug: str, by: Principal, *, wanted: bool) -> FollowState:
        """
        Follow a project, or stop; twice is the same as once.

        Raises:
            ProjectNotFound, NotPublished, FollowingTooMany, ActsTooFast, Unauthenticated, …
        """
        await self.slow_down(by)
        async with self.unit_of_work() as work:
            project = (await self.find(work.stores, slug)).project
            policy.require(Action.FOLLOW, by, project)
            await self._set(work, FollowKind.PROJECT, project.id, by, wanted=wanted)
            return await _standing(work.stores, FollowKind.PROJECT, project.id, by)

    async def follow_search(self, by: Principal, values: Mapping[str, Any]) -> FollowedSearch:
        """
        Be told of new projects that fit a search. One that asks for the same as an earlier one is that one.

        Args:
            values: the fields, as `domain.following.checked_search` takes them.

        Raises:
            ProjectRefused, FollowingTooMany, ActsTooFast, Unauthenticated, …
        """
        policy.require_writer(by)
        fields, problems = checked_search(values)
        require_good(problems)
        await self.slow_down(by)
        new = FollowedSearch(id=SearchId(new_id("sea")), user_id=by.id, created_at=self.clock.now(), **fields)
        async with self.unit_of_work() as work:
            followed = await work.stores.following.add_search(new)
            # Counted afterwards: following the same again is nothing more, also for who follows the most there can be.
            if await work.stores.following.count_of(by.id, [FollowKind.SEARCH]) > SEARCHES_PER_PERSON:
                raise FollowingTooMany(SEARCHES_PER_PERSON, "searches")
        return followed

    async def unfollow_search(self, search_id: str, by: Principal) -> None:
        """
        Raises:
            SearchNotFound, Unauthenticated, …
        """
        policy.require_writer(by)
        if not is_id(search_id, "sea"):
            raise SearchNotFound(search_id)
        async with self.unit_of_work() as work:
            if not await work.stores.following.remove_search(search_id, by.id):
                raise SearchNotFound(search_id)

    async def list_own(self, by: Principal, wanted: PageRequest, kind: FollowKind | None = None) -> Page[Followed]:
        """What the caller follows, the latest first; what others may no longer see is left out."""
        policy.require_account(by)
        async with self.reading() as stores:
            page = await stores.following.page_of(by.id, kind, wanted)
            people = await stores.profiles.of_all(_targets(page, FollowKind.PERSON))
            cards = await stores.projects.public_cards(_targets(page, FollowKind.PROJECT))
            searches = await stores.following.searches(_targets(page, FollowKind.SEARCH))
        found = [
            Followed(
                follow.kind,
                follow.at,
                people.get(follow.target_id),
                cards.get(follow.target_id),
                searches.get(follow.target_id),
            )
            for follow in page.items
        ]
        return Page([each for each in found if each.person or each.card or each.search], page.next_cursor)

    async def _set(
        self, work: MarketplaceWork, kind: FollowKind, target_id: str, by: Principal, *, wanted: bool
    ) -> bool:
        """Returns whether the caller follows it from now on."""
        if not wanted:
            await work.stores.following.remove(kind, target_id, by.id)
            return False
        if not await work.stores.following.add(kind, target_id, by.id, self.clock.now()):
            return False
        most = self.settings.follows_per_person
        if await work.stores.following.count_of(by.id, _PEOPLE_AND_PROJECTS) > most:
            raise FollowingTooMany(most, "people and projects")
        return True


async def _standing(stores: Stores, kind: FollowKind, target_id: str, by: Principal) -> FollowState:
    following = by.is_user and await stores.following.is_following(kind, target_id, by.id)
    return FollowState(following, await stores.following.followers(kind, target_id))


def _targets(page: Page[Follow], kind: FollowKind) -> list[str]:
    return [follow.target_id for follow in page.items if follow.kind is kind]


def _followed(target: Profile, follower: Profile, at: datetime) -> NoticeGiven:
    return NoticeGiven(
        kind=NoticeKind.PERSON_FOLLOWED,
        # Stopping and following again is no news.
        key=f"{target.user_id}:followed:{follower.user_id}",
        recipient_ids=(UserId(target.user_id),),
        title=f"{follower.display_name} follows you",
        path=page_of_person(follower.handle),
        at=at,
    )
