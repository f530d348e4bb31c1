"""One promise of the limits that administrators set, kept in SQLite, in PostgreSQL and in memory."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from opencode.infra.db import Database
from opencode.kernel.ids import new_id
from opencode.modules.ai.domain.configuration.model import Budget, Limits, Period
from opencode.modules.ai.domain.setting import LimitShelf, StoredLimits, Whose
from opencode.modules.ai.store import writing
from tests.doubles.limits import LimitsInMemory

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
FULL = Limits(60, 1_000, 2, Budget(12.5, Period.WEEK))


@pytest.fixture(params=["memory", "database"])
async def shelf(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[LimitShelf]:
    if request.param == "memory":
        yield LimitsInMemory()
        return
    async with writing(database) as stores:
        yield stores.limits


def stored(words: str, limits: Limits = FULL) -> StoredLimits:
    return StoredLimits(Whose.of_words(words), limits, new_id("lim"), "usr_admin", NOW)


async def test_what_is_added_is_there_and_nobody_adds_it_twice(shelf: LimitShelf) -> None:
    everybody, lab, ann = stored("everybody", Limits()), stored("team:lab"), stored("person:usr_ann")
    for each in (lab, everybody, ann):
        assert await shelf.add(each)
        assert not await shelf.add(stored(each.whose.words))
    assert await shelf.all() == [everybody, ann, lab]
    assert (await shelf.find(ann.whose), await shelf.count()) == (ann, 3)
    assert await shelf.find(Whose.of_words("team:ann")) is None


async def test_a_change_is_made_of_what_was_read_or_not_at_all(shelf: LimitShelf) -> None:
    first = stored("person:usr_ann")
    await shelf.add(first)
    second = replace(first, limits=Limits(1), version=new_id("lim"))
    assert await shelf.change(first, second)
    assert not await shelf.change(first, stored("person:usr_ann", Limits(2)))
    assert not await shelf.delete(first)
    assert await shelf.all() == [second]
    assert await shelf.delete(second)
    assert not await shelf.delete(second)
    assert not await shelf.change(second, first), "what was taken away does not come back"
    assert await shelf.count() == 0


async def test_what_is_there_again_is_not_what_was_there_before(shelf: LimitShelf) -> None:
    first, again = stored("team:lab"), stored("team:lab")
    await shelf.add(first)
    await shelf.delete(first)
    await shelf.add(again)
    assert not await shelf.delete(first)
    assert await shelf.find(first.whose) == again
