"""What a server has read lately is never older than what it has heard."""

from datetime import UTC, datetime

from opencode.kernel.ids import ProjectId, new_id
from opencode.modules.marketplace.domain.money import Price
from opencode.modules.marketplace.domain.project import Counters, Project, ProjectStatus
from opencode.modules.marketplace.domain.views import Card, Shown
from opencode.modules.marketplace.service import memory
from opencode.modules.marketplace.service.memory import Memory
from tests.modules.marketplace.conftest import Market

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def shown(name: str, *, description: str = "", status: ProjectStatus = ProjectStatus.PUBLISHED) -> Shown:
    project = Project(
        id=ProjectId(new_id("prj")),
        owner_id=new_id("usr"),
        handle="ada",
        name=name,
        title=name,
        summary="",
        description=description,
        technologies=(),
        license="",
        price=Price(),
        repository_url=None,
        demo_url=None,
        documentation_url=None,
        tags=(),
        status=status,
        featured=False,
        revision=1,
        created_at=NOW,
        updated_at=NOW,
        published_at=NOW,
    )
    return Shown(project, Counters(), "Ada")


def card(of: Shown) -> Card:
    project = of.project
    return Card(
        id=project.id,
        slug=project.slug,
        name=project.name,
        title=project.title,
        summary="",
        owner_handle="ada",
        owner_name="Ada",
        technologies=(),
        license="",
        price=Price(),
        tags=(),
        status=project.status,
        stars=0,
        downloads=0,
        created_at=NOW,
        published_at=NOW,
        updated_at=NOW,
        featured=False,
    )


def test_what_changed_while_it_was_read_is_not_kept() -> None:
    known, engine, loom = Memory(), shown("engine"), shown("loom")
    with known.read() as changed:
        known.forget([engine.project.id])
        known.keep_cards({each.project.id: card(each) for each in (engine, loom)}, changed)
        known.keep_project(engine, changed)
        known.keep_project(loom, changed)
    assert known.cards([engine.project.id, loom.project.id]).keys() == {loom.project.id}
    assert known.project("ada.engine") is None
    assert known.project("ada.loom") is loom


def test_two_readers_at_once_each_hear_of_what_changed() -> None:
    known, engine = Memory(), shown("engine")
    with known.read() as first:
        with known.read() as second:
            pass
        known.count({engine.project.id: Counters(stars=1)})
        assert engine.project.id in first
        assert not second


def test_a_star_shows_in_what_is_kept() -> None:
    known, engine = Memory(), shown("engine")
    with known.read() as changed:
        known.keep_cards({engine.project.id: card(engine)}, changed)
        known.keep_project(engine, changed)
    known.count({engine.project.id: Counters(stars=3, downloads=7)})
    assert known.cards([engine.project.id])[engine.project.id].stars == 3
    found = known.project("ada.engine")
    assert found
    assert found.counters.downloads == 7


def test_a_project_with_another_slug_is_kept_under_that_one_only() -> None:
    known, engine = Memory(), shown("engine")
    known.keep_project(engine, ())
    moved = Shown(engine.project.changed({"name": "motor"}, NOW), engine.counters, engine.owner_name)
    known.keep_project(moved, ())
    assert known.project("ada.engine") is None
    assert known.project("ada.motor") is moved


def test_drafts_are_not_kept() -> None:
    known = Memory()
    known.keep_project(shown("engine", status=ProjectStatus.DRAFT), ())
    assert known.project("ada.engine") is None


def test_long_descriptions_push_out_what_was_asked_for_longest_ago() -> None:
    known = Memory()
    long = "x" * (memory.MOST_LETTERS // 2)
    for name in ("one", "two", "three"):
        known.keep_project(shown(name, description=long), ())
        known.project("ada.one")
    assert known.project("ada.one")
    assert known.project("ada.two") is None
    assert known.project("ada.three")
    known.forget_all()
    assert known.project("ada.one") is None


async def test_cards_show_the_name_that_a_person_has_now(market: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    assert (await ada.search())["items"][0]["owner"]["display_name"] == "Ada"
    assert (await ada.patch("/api/v1/users/ada", {"display_name": "Ada King"})).status_code == 200
    assert (await ada.search())["items"][0]["owner"]["display_name"] == "Ada King"


async def test_a_visitor_sees_a_change_and_a_star_at_once(market: Market) -> None:
    ada = market.member("Ada")
    slug = (await ada.create("Engine"))["slug"]
    nobody = market.nobody()
    assert (await nobody.get(f"/api/v1/projects/{slug}")).json()["stars"] == 0
    await ada.patch(f"/api/v1/projects/{slug}", {"summary": "Weaves algebra"})
    await ada.put(f"/api/v1/projects/{slug}/star")
    seen = (await nobody.get(f"/api/v1/projects/{slug}")).json()
    assert (seen["summary"], seen["stars"]) == ("Weaves algebra", 1)
    assert (await nobody.search())["items"][0]["stars"] == 1
    await ada.patch(f"/api/v1/projects/{slug}", {"status": "archived"})
    assert (await nobody.get(f"/api/v1/projects/{slug}")).json()["status"] == "archived"
    await ada.delete(f"/api/v1/projects/{slug}")
    assert (await nobody.get(f"/api/v1/projects/{slug}")).status_code == 404
