"""The bulk door: good lines come in, bad ones are told with their reason, and neither stops the other."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from opencode.kernel.clock import ManualClock
from opencode.modules.marketplace.settings import MarketplaceSettings
from opencode.modules.marketplace.store.projects import ProjectStore
from tests.modules.marketplace.conftest import PROJECTS, Json, Market, Person, draft

IMPORT = f"{PROJECTS}/import"


async def imported(market: Market, *lines: object, by: Person | None = None) -> Json:
    """Import these lines, and what is said of it afterwards."""
    person = by or market.administrator()
    begun = await person.import_lines(*lines)
    assert begun.status_code == 202, begun.text
    assert begun.json()["state"] == "running"
    await market.module.importing.finished()
    await market.deliver()
    await asyncio.sleep(0.05)
    ended = await person.get(f"{IMPORT}/{begun.json()['id']}")
    assert ended.status_code == 200
    return ended.json()


async def test_good_lines_are_found_and_each_bad_one_is_told_with_its_reason(market: Market) -> None:
    ended = await imported(
        market,
        draft("Engine"),
        b"{not json",
        {"title": "Loom", "technologies": ["Jacquard"], "owner": "joseph"},
        {"title": ""},
        b"",
        {"title": "x", "licence": "MIT"},
        {"title": "x", "license": "MTI", "price": -1},
        b"[]",
        {"title": "Orrery", "stars": -1},
        {"title": "Orrery", "created_at": "2030-01-01T00:00:00Z"},
        {"title": "Orrery", "owner": "Not A Handle"},
        b'{"title": "\xff"}',
    )
    assert (ended["state"], ended["lines"], ended["imported"], ended["refused"]) == ("done", 11, 2, 9)
    reasons = {refused["line"]: refused["reason"] for refused in ended["refusals"]}
    assert list(reasons) == [2, 4, 6, 7, 8, 9, 10, 11, 12]
    assert "JSON" in reasons[2]
    assert "title must have 1 to 120 characters" in reasons[4]
    assert "licence" in reasons[6]
    assert "license" in reasons[7]
    assert "price" in reasons[7]
    nobody = market.nobody()
    assert {item["slug"] for item in (await nobody.search())["items"]} == {"charles.engine", "joseph.loom"}
    assert await nobody.names(technologies=["jacquard"]) == ["loom"]
    assert (await nobody.get("/api/v1/users/joseph")).json()["projects_total"] == 1


async def test_what_was_counted_elsewhere_is_where_counting_goes_on(market: Market) -> None:
    moment = "2020-02-03T04:05:06Z"
    line = {"title": "Engine", "stars": 40, "downloads": 900, "repository_url": "https://x.example.org"}
    await imported(market, {**line, "created_at": moment, "name": "motor"}, {"title": "Loom"})
    path = f"{PROJECTS}/charles.motor"
    await market.member("Ada").put(f"{path}/star")
    await market.nobody().post(f"{path}/downloads")
    seen = (await market.nobody().get(path)).json()
    assert (seen["stars"], seen["downloads"], seen["created_at"], seen["updated_at"]) == (41, 901, moment, moment)
    assert await market.nobody().names(sort="popularity") == ["motor", "loom"]


async def test_equal_titles_get_numbers_and_a_name_that_is_taken_is_refused(market: Market) -> None:
    root = market.administrator("Root")
    same = [{"title": "Engine"}] * 1200
    ended = await imported(market, *same, {"title": "Loom", "name": "engine-7"}, by=root)
    assert (ended["imported"], ended["refused"]) == (1200, 1)
    assert "engine-7" in ended["refusals"][0]["reason"]
    own = {item["name"] for item in (await root.get("/api/v1/me/projects", limit=200)).json()["items"]}
    assert len(own) == 200
    assert (await root.get(f"{PROJECTS}/root-1.engine-1200")).status_code == 200


async def test_two_lines_that_ask_for_one_name_get_it_once(market: Market) -> None:
    ended = await imported(market, {"title": "A", "name": "same"}, {"title": "B", "name": "same"}, {"title": "Same"})
    assert (ended["imported"], ended["refused"]) == (2, 1)
    assert {item["name"] for item in (await market.nobody().search())["items"]} == {"same", "same-2"}


async def test_of_many_refused_lines_all_are_counted_and_a_thousand_told(market: Market) -> None:
    ended = await imported(market, *([b"nonsense"] * 1700), {"title": "Engine"})
    assert (ended["lines"], ended["imported"], ended["refused"]) == (1701, 1, 1700)
    assert [refused["line"] for refused in ended["refusals"]] == list(range(1, 1001))


async def test_drafts_may_be_imported_and_are_found_by_their_owner_only(market: Market) -> None:
    root = market.administrator()
    await imported(market, {"title": "Secret", "status": "draft"}, by=root)
    assert (await market.nobody().search())["total"] == 0
    assert (await root.get(f"{PROJECTS}/charles.secret")).json()["published_at"] is None


async def test_only_administrators_import_and_look_at_imports(market: Market) -> None:
    ended = await imported(market, {"title": "Engine"})
    for person, status in ((market.member(), 403), (market.nobody(), 401)):
        assert (await person.import_lines({"title": "x"})).status_code == status
        assert (await person.get(f"{IMPORT}/{ended['id']}")).status_code == status
    for unknown in ("imp_x", "nothing", ended["id"][:-1] + "!"):
        assert (await market.administrator().get(f"{IMPORT}/{unknown}")).status_code == 404


@pytest.mark.parametrize("body", [b"", b"\n\n  \n"])
async def test_an_import_without_lines_is_refused_and_the_next_one_is_not(market: Market, body: bytes) -> None:
    root = market.administrator()
    assert (await root.call("POST", IMPORT, content=body)).status_code == 400
    assert (await imported(market, {"title": "Engine"}, by=root))["imported"] == 1


@pytest.mark.parametrize("settings", [MarketplaceSettings(import_lines=3), MarketplaceSettings(import_bytes=80)])
async def test_an_import_that_is_too_large_is_refused_as_a_whole(market: Market) -> None:
    root = market.administrator()
    assert (await root.import_lines(*[{"title": "A rather long title"}] * 4)).status_code == 413
    assert (await root.search())["total"] == 0
    assert (await imported(market, {"title": "Engine"}, by=root))["imported"] == 1


async def test_a_second_import_waits_for_the_first(market: Market) -> None:
    root = market.administrator()
    answers = await asyncio.gather(*(root.import_lines(*[{"title": "Engine"}] * 600) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    await market.module.importing.finished()
    assert (await root.get(f"{PROJECTS}/charles.engine-600")).status_code == 200
    assert (await root.get(f"{PROJECTS}/charles.engine-601")).status_code == 404


async def test_a_server_that_stops_says_where_it_stopped(market: Market) -> None:
    root = market.administrator()
    begun = (await root.import_lines(*[{"title": "Engine"}] * 2600)).json()
    await market.module.importing.close()
    ended = (await root.get(f"{IMPORT}/{begun['id']}")).json()
    assert ended["state"] == "failed"
    assert f"after line {ended['imported']}" in ended["message"]
    assert ended["imported"] < 2600


async def test_an_import_whose_server_died_does_not_seem_to_run_for_ever(market: Market, clock: ManualClock) -> None:
    root = market.administrator()
    importing = market.module.importing

    async def body() -> AsyncIterator[bytes]:
        yield msgspec.json.encode({"title": "Engine"})

    assert root.principal
    importing._import = _never  # type: ignore[method-assign]
    begun = await importing.receive(root.principal, body())
    assert (await root.get(f"{IMPORT}/{begun.id}")).json()["state"] == "running"
    clock.advance(timedelta(minutes=2).total_seconds())
    died = (await root.get(f"{IMPORT}/{begun.id}")).json()
    assert died["state"] == "failed"
    assert "stopped" in died["message"]


async def _never(*_: object) -> None:
    """A server that dies at once."""


async def test_people_publish_while_an_import_runs_and_neither_loses_anything(market: Market) -> None:
    root = market.administrator("Ada")
    begun = await root.import_lines(*[{"title": "Engine"}] * 1500)
    made = [await root.create("Engine") for _ in range(10)]
    await market.module.importing.finished()
    ended = (await root.get(f"{IMPORT}/{begun.json()['id']}")).json()
    assert (ended["state"], ended["imported"]) == ("done", 1500)
    assert len({project["slug"] for project in made}) == 10
    await market.deliver()
    async with asyncio.timeout(10):
        while (await root.search())["total"] != 1510:
            await asyncio.sleep(0.02)


class TestAmongAMillion:
    @pytest.fixture
    def database_kind(self) -> str:
        return "sqlite"

    async def test_an_import_does_not_slow_down_as_the_catalogue_grows(self, market: Market) -> None:
        asked: list[tuple[str, Any]] = []

        def note(_cursor: object, _connection: object, statement: str, values: Any, *_rest: object) -> None:
            if "asked" in statement:
                asked.append((statement, values))

        async with market.parts.database.read() as connection:
            pool = connection.engine.sync_engine
        event.listen(pool, "before_cursor_execute", note)
        async with market.parts.database.read() as connection:
            await ProjectStore(connection).taken([("usr_a", "engine"), ("usr_b", "loom")])
            ((statement, values),) = asked
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        steps = [row.detail for row in plan]
        assert any("SEARCH project_slugs" in step for step in steps), steps
