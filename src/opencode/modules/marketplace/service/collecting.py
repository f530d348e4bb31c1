"""Collections: making them, changing them, and what is in them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opencode.infra.db import fingerprint
from opencode.kernel.ids import CollectionId, is_id, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.collection import (
    MAX_ITEMS,
    Collection,
    Item,
    ShownCollection,
    ShownItem,
    checked_collection,
    checked_note,
    placed,
)
from opencode.modules.marketplace.errors import (
    CollectionFull,
    CollectionNotFound,
    ItemNotFound,
    SameKeyOtherProject,
    TooManyCollections,
)
from opencode.modules.marketplace.policy import Action
from opencode.modules.marketplace.service.base import UseCases, require_current, require_good
from opencode.modules.marketplace.store import Stores


class Collecting(UseCases):
    async def create(self, by: Principal, values: Mapping[str, Any], *, key: str | None = None) -> ShownCollection:
        """
        Args:
            values: `title`, `description` and `visibility`.
            key: the caller's `Idempotency-Key`; the same request with the same key makes nothing new for a day.

        Raises:
            ProjectRefused, TooManyCollections, SameKeyOtherProject, ActsTooFast, Unauthenticated, …
        """
        policy.require_writer(by)
        fields, problems = checked_collection(values)
        require_good(problems)
        print_of_request = fingerprint(values)
        if key and (earlier := await self._made_before(by, key, print_of_request)):
            return earlier
        await self.slow_down(by)
        owner = await self.own_profile(by)
        now = self.clock.now()
        new = Collection(
            id=CollectionId(new_id("col")), owner_id=by.id, revision=1, created_at=now, updated_at=now, **fields
        )
        try:
            async with self.unit_of_work() as work:
                if await work.stores.collections.count_of(by.id) >= self.settings.collections_per_person:
                    raise TooManyCollections(self.settings.collections_per_person)
                await work.stores.collections.add(new)
                if key:
                    await work.stores.requests.add(by.id, key, print_of_request, new.id, now)
        except BaseException:
            # The same request may have come twice at the same moment; the other one made it then.
            if key and (earlier := await self._made_before(by, key, print_of_request)):
                return earlier
            raise
        return ShownCollection(new, owner.handle, owner.display_name, 0)

    async def get(self, collection_id: str, by: Principal) -> ShownCollection:
        """
        Raises:
            CollectionNotFound: there is none, or a private one of somebody else.
        """
        async with self.reading() as stores:
            return await _found(stores, collection_id, by)

    async def change(
        self, collection_id: str, by: Principal, values: Mapping[str, Any], *, if_match: str | None = None
    ) -> ShownCollection:
        """
        Raises:
            CollectionNotFound, NotYourCollection, ProjectOutdated, ProjectRefused, ActsTooFast, Unauthenticated, …
        """
        policy.require_account(by)
        fields, problems = checked_collection(values)
        await self.slow_down(by)
        async with self.unit_of_work() as work:
            shown = await _to_change(work.stores, collection_id, by, if_match)
            require_good(problems)
            after = shown.collection.changed(fields, self.clock.now())
            if after is not shown.collection:
                await work.stores.collections.save(after)
        return replace(shown, collection=after)

    async def delete(self, collection_id: str, by: Principal, *, if_match: str | None = None) -> None:
        """
        Raises:
            CollectionNotFound, NotYourCollection, ProjectOutdated, Unauthenticated, …
        """
        async with self.unit_of_work() as work:
            shown = await _to_change(work.stores, collection_id, by, if_match)
            await work.stores.collections.delete(shown.collection.id)

    async def list_own(
        self, by: Principal, wanted: PageRequest, *, holding: str | None = None
    ) -> Page[ShownCollection]:
        """
        Args:
            holding: the slug of a project; only those that it is in.

        Raises:
            ProjectNotFound, Unauthenticated, Forbidden
        """
        policy.require_account(by)
        async with self.reading() as stores:
            project = (await self.find(stores, holding)).project if holding is not None else None
            if project is not None:
                policy.require(Action.SEE, by, project)
            project_id = project.id if project else None
            return await stores.collections.page_of(by.id, wanted, public_only=False, holding=project_id)

    async def list_of(self, handle: str, wanted: PageRequest) -> Page[ShownCollection]:
        """
        Public ones.

        Raises:
            ProfileNotFound
        """
        async with self.reading() as stores:
            owner = await self.person(stores, handle)
            return await stores.collections.page_of(owner.user_id, wanted, public_only=True)

    async def list_items(self, collection_id: str, by: Principal, wanted: PageRequest) -> Page[ShownItem]:
        """
        In their order; projects that not everybody may see are left out.

        Raises:
            CollectionNotFound
        """
        async with self.reading() as stores:
            shown = await _found(stores, collection_id, by)
            page = await stores.collections.page_of_items(shown.collection.id, wanted)
            cards = await stores.projects.public_cards([item.project_id for item, _ in page.items])
        there = [(item, position) for item, position in page.items if item.project_id in cards]
        return Page([ShownItem(item, position, cards[item.project_id]) for item, position in there], page.next_cursor)

    async def put_item(
        self,
        collection_id: str,
        slug: str,
        by: Principal,
        *,
        note: str | None,
        position: int | None,
        if_match: str | None = None,
    ) -> tuple[ShownItem, Collection, bool]:
        """
        Put a project into a collection, or change its note or position there; None leaves each as it is.

        Returns:
            The item, the collection, and whether the project is new in it.

        Raises:
            CollectionNotFound, NotYourCollection, ProjectOutdated, CollectionFull, ProjectNotFound, NotPublished, …
        """
        policy.require_account(by)
        kept_note, problems = checked_note(note or "")
        await self.slow_down(by)
        now = self.clock.now()
        async with self.unit_of_work() as work:
            collection = (await _to_change(work.stores, collection_id, by, if_match)).collection
            project = (await self.find(work.stores, slug)).project
            policy.require(Action.COLLECT, by, project)
            require_good(problems)
            before = await work.stores.collections.items(collection.id)
            current = next((item for item in before if item.project_id == project.id), None)
            if current is None and len(before) >= MAX_ITEMS:
                raise CollectionFull(MAX_ITEMS)
            wanted = current or Item(project.id, len(before), "", now)
            wanted = wanted if note is None else replace(wanted, note=kept_note)
            after = placed(before, wanted, position)
            if after != before:
                await work.stores.collections.save_items(collection.id, before, after)
                collection = collection.touched(now)
                await work.stores.collections.save(collection)
            card = (await work.stores.projects.public_cards([project.id]))[project.id]
        item = next(each for each in after if each.project_id == project.id)
        return ShownItem(item, item.place, card), collection, current is None

    async def remove_item(self, collection_id: str, slug: str, by: Principal, *, if_match: str | None = None) -> None:
        """
        Raises:
            CollectionNotFound, NotYourCollection, ProjectOutdated, ProjectNotFound, ItemNotFound, Unauthenticated, …
        """
        async with self.unit_of_work() as work:
            collection = (await _to_change(work.stores, collection_id, by, if_match)).collection
            project = (await self.find(work.stores, slug)).project
            if not await work.stores.collections.remove_item(collection.id, project.id):
                raise ItemNotFound(slug)
            await work.stores.collections.save(collection.touched(self.clock.now()))

    async def _made_before(self, by: Principal, key: str, print_of_request: str) -> ShownCollection | None:
        async with self.reading() as stores:
            if (made := await stores.requests.find(by.id, key)) is None:
                return None
            earlier_print, collection_id = made
            if earlier_print != print_of_request:
                raise SameKeyOtherProject
            return await _found(stores, collection_id, by)


async def _found(stores: Stores, collection_id: str, by: Principal, *, to_change: bool = False) -> ShownCollection:
    is_one = is_id(collection_id, "col")
    shown = await stores.collections.get(collection_id, to_change=to_change) if is_one else None
    if shown is None:
        raise CollectionNotFound(collection_id)
    policy.require_collection(by, shown.collection, to_change=to_change)
    return shown


async def _to_change(stores: Stores, collection_id: str, by: Principal, if_match: str | None) -> ShownCollection:
    shown = await _found(stores, collection_id, by, to_change=True)
    require_current("The collection", shown.collection.revision, if_match)
    return shown
