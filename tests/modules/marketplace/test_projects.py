"""Projects from their making to their end: what authors rely on, and what nobody else may do."""

import asyncio

import httpx
import pytest

from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import new_id
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.modules.marketplace.conftest import PROJECTS, Market, Person, draft


def pointers(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 400, answer.text
    return {problem["pointer"] for problem in answer.json()["errors"]}


async def test_a_new_project_is_answered_whole_and_found_at_its_slug(market: Market) -> None:
    ada = market.member("Ada Lovelace")
    made = await ada.post(PROJECTS, draft("Über C++ Engine", price={"amount_minor": 900, "currency": "EUR"}))
    assert made.status_code == 201
    assert made.headers["etag"] == '"1"'
    body = made.json()
    assert body["id"].startswith("prj_")
    assert body["slug"] == "ada-lovelace.uber-cpp-engine"
    assert body["owner"] == {"handle": "ada-lovelace", "display_name": "Ada Lovelace"}
    assert body["price"] == {"amount_minor": 900, "currency": "EUR"}
    assert (body["stars"], body["downloads"], body["views"], body["featured"]) == (0, 0, 0, False)
    assert body["created_at"] == body["updated_at"] == body["published_at"] == "2026-01-05T09:00:00Z"
    seen = await ada.get(f"{PROJECTS}/{body['slug']}")
    assert seen.status_code == 200
    assert seen.json() == body
    assert seen.headers["etag"] == '"1"'


async def test_what_is_published_is_found_in_the_very_next_request(market: Market) -> None:
    ada = market.member()
    await ada.create("Difference Engine")
    assert await ada.names(q="differ") == ["difference-engine"]


async def test_equal_titles_of_one_owner_get_numbers_and_of_two_owners_none(market: Market) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    slugs = [(await who.create("Engine"))["slug"] for who in (ada, ada, grace, ada)]
    assert slugs == ["ada.engine", "ada.engine-2", "grace.engine", "ada.engine-3"]


async def test_many_projects_of_one_title_made_at_the_same_moment_all_get_slugs_of_their_own(market: Market) -> None:
    ada = market.member()
    await ada.create("First")
    made = await asyncio.gather(*(ada.create("Engine") for _ in range(12)))
    numbers = ["engine", *(f"engine-{number}" for number in range(2, 13))]
    assert sorted(project["name"] for project in made) == sorted(numbers)


async def test_two_people_of_one_name_get_handles_of_their_own(market: Market) -> None:
    made = await asyncio.gather(*(market.member("Ada").create("Engine") for _ in range(4)))
    assert {project["slug"] for project in made} == {"ada.engine", "ada-2.engine", "ada-3.engine", "ada-4.engine"}


async def test_every_wrong_field_is_named_at_once_those_of_the_wrong_type_too(market: Market) -> None:
    ada = market.member()
    body = draft(
        title="x" * 121,
        summary=7,
        description="\0",
        technologies=[f"t{number}" for number in range(21)],
        license="MTI",
        price={"amount_minor": 5},
        repository_url="ftp://example.org",
        demo_url="https://ada:secret@example.org",
        documentation_url="javascript:alert(1)",
        tags=["Two Words"],
        status="secret",
        surprise=1,
    )
    expected = {*draft(), "demo_url", "documentation_url", "surprise"} - {"price"}
    assert pointers(await ada.post(PROJECTS, body)) == {f"/{name}" for name in expected} | {"/price/currency"}


async def test_an_unknown_licence_is_refused_with_the_nearest_names(market: Market) -> None:
    answer = await market.member().post(PROJECTS, draft(license="Apache2.0"))
    assert pointers(answer) == {"/license"}
    assert "Apache-2.0" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize("price", [None, 0, {"amount_minor": 0}, {"amount_minor": 0, "currency": "EUR"}])
async def test_every_way_to_say_free_means_free(market: Market, price: object) -> None:
    ada = market.member()
    assert (await ada.create(price=price))["price"] is None
    assert (await ada.search(price="free"))["total"] == 1
    assert (await ada.search(price="paid"))["total"] == 0


@pytest.mark.parametrize(
    "price", [-1, 5, True, 0.5, {"amount_minor": -1, "currency": "EUR"}, {"amount_minor": 1, "currency": "eur"}, "0"]
)
async def test_what_is_no_price_is_refused(market: Market, price: object) -> None:
    answer = await market.member().post(PROJECTS, draft(price=price))
    assert {pointer.split("/")[1] for pointer in pointers(answer)} == {"price"}


@pytest.mark.parametrize("field", ["title", "summary", "description", "license", "repository_url"])
async def test_a_nul_is_refused_in_every_text(market: Market, field: str) -> None:
    answer = await market.member().post(PROJECTS, draft(**{field: "https://a\0b"}))
    assert pointers(answer) == {f"/{field}"}


async def test_a_description_may_have_200_000_bytes_and_no_more(market: Market) -> None:
    ada = market.member()
    assert len((await ada.create(description="ü" * 100_000))["description"]) == 100_000
    assert pointers(await ada.post(PROJECTS, draft(description="ü" * 100_001))) == {"/description"}


async def test_a_bad_slug_is_no_project_whatever_it_is_made_of(market: Market) -> None:
    for slug in ("x", "a.b.c", "A.b", "a..b", "a.b%00", "%2e%2e.x", f"{'a' * 41}.b", "a.' or 1=1", "ü.x"):
        answer = await market.nobody().get(f"{PROJECTS}/{slug}")
        assert answer.status_code == 404, slug


async def test_the_same_idempotency_key_makes_one_project(market: Market) -> None:
    ada = market.member()
    answers = await asyncio.gather(
        *(ada.post(PROJECTS, draft(), headers={"idempotency-key": "once"}) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await ada.post(PROJECTS, draft("Other"), headers={"idempotency-key": "once"})
    assert other.status_code == 409
    grace = await market.member("Grace").post(PROJECTS, draft(), headers={"idempotency-key": "once"})
    assert grace.json()["owner"]["handle"] == "grace"


async def test_an_idempotency_key_is_forgotten_after_a_day(market: Market, clock: ManualClock) -> None:
    ada = market.member()
    first = await ada.post(PROJECTS, draft(), headers={"idempotency-key": "once"})
    clock.advance(25 * 3600)
    await next(job for job in market.module.plug.jobs if job.name == "tidy the marketplace").work()
    second = await ada.post(PROJECTS, draft(), headers={"idempotency-key": "once"})
    assert first.json()["id"] != second.json()["id"]


async def test_a_draft_is_nowhere_to_be_found_by_others(market: Market) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    slug = (await ada.create(status="draft"))["slug"]
    for other in (grace, market.administrator(), market.nobody()):
        assert (await other.get(f"{PROJECTS}/{slug}")).status_code == 404
        assert (await other.search())["total"] == 0
    assert (await grace.patch(f"{PROJECTS}/{slug}", {"title": "Mine"})).status_code == 404
    assert (await ada.get(f"{PROJECTS}/{slug}")).status_code == 200


async def test_a_draft_that_is_published_is_listed_and_one_that_is_archived_no_longer(
    market: Market, clock: ManualClock
) -> None:
    ada = market.member()
    slug = (await ada.create(status="draft"))["slug"]
    clock.advance(60)
    published = (await ada.patch(f"{PROJECTS}/{slug}", {"status": "published"})).json()
    assert published["published_at"] == published["updated_at"] == "2026-01-05T09:01:00Z"
    assert (await ada.search())["total"] == 1
    assert (await ada.patch(f"{PROJECTS}/{slug}", {"status": "archived"})).status_code == 200
    assert (await ada.search())["total"] == 0
    assert (await market.nobody().get(f"{PROJECTS}/{slug}")).json()["status"] == "archived"
    back = await ada.patch(f"{PROJECTS}/{slug}", {"status": "draft"})
    assert back.status_code == 409
    assert back.json()["type"].endswith("/status-not-possible")


async def test_a_change_touches_only_what_it_names(market: Market, clock: ManualClock) -> None:
    ada = market.member()
    before = await ada.create()
    clock.advance(1)
    after = (await ada.patch(f"{PROJECTS}/{before['slug']}", {"license": None, "tags": ["new"]})).json()
    expected = {"license": None, "tags": ["new"], "revision": 2, "updated_at": "2026-01-05T09:00:01Z"}
    assert after == {**before, **expected}


async def test_a_change_that_changes_nothing_makes_no_revision(market: Market, clock: ManualClock) -> None:
    ada = market.member()
    before = await ada.create()
    clock.advance(1)
    same = await ada.patch(f"{PROJECTS}/{before['slug']}", {"title": before["title"]})
    assert same.json() == before


async def test_what_must_be_there_cannot_be_set_to_null(market: Market) -> None:
    ada = market.member()
    slug = (await ada.create())["slug"]
    answer = await ada.patch(f"{PROJECTS}/{slug}", {"title": None, "tags": None, "license": "nope", "name": "No"})
    assert pointers(answer) == {"/title", "/tags", "/license", "/name"}


async def test_another_title_keeps_the_slug_and_another_name_moves_it(market: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    assert (await ada.patch(f"{PROJECTS}/ada.engine", {"title": "Motor"})).json()["slug"] == "ada.engine"
    assert (await ada.patch(f"{PROJECTS}/ada.engine", {"name": "motor"})).json()["slug"] == "ada.motor"
    old = await market.nobody().get(f"{PROJECTS}/ada.engine")
    assert old.status_code == 308
    assert old.headers["location"] == f"{PROJECTS}/ada.motor"
    assert (await ada.names(q="motor")) == ["motor"]


async def test_writes_through_an_old_slug_work(market: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    await ada.patch(f"{PROJECTS}/ada.engine", {"name": "motor"})
    assert (await ada.patch(f"{PROJECTS}/ada.engine", {"summary": "New."})).json()["slug"] == "ada.motor"
    assert (await ada.put(f"{PROJECTS}/ada.engine/star")).json() == {"starred": True, "stars": 1}
    assert (await ada.delete(f"{PROJECTS}/ada.engine")).status_code == 204
    assert (await ada.get(f"{PROJECTS}/ada.motor")).status_code == 404


async def test_a_name_that_another_project_has_or_had_is_taken_and_ones_own_old_name_is_not(market: Market) -> None:
    ada = market.member("Ada")
    for title in ("Engine", "Loom"):
        await ada.create(title)
    assert (await ada.patch(f"{PROJECTS}/ada.engine", {"name": "motor"})).status_code == 200
    for taken in ("motor", "engine"):
        answer = await ada.patch(f"{PROJECTS}/ada.loom", {"name": taken})
        assert answer.status_code == 409, answer.text
        assert answer.json()["type"].endswith("/name-taken")
    assert (await ada.create("Engine"))["name"] == "engine-2"
    assert (await ada.patch(f"{PROJECTS}/ada.motor", {"name": "engine"})).json()["slug"] == "ada.engine"
    assert (await ada.get(f"{PROJECTS}/ada.motor")).headers["location"] == f"{PROJECTS}/ada.engine"


@pytest.mark.parametrize("name", ["", "Upper", "a.b", "a--b", "-a", "a" * 81, "../x", "ü", "a\n"])
async def test_what_is_no_name_is_refused(market: Market, name: str) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    assert pointers(await ada.patch(f"{PROJECTS}/ada.engine", {"name": name})) == {"/name"}


async def test_a_deleted_project_is_gone_from_everywhere_and_its_name_is_free(market: Market) -> None:
    ada = market.member("Ada")
    first = await ada.create("Engine")
    await ada.put(f"{PROJECTS}/ada.engine/star")
    assert (await ada.delete(f"{PROJECTS}/ada.engine")).status_code == 204
    assert (await ada.get(f"{PROJECTS}/ada.engine")).status_code == 404
    assert (await ada.search())["total"] == 0
    again = await ada.create("Engine")
    assert again["slug"] == "ada.engine"
    assert again["id"] != first["id"]
    assert again["stars"] == 0


async def test_a_change_for_an_older_revision_is_refused_and_says_what_to_do(market: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    assert (await ada.patch(f"{PROJECTS}/ada.engine", {"title": "One"}, if_match='"1"')).headers["etag"] == '"2"'
    late = await ada.patch(f"{PROJECTS}/ada.engine", {"title": "Two"}, if_match='"1"')
    assert late.status_code == 412
    assert "Get it again" in late.json()["action"]
    assert (await ada.delete(f"{PROJECTS}/ada.engine", if_match='"1"')).status_code == 412
    assert (await ada.get(f"{PROJECTS}/ada.engine")).json()["title"] == "One"
    for good in ('"9", "2"', "*"):
        assert (await ada.patch(f"{PROJECTS}/ada.engine", {}, if_match=good)).status_code == 200
    for bad in ('W/"2"', "2", "", "nonsense", '"2'):
        assert (await ada.patch(f"{PROJECTS}/ada.engine", {}, if_match=bad)).status_code == 412, bad


async def test_of_editors_who_save_at_the_same_moment_one_wins_and_the_others_hear_of_it(market: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    answers = await asyncio.gather(
        *(ada.patch(f"{PROJECTS}/ada.engine", {"title": f"Tab {tab}"}, if_match='"1"') for tab in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    won = next(answer.json() for answer in answers if answer.status_code == 200)
    assert (await ada.get(f"{PROJECTS}/ada.engine")).json()["title"] == won["title"]


async def test_changes_without_a_revision_are_all_made_one_after_the_other(market: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    await asyncio.gather(*(ada.patch(f"{PROJECTS}/ada.engine", {"title": f"Tab {tab}"}) for tab in range(8)))
    assert (await ada.get(f"{PROJECTS}/ada.engine")).json()["revision"] == 9


async def test_only_the_owner_changes_and_deletes_and_only_administrators_feature(market: Market) -> None:
    ada, grace, root = market.member("Ada"), market.member("Grace"), market.administrator()
    await ada.create("Engine")
    path = f"{PROJECTS}/ada.engine"
    for other in (grace, root):
        assert (await other.patch(path, {"title": "Mine"})).status_code == 403
        assert (await other.delete(path)).status_code == 403
    for person in (ada, grace):
        assert (await person.patch(path, {"featured": True})).status_code == 403
    assert (await root.patch(path, {"featured": True, "title": "Mine"})).status_code == 403
    assert (await root.patch(path, {"featured": True})).json()["featured"] is True
    assert market.identity.audit[-1].kind == "project.featured"
    assert (await ada.search())["items"][0]["featured"] is True


async def test_what_is_featured_has_a_list_that_further_filters_and_words_narrow(market: Market) -> None:
    ada, root, nobody = market.member("Ada"), market.administrator(), market.nobody()
    for title, technology in (("Engine", "Python"), ("Loom", "Rust"), ("Abacus", "Python")):
        await ada.create(title, technologies=[technology])
    assert await nobody.names(featured="true") == []
    for name in ("engine", "loom"):
        assert (await root.patch(f"{PROJECTS}/ada.{name}", {"featured": True})).status_code == 200
    assert await nobody.names(featured="true", sort="name") == ["engine", "loom"]
    assert await nobody.names(featured="true", technologies="python") == ["engine"]
    assert await nobody.names(featured="true", q="loom") == ["loom"]
    assert len(await nobody.names(featured="false")) == 3
    whole = await nobody.search(featured="true", sort="recent", limit=1)
    assert (whole["total"], set(whole["facets"])) == (2, {"technologies", "license", "price", "tags"})
    rest = await nobody.search(featured="true", sort="recent", limit=1, cursor=whole["next_cursor"])
    assert {whole["items"][0]["name"], rest["items"][0]["name"]} == {"engine", "loom"}
    other = await nobody.get(PROJECTS, sort="recent", limit=1, cursor=whole["next_cursor"])
    assert other.status_code == 400

    await root.patch(f"{PROJECTS}/ada.engine", {"featured": False})
    await ada.patch(f"{PROJECTS}/ada.loom", {"status": "archived"})
    assert await nobody.names(featured="true") == []
    assert (await nobody.get(PROJECTS, featured="perhaps")).status_code == 400


async def test_without_a_sign_in_nothing_is_written(market: Market) -> None:
    await market.member("Ada").create("Engine")
    nobody = market.nobody()
    path = f"{PROJECTS}/ada.engine"
    answers = [
        await nobody.post(PROJECTS, draft()),
        await nobody.patch(path, {"title": "x"}),
        await nobody.delete(path),
        await nobody.put(f"{path}/star"),
        await nobody.delete(f"{path}/star"),
        await nobody.get("/api/v1/me/projects"),
        await nobody.import_lines({"title": "x"}),
    ]
    assert [answer.status_code for answer in answers] == [401] * 7


async def test_a_token_without_the_scope_reads_and_does_not_write(market: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    assert ada.token
    narrow = Person(market.client, market.identity.narrowed(ada.token, frozenset()), ada.principal)
    assert (await narrow.get(f"{PROJECTS}/ada.engine")).status_code == 200
    answers = [
        await narrow.post(PROJECTS, draft()),
        await narrow.patch(f"{PROJECTS}/ada.engine", {"title": "x"}),
        await narrow.delete(f"{PROJECTS}/ada.engine"),
        await narrow.put(f"{PROJECTS}/ada.engine/star"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4


async def test_ones_own_projects_are_listed_in_all_states_newest_first_page_by_page(
    market: Market, clock: ManualClock
) -> None:
    ada = market.member("Ada")
    await market.member("Grace").create("Other")
    for title, status in (("One", "draft"), ("Two", "published"), ("Three", "archived")):
        await ada.create(title, status=status)
        clock.advance(1)
    first = (await ada.get("/api/v1/me/projects", limit=2)).json()
    assert [(item["name"], item["status"]) for item in first["items"]] == [("three", "archived"), ("two", "published")]
    second = (await ada.get("/api/v1/me/projects", limit=2, cursor=first["next_cursor"])).json()
    assert [item["name"] for item in second["items"]] == ["one"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("settings", [MarketplaceSettings(projects_per_person=2)])
async def test_nobody_has_more_projects_than_the_server_allows(market: Market) -> None:
    ada = market.member("Ada")
    for title in ("One", "Two"):
        await ada.create(title)
    assert (await ada.post(PROJECTS, draft("Three"))).status_code == 409
    assert (await ada.delete(f"{PROJECTS}/ada.one")).status_code == 204
    await ada.create("Three")


@pytest.mark.parametrize("settings", [MarketplaceSettings(project_writes_per_minute=2)])
async def test_who_writes_too_fast_is_told_when_to_come_back(market: Market, clock: ManualClock) -> None:
    ada = market.member("Ada")
    for title in ("One", "Two"):
        await ada.create(title)
    refused = await ada.post(PROJECTS, draft("Three"))
    assert refused.status_code == 429
    clock.advance(int(refused.headers["retry-after"]))
    await ada.create("Three")


async def test_an_id_is_no_slug(market: Market) -> None:
    assert (await market.nobody().get(f"{PROJECTS}/{new_id('prj')}")).status_code == 404
