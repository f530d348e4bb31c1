"""What the marketplace's stores promise, the same on both databases."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from opencode.infra.db import Database
from opencode.kernel.ids import ProjectId, new_id
from opencode.modules.marketplace.domain.counting import Kind, Visitor, fact_of
from opencode.modules.marketplace.domain.money import FREE
from opencode.modules.marketplace.domain.profile import Profile
from opencode.modules.marketplace.domain.project import Counters, Project, ProjectStatus
from opencode.modules.marketplace.domain.ranking import STAR_WEIGHT, trend
from opencode.modules.marketplace.domain.readings import MOST_DRAFTS
from opencode.modules.marketplace.errors import HandleTaken, NameTaken
from opencode.modules.marketplace.store import Stores, reading
from opencode.modules.marketplace.store.tables import counters, days, interactions, stars

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def profile(handle: str = "ada", user_id: str = "usr_ada") -> Profile:
    return Profile(user_id=user_id, handle=handle, display_name=handle.title(), created_at=NOW, updated_at=NOW)


def project(name: str = "engine", owner_id: str = "usr_ada", **fields: object) -> Project:
    new = Project(
        id=ProjectId(new_id("prj")),
        owner_id=owner_id,
        handle=owner_id.removeprefix("usr_"),
        name=name,
        title=name.title(),
        summary="",
        description="",
        technologies=("Python", "Ünïcode"),
        license="MIT",
        price=FREE,
        repository_url=None,
        demo_url=None,
        documentation_url=None,
        tags=(),
        status=ProjectStatus.PUBLISHED,
        featured=False,
        revision=1,
        created_at=NOW,
        updated_at=NOW,
        published_at=NOW,
    )
    return replace(new, **fields)


@pytest.fixture
async def one(database: Database) -> Project:
    """Ada's engine, stored."""
    new = project()
    async with database.begin() as connection:
        stores = Stores(connection)
        await stores.profiles.add([profile()])
        await stores.projects.add([(new, Counters())])
    return new


async def test_a_project_comes_back_as_it_was_stored(database: Database, one: Project) -> None:
    async with reading(database) as stores:
        found = await stores.projects.find("ada", "engine")
        assert found
        assert (found.project, found.counters, found.owner_name) == (one, Counters(), "Ada")
        assert await stores.projects.get(one.id) == found
        assert await stores.projects.all_of([one.id, ProjectId("prj_unknown")]) == [found]


async def test_every_name_and_handle_that_there_was_leads_to_the_project(database: Database, one: Project) -> None:
    async with database.begin() as connection:
        stores = Stores(connection)
        renamed = replace(one, name="motor")
        await stores.projects.rename(renamed)
        await stores.projects.save(renamed)
        await stores.profiles.save(replace(profile(), handle="countess"))
    async with reading(database) as stores:
        for handle in ("ada", "countess"):
            for name in ("engine", "motor"):
                found = await stores.projects.find(handle, name)
                assert found
                assert found.project.slug == "countess.motor"
        assert await stores.projects.find("grace", "engine") is None


async def test_a_name_is_unique_among_one_owners_projects_only(database: Database, one: Project) -> None:
    async with database.begin() as connection:
        stores = Stores(connection)
        await stores.profiles.add([profile("grace", "usr_grace")])
        await stores.projects.add([(project(owner_id="usr_grace"), Counters())])
    with pytest.raises(NameTaken):
        async with database.begin() as connection:
            await Stores(connection).projects.add([(project(), Counters())])
    with pytest.raises(HandleTaken):
        async with database.begin() as connection:
            await Stores(connection).profiles.add([profile("ada", "usr_other")])
    assert one.name == "engine"


async def test_free_names_skip_whatever_is_taken_also_by_each_other(database: Database, one: Project) -> None:
    async with database.begin() as connection:
        stores = Stores(connection)
        await stores.projects.add([(project(f"engine-{number}"), Counters()) for number in (2, 3, 5)])
        asked = [("usr_ada", "engine")] * 3 + [("usr_ada", "loom"), ("usr_ada", "loom"), ("usr_b", "engine")]
        given_names = await stores.projects.free_names(asked, [("usr_ada", "engine-6")])
        assert given_names == ["engine-4", "engine-7", "engine-8", "loom", "loom-2", "engine"]
    assert one


async def test_cards_are_of_published_projects_only(database: Database, one: Project) -> None:
    hidden = [project(f"x-{status}", status=status) for status in (ProjectStatus.DRAFT, ProjectStatus.ARCHIVED)]
    async with database.begin() as connection:
        await Stores(connection).projects.add([(each, Counters()) for each in hidden])
    async with reading(database) as stores:
        assert list(await stores.projects.cards([one.id, *(each.id for each in hidden)])) == [one.id]
        assert [shown.project for shown in await stores.projects.listed_after("", 10)] == [one]
        assert await stores.projects.listed_after(one.id, 10) == []


async def test_a_deleted_project_leaves_nothing_behind(database: Database, one: Project) -> None:
    async with database.begin() as connection:
        stores = Stores(connection)
        await stores.counting.note([fact_of(Kind.VIEW, one.id, Visitor("x"), NOW, salt="s")])
        await stores.counting.star(one.id, "usr_grace", wanted=True, at=NOW)
        await stores.projects.delete(one.id)
        for table in (stars, interactions, counters, days):
            left = await connection.execute(delete(table))
            assert left.rowcount == 0, table.name
        assert await stores.projects.find("ada", "engine") is None
        assert await stores.counting.note([fact_of(Kind.VIEW, one.id, Visitor("y"), NOW, salt="s")]) == {}


_events = st.lists(
    st.tuples(
        st.sampled_from(list(Kind)),
        st.integers(0, 2),  # the project
        st.sampled_from(["ada", "grace", "Examplebot/1.0"]),
        st.integers(0, 30),  # the hour
        st.sampled_from([None, "k1", "k2"]),
    ),
    max_size=40,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(_events, max_size=4))
async def test_counters_and_days_are_what_a_set_of_facts_would_be(
    database: Database, batches: list[list[tuple[Kind, int, str, int, str | None]]]
) -> None:
    new = [project(f"p-{new_id('prj')[-12:].lower()}") for _ in range(3)]
    async with database.begin() as connection:
        stores = Stores(connection)
        if await stores.profiles.of("usr_ada") is None:
            await stores.profiles.add([profile()])
        await stores.projects.add([(each, Counters()) for each in new])
    known: dict[str, tuple[ProjectId, str, int]] = {}
    for batch in batches:
        facts = [
            fact_of(kind, new[number].id, Visitor(who, who), NOW + timedelta(hours=hour), salt="s", key=key)
            for kind, number, who, hour, key in batch
        ]
        for fact in facts:
            name = f"{'robot_' if fact.robot else ''}{fact.kind}s"
            known.setdefault(fact.id, (fact.project_id, name, fact.day))
        async with database.begin() as connection:
            await Stores(connection).counting.note(facts)
            await Stores(connection).counting.note(facts)
    totals = Counter((project_id, name) for project_id, name, _ in known.values())
    daily = Counter(known.values())
    async with reading(database) as stores:
        counted = await stores.counting.of([each.id for each in new])
        for each in new:
            series = await stores.counting.days_of(each.id, 0)
            for name in ("downloads", "views", "robot_downloads", "robot_views"):
                assert getattr(counted[each.id], name) == totals[each.id, name]
                for day, values in series.items():
                    assert values[name] == daily[each.id, name, day]


async def test_the_trend_follows_the_formula_and_robots_and_looks_do_not_move_it(
    database: Database, one: Project
) -> None:
    later = NOW + timedelta(days=3)
    async with database.begin() as connection:
        counting = Stores(connection).counting
        await counting.note([fact_of(Kind.VIEW, one.id, Visitor("x"), NOW, salt="s")])
        await counting.note([fact_of(Kind.DOWNLOAD, one.id, Visitor("robot", "a bot"), NOW, salt="s")])
        assert (await counting.of([one.id]))[one.id].trend is None
        await counting.note([fact_of(Kind.DOWNLOAD, one.id, Visitor("x"), NOW, salt="s")])
        await counting.star(one.id, "usr_grace", wanted=True, at=later)
        found = (await counting.of([one.id]))[one.id].trend
    expected = trend(trend(float("-inf"), 1, NOW.timestamp()), STAR_WEIGHT, later.timestamp())
    assert found == pytest.approx(expected)


async def test_the_latest_hundred_drafts_of_a_person_are_kept(database: Database) -> None:
    async with database.begin() as connection:
        drafts = Stores(connection).readings
        await drafts.note_draft("usr_grace", "https://code.test/0", {"summary": "hers"}, NOW)
        for number in range(MOST_DRAFTS + 2):
            at = NOW + timedelta(minutes=number)
            await drafts.note_draft("usr_ada", f"https://code.test/{number}", {"summary": str(number)}, at)
        for number, kept in ((0, False), (1, False), (2, True), (MOST_DRAFTS + 1, True)):
            assert bool(await drafts.of_draft("usr_ada", f"https://code.test/{number}")) is kept
        assert await drafts.of_draft("usr_grace", "https://code.test/0") == {"summary": "hers"}


async def test_what_was_read_for_a_draft_is_its_readers_and_the_last_that_was_read(database: Database) -> None:
    place, elsewhere = "https://code.test/a/b", "https://code.test/a/c"
    for day, prints in enumerate(({"summary": "one", "license": "two"}, {"summary": "three"})):
        async with database.begin() as connection:
            await Stores(connection).readings.note_draft("usr_ada", place, prints, NOW + timedelta(days=day))
    async with database.begin() as connection:
        drafts = Stores(connection).readings
        assert await drafts.of_draft("usr_ada", place) == {"summary": "three"}
        assert await drafts.of_draft("usr_ada", elsewhere) == await drafts.of_draft("usr_grace", place) == {}
        assert not await drafts.any_draft_before(NOW + timedelta(days=1))
        await drafts.forget_drafts_before(NOW + timedelta(days=1))
        assert await drafts.of_draft("usr_ada", place) == {"summary": "three"}
        await drafts.forget_drafts_before(NOW + timedelta(days=1, seconds=1))
        assert await drafts.of_draft("usr_ada", place) == {}
