"""What many ask for is found once, and anew as soon as anything has changed."""

from collections.abc import Awaitable, Callable

import pytest

from opencode.kernel.ids import ProjectId, new_id
from opencode.modules.marketplace.adapters.catalog import AtOnce, EmbeddedCatalog
from opencode.modules.marketplace.domain.catalog import Filters, Found, Listing, Order, Search, Standing

FIRST = ProjectId(new_id("prj"))


class Counting(EmbeddedCatalog):
    """Tells how often it had to look."""

    looked = 0

    def search(self, search: Search) -> Found:
        self.looked += 1
        return super().search(search)


def listing(name: str, project_id: ProjectId | None = None) -> Listing:
    return Listing(project_id or ProjectId(new_id("prj")), name, name, "A loom.", "ada", 1, 1, standing=Standing())


async def filled() -> tuple[AtOnce, Counting]:
    catalog = Counting()
    index = AtOnce(lambda: catalog)
    await index.put([listing("loom", FIRST), *(listing(f"loom-{number}") for number in range(30))])
    return index, catalog


async def test_what_is_asked_again_is_not_looked_for_again() -> None:
    index, catalog = await filled()
    asked = Search("loo", Filters(license=None), Order.RELEVANCE)
    found = await index.search(asked)
    assert await index.search(Search("loo")) is found
    assert catalog.looked == 1
    for other in (Search("loo", limit=5), Search("loom"), Search("loo", order=Order.NAME)):
        assert await index.search(other) == catalog.search(other)


async def put(index: AtOnce) -> None:
    await index.put([listing("loom-new")])


async def remove(index: AtOnce) -> None:
    await index.remove([FIRST])


async def star(index: AtOnce) -> None:
    await index.stand([(FIRST, Standing(1e6, 1e6))])


@pytest.mark.parametrize("change", [put, remove, star])
async def test_after_a_change_nobody_is_told_what_was_before(change: Callable[[AtOnce], Awaitable[None]]) -> None:
    index, catalog = await filled()
    searches = [Search(text, order=order) for text in ("", "loom") for order in Order]
    before = [await index.search(each) for each in searches]
    await change(index)
    after = [await index.search(each) for each in searches]
    assert after == [catalog.search(each) for each in searches]
    assert after != before


async def test_answers_that_nobody_asks_for_again_make_room() -> None:
    index, catalog = await filled()
    for limit in range(1, 5_000):
        await index.search(Search("loom", limit=limit))
    catalog.looked = 0
    await index.search(Search("loom", limit=4_999))
    assert catalog.looked == 0
    await index.search(Search("loom", limit=1))
    assert catalog.looked == 1
