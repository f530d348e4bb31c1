"""The index and the database agree; where they do not it is found out and mended, and a rebuild loses nothing."""

import asyncio
from dataclasses import replace

import pytest

from opencode.infra.observability import metrics
from opencode.infra.pubsub.base import MAILBOX_MESSAGES
from opencode.kernel.clock import ManualClock
from opencode.modules.marketplace.domain.catalog import Listing, Standing
from opencode.modules.marketplace.domain.project import listing_of
from opencode.modules.marketplace.service import catalogue as catalogue_service
from opencode.modules.marketplace.service import comparing
from opencode.modules.marketplace.store import reading
from tests.modules.marketplace.conftest import PROJECTS, Json, Market, Person

CATALOGUE = "/api/v1/marketplace/catalogue"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is on its way in most of these tests, so nothing need be waited for."""
    monkeypatch.setattr(comparing, "PATIENCE_S", 0.0)


async def checked(market: Market) -> Json:
    answer = await market.administrator().get(f"{CATALOGUE}/check")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def listing(market: Market, made: Json) -> Listing:
    async with reading(market.parts.database) as stores:
        (shown,) = await stores.projects.all_of([made["id"]])
    return replace(listing_of(shown.project), standing=shown.counters.standing)


async def test_what_was_made_changed_starred_and_withdrawn_agrees(market: Market) -> None:
    ada = market.member("Ada")
    for title in ("Engine", "Loom", "Secret", "Gone"):
        await ada.create(title, status="draft" if title == "Secret" else "published")
    await ada.patch(f"{PROJECTS}/ada.engine", {"summary": "Another summary."})
    await ada.put(f"{PROJECTS}/ada.loom/star")
    await ada.delete(f"{PROJECTS}/ada.gone")
    nothing = dict.fromkeys(("missing", "extra", "outdated", "standing"), 0)
    assert await checked(market) == {"agree": True, "projects": 2, "indexed": 2, "first": [], **nothing}


async def test_whatever_differs_is_counted_and_named(market: Market) -> None:
    ada = market.member("Ada")
    made = {title: await ada.create(title) for title in ("Missing", "Outdated", "Standing", "Fine")}
    index = market.index
    index.remove([made["Missing"]["id"]])
    index.put([replace(await listing(market, made["Outdated"]), tags=("other",))])
    index.stand([(made["Standing"]["id"], Standing(popularity=9.0))])
    ghost = replace(await listing(market, made["Fine"]), id="prj_" + "7" + "Z" * 25)
    index.put([ghost])
    found = await checked(market)
    assert not found["agree"]
    assert (found["projects"], found["indexed"]) == (4, 4)
    assert [found[what] for what in ("missing", "extra", "outdated", "standing")] == [1, 1, 1, 1]
    named = {each["project_id"]: each["what"] for each in found["first"]}
    ids = [made[title]["id"] for title in ("Missing", "Outdated", "Standing")]
    assert named == {**dict(zip(ids, ("missing", "outdated", "standing"), strict=True)), ghost.id: "extra"}
    assert metrics.CATALOGUE_DISAGREEMENTS._value.get() == 4


async def test_the_check_that_comes_by_itself_mends_single_projects(market: Market) -> None:
    ada = market.member("Ada")
    made = [await ada.create(title) for title in ("Engine", "Loom")]
    await ada.put(f"{PROJECTS}/ada.loom/star")
    market.index.remove([made[0]["id"]])
    market.index.stand([(made[1]["id"], Standing())])
    await market.module.errands.check_and_mend()
    assert metrics.CATALOGUE_DISAGREEMENTS._value.get() == 2
    assert await ada.names(sort="popularity") == ["loom", "engine"]
    await market.module.errands.check_and_mend()
    assert metrics.CATALOGUE_DISAGREEMENTS._value.get() == 0


@pytest.mark.parametrize("batch", [1, 2, 3])
async def test_it_is_compared_in_batches_of_any_size(
    market: Market, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    ada = market.member("Ada")
    made = [await ada.create(f"Engine {number}") for number in range(7)]
    some = await listing(market, made[0])
    ghosts = [replace(some, id=some.id[:-4] + letters) for letters in ("0000", "0001", "ZZZZ")]
    ghosts += [replace(some, id="prj_7" + letter * 25) for letter in "ABCDEFGHJKMNPQRST"]
    ghosts = [ghost for ghost in ghosts if ghost.id not in {each["id"] for each in made}]
    market.index.put(ghosts)
    market.index.remove([made[3]["id"]])
    monkeypatch.setattr(comparing, "BATCH", batch)
    found = await checked(market)
    assert (found["projects"], found["indexed"]) == (7, 6 + len(ghosts))
    assert (found["missing"], found["extra"], found["outdated"]) == (1, len(ghosts), 0)


async def test_what_is_on_its_way_is_no_disagreement(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = market.member("Ada")
    made = await ada.create("Engine")
    before = await listing(market, made)
    catalogue = market.module.catalogue
    look = comparing.Comparison._look

    async def look_before_it_arrives(*given: object) -> object:
        market.index.put([replace(before, title="As it was")])
        found = await look(*given)  # type: ignore[arg-type]
        await catalogue.refresh([before.id])
        return found

    monkeypatch.setattr(comparing.Comparison, "_look", look_before_it_arrives)
    assert (await checked(market))["agree"]


async def test_lost_messages_are_made_up_for_and_what_was_withdrawn_disappears(
    market: Market, other_server: Market
) -> None:
    ada = market.member("Ada")
    made = [await ada.create(title) for title in ("Engine", "Loom")]
    await other_server.module.catalogue.refresh([each["id"] for each in made])
    await ada.delete(f"{PROJECTS}/ada.engine")
    await ada.create("Mill")
    for _ in range(MAILBOX_MESSAGES + 1):  # nobody reads meanwhile: the mailbox overflows
        await market.parts.pubsub.publish("marketplace.catalogue", b"")
    nobody = Person(other_server.client, None, None)
    async with asyncio.timeout(5):
        while await nobody.names(sort="name") != ["loom", "mill"]:
            await asyncio.sleep(0.01)
    assert (await checked(other_server))["agree"]


async def test_a_rebuild_makes_everything_anew_and_tells_how_it_goes(market: Market) -> None:
    ada = market.member("Ada")
    made = await ada.create("Engine")
    await ada.create("Loom")
    market.index.put([replace(await listing(market, made), name="broken", title="broken")])
    before = market.index
    charles = market.administrator()
    answer = await charles.post(f"{CATALOGUE}/rebuild")
    assert answer.status_code == 202
    await market.module.errands.done()
    told = (await charles.get(f"{CATALOGUE}/rebuild/{answer.json()['id']}")).json()
    assert [(each["state"], each["projects"]) for each in told["processes"]] == [("done", 2)]
    assert market.index is not before
    assert await ada.names(q="broken") == []
    assert await ada.names(sort="name") == ["engine", "loom"]
    assert (await checked(market))["agree"]


async def test_every_server_rebuilds_when_one_is_asked(market: Market, other_server: Market) -> None:
    await market.member("Ada").create("Engine")
    charles = market.administrator()
    asked = (await charles.post(f"{CATALOGUE}/rebuild")).json()
    await other_server.module.errands.look()
    for server in (market, other_server):
        await server.module.errands.done()
    told = (await charles.get(f"{CATALOGUE}/rebuild/{asked['id']}")).json()
    assert [each["state"] for each in told["processes"]] == ["done", "done"]
    assert await Person(other_server.client, None, None).names() == ["engine"]


async def test_searches_are_answered_and_writes_are_kept_while_the_catalogue_is_rebuilt(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = market.member("Ada")
    for number in range(4):
        await ada.create(f"Engine {number}")
    monkeypatch.setattr(catalogue_service, "BATCH", 1)
    put, wrote = catalogue_service._put, False

    async def write_meanwhile(*given: object) -> None:
        nonlocal wrote
        await put(*given)  # type: ignore[arg-type]
        if not wrote:
            wrote = True
            writing.set()

    monkeypatch.setattr(catalogue_service, "_put", write_meanwhile)
    writing = asyncio.Event()
    rebuilding = asyncio.create_task(market.module.catalogue.rebuild())
    await writing.wait()
    assert len(await ada.names()) == 4
    # The first one has been read, the last one has not.
    for name in ("engine-0", "engine-3"):
        await ada.patch(f"{PROJECTS}/ada.{name}", {"title": f"Changed {name}"})
        await ada.put(f"{PROJECTS}/ada.{name}/star")
    await ada.delete(f"{PROJECTS}/ada.engine-1")
    await ada.create("Loom")
    await rebuilding
    assert set(await ada.names()) == {"engine-0", "engine-2", "engine-3", "loom"}
    assert set(await ada.names(q="changed")) == {"engine-0", "engine-3"}
    assert (await checked(market))["agree"]


async def test_only_administrators_look_after_the_catalogue(market: Market) -> None:
    for person, status in ((market.nobody(), 401), (market.member(), 403)):
        for answer in (
            await person.post(f"{CATALOGUE}/rebuild"),
            await person.get(f"{CATALOGUE}/rebuild/cat_00000000000000000000000000"),
            await person.get(f"{CATALOGUE}/check"),
        ):
            assert answer.status_code == status


async def test_a_rebuild_that_nobody_asked_for_is_not_found(market: Market) -> None:
    for made_up in ("cat_00000000000000000000000000", "x", "%00", "é"):
        answer = await market.administrator().get(f"{CATALOGUE}/rebuild/{made_up}")
        assert answer.status_code == 404, made_up


async def test_asking_twice_before_anybody_has_begun_is_asking_once(market: Market, clock: ManualClock) -> None:
    charles = market.administrator()
    async with market.module.catalogue._turn:  # the first rebuild waits for this
        first = (await charles.post(f"{CATALOGUE}/rebuild")).json()
        await asyncio.sleep(0)
        clock.advance(1)
        others = {(await charles.post(f"{CATALOGUE}/rebuild")).json()["id"] for _ in range(3)}
    assert len(others - {first["id"]}) <= 1
    await market.module.errands.done()
    await market.module.errands.look()
    await market.module.errands.done()
    for asked in others | {first["id"]}:
        told = (await charles.get(f"{CATALOGUE}/rebuild/{asked}")).json()
        assert [each["state"] for each in told["processes"]] == ["done"]
