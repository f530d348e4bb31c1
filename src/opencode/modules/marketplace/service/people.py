"""Profiles: looking at people, and changing how one is seen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from opencode.contracts.marketplace import PersonRenamed, ProfileChanged
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.moderation import Case
from opencode.modules.marketplace.domain.profile import Profile, checked
from opencode.modules.marketplace.domain.reputation import Reputation
from opencode.modules.marketplace.domain.views import Card
from opencode.modules.marketplace.errors import NotYourProfile
from opencode.modules.marketplace.policy import WordsAction
from opencode.modules.marketplace.service.base import UseCases, require_current, require_good
from opencode.modules.marketplace.service.subjects import profile_subject
from opencode.modules.marketplace.store import Stores

SHOWN_PROJECTS = 20


@dataclass(frozen=True, slots=True)
class Person:
    """
    A profile as its page shows it: with the latest publications, and how many there are in all.

    Attributes:
        case: the one that keeps the profile out of sight, for whoever still sees it; None for all others.
    """

    profile: Profile
    reputation: int
    cards: list[Card]
    total: int
    case: Case | None = None


class People(UseCases):
    async def look(self, handle: str, by: Principal) -> Person:
        """
        Of a profile that moderators hold, only its owner and they see more than handle and name.

        Raises:
            ProfileNotFound
        """
        async with self.reading() as stores:
            person = await self._person(stores, await self.person(stores, handle))
        own = person.profile
        if policy.may_see_words(by, own.user_id, own.hold):
            return person
        return replace(person, profile=own.bare, case=None)

    async def reputation(self, handle: str) -> tuple[Profile, Reputation, datetime | None]:
        """
        What somebody's reputation is made of, and when it was computed; None when it was not yet.

        Raises:
            ProfileNotFound
        """
        async with self.reading() as stores:
            profile = await self.person(stores, handle)
            return (profile, *await stores.reputation.of(profile.user_id))

    async def myself(self, by: Principal) -> Person:
        """The caller's own profile; made when there is none yet."""
        policy.require_account(by)
        profile = await self.own_profile(by)
        async with self.reading() as stores:
            return await self._person(stores, profile)

    async def change(
        self, handle: str, by: Principal, values: Mapping[str, Any], *, if_match: str | None = None
    ) -> Person:
        """
        Change one's own profile. With another handle, all one's projects have other slugs; the old ones go on leading
        to them.

        Raises:
            ProfileNotFound, NotYourProfile, WordsHeld, ProjectRefused, HandleTaken, ProjectOutdated
        """
        policy.require_writer(by)
        fields, problems = checked(values)
        await self.brake(by)
        async with self.unit_of_work() as work:
            before = await self.person(work.stores, handle, to_change=True)
            if before.user_id != by.id:
                raise NotYourProfile(before.handle)
            name = profile_subject(before).name
            policy.require_with_words(WordsAction.CHANGE, by, before.user_id, before.hold, name)
            require_good(problems)
            require_current(f"The profile {before.handle}", before.revision, if_match)
            after = before.changed(fields, self.clock.now())
            if after is not before:
                await work.stores.profiles.save(after)
            if renamed := (after.handle, after.display_name) != (before.handle, before.display_name):
                await work.stores.projects.outdate_all_of(by.id)
                work.publish(PersonRenamed(user_id=by.id, at=after.updated_at))
            elif after is not before:
                work.publish(ProfileChanged(user_id=by.id, at=after.updated_at))
            person = await self._person(work.stores, after)
            ids = await work.stores.projects.ids_of(by.id) if renamed else []
        await self.catalogue.catch_up(ids)
        return person

    async def welcome(self, user_id: str) -> None:
        """Make the profile of a new account."""
        names = await self.identity.display_names(frozenset({user_id}))
        if user_id in names:
            await self.profile_of(user_id, names[user_id])

    async def tell_renamed(self, user_id: str) -> None:
        """Let every process look at the projects of somebody who has another handle or name."""
        async with self.reading() as stores:
            ids = await stores.projects.ids_of(user_id)
        await self.catalogue.tell(ids)

    async def _person(self, stores: Stores, profile: Profile) -> Person:
        return Person(
            profile,
            (await stores.reputation.of(profile.user_id))[0].score,
            await stores.projects.newest_cards_of(profile.user_id, SHOWN_PROJECTS),
            await stores.projects.count_of(profile.user_id, listed=True),
            await stores.moderation.of_subject(profile_subject(profile)) if profile.hold else None,
        )
