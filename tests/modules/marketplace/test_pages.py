"""Public pages: what those read who run no scripts, and what search engines and previews are told."""

from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import pytest

from opencode.infra.html import PageAddress
from opencode.modules.marketplace.domain.money import Price
from opencode.modules.marketplace.service import sitemaps
from tests.conftest import PUBLIC_URL
from tests.html import ReadPage
from tests.modules.marketplace.conftest import REPOSITORY, Market, Reader

HOSTILE = "</script><script>alert(1)</script><!-- \" ' & {{7*7}}"


async def test_a_project_is_read_without_scripts(market: Market, reader: Reader) -> None:
    made = await market.member("Ada").create(price={"amount_minor": 900, "currency": "EUR"})
    page = await reader.reads(f"/projects/{made['slug']}")
    assert page.title == "Analytical Engine by Ada · OpenCode"
    assert page.text_of("h1") == "Analytical Engine"
    assert page.meta("description") == page.meta("og:description") == "Computes what you ask of it."
    assert page.canonical == page.meta("og:url") == f"{PUBLIC_URL}/projects/{made['slug']}"
    assert page.meta("robots") is None
    assert "It weaves algebraic patterns." in page.body
    assert "9.00 EUR" in page.body
    assert page.links["Ada"] == "/people/ada"
    assert page.links["math"] == "/projects?tags=math"
    assert page.all("noscript") == []


async def test_programs_are_told_what_a_project_is_and_what_it_costs(market: Market, reader: Reader) -> None:
    ada = market.member("Ada")
    free = await ada.create()
    about, trail = (await reader.reads(f"/projects/{free['slug']}")).data
    assert (about["@type"], about["isAccessibleForFree"]) == ("SoftwareSourceCode", True)
    assert (about["programmingLanguage"], about["codeRepository"]) == (["Python"], REPOSITORY)
    assert about["author"] == {"@type": "Person", "name": "Ada", "url": f"{PUBLIC_URL}/people/ada"}
    assert trail["@type"] == "BreadcrumbList"
    paid = await ada.create("Difference Engine", price={"amount_minor": 900, "currency": "EUR"})
    (about, _) = (await reader.reads(f"/projects/{paid['slug']}")).data
    assert (about["@type"], about["isAccessibleForFree"]) == ("SoftwareApplication", False)
    assert (about["offers"]["price"], about["offers"]["priceCurrency"]) == ("9.00", "EUR")


async def test_a_rating_is_on_the_page_as_people_gave_it(market: Market, reader: Reader) -> None:
    made = await market.member("Ada").create()
    page = await reader.reads(f"/projects/{made['slug']}")
    assert "aggregateRating" not in page.data[0]
    assert "Rating" not in page.body
    for name, rating in (("Grace", 5), ("Joan", 4), ("Mary", 4)):
        person, path = market.member(name), f"/api/v1/projects/{made['slug']}"
        await person.post(f"{path}/downloads")
        assert (await person.put(f"{path}/review", {"rating": rating, "body": "Works."})).status_code == 201
    page = await reader.reads(f"/projects/{made['slug']}")
    assert page.data[0]["aggregateRating"] == {
        "@type": "AggregateRating",
        "ratingValue": 4.33,
        "reviewCount": 3,
        "bestRating": 5,
        "worstRating": 1,
    }
    assert "4.3 of 5, from 3 reviews" in page.body


async def test_where_what_is_sold_is_kept_is_on_no_page(market: Market, reader: Reader) -> None:
    ada = market.member("Ada")
    price, repository = {"amount_minor": 900, "currency": "EUR"}, "https://github.com/ada/hidden-loom"
    made = await ada.create(price=price, repository_url=repository, description="[guide](docs/guide.md) ![](a.png)")
    for path in (f"/projects/{made['slug']}", "/projects", "/people/ada", "/"):
        assert b"hidden-loom" not in (await reader.gets(path)).body
    await ada.patch(f"/api/v1/projects/{made['slug']}", {"price": None})
    assert b"hidden-loom" in (await reader.gets(f"/projects/{made['slug']}")).body


@pytest.mark.parametrize("field", ["title", "summary", "description"])
async def test_what_people_write_stays_text(market: Market, reader: Reader, field: str) -> None:
    made = await market.member("Ada").create(**{"title": "Engine", field: HOSTILE})
    for path in (f"/projects/{made['slug']}", "/projects", "/", "/people/ada"):
        page = await reader.reads(path)
        assert all(script.attributes == {"type": "application/ld+json"} for script in page.all("script")), path
        assert all("@context" in block for block in page.data)
        if field != "description":
            assert "alert(1)" in page.body


async def test_text_that_turns_the_writing_direction_stays_in_its_place(market: Market, reader: Reader) -> None:
    ada = market.member("Ada")
    await ada.create(description="\u202emoc.live\u202c", summary="")
    await ada.patch("/api/v1/users/ada", {"bio": "\u202efdp.exe and \u2067more"})
    project, person = await reader.reads("/projects/ada.analytical-engine"), await reader.reads("/people/ada")
    for page in (project, person):
        head = [page.title, *(each.attributes.get("content", "") for each in page.all("meta"))]
        assert not any(turning in said for said in head for turning in "\u202e\u2067")
    assert project.all("article")[0].attributes["dir"] == "auto"


async def test_a_hostile_search_stays_text(market: Market, reader: Reader) -> None:
    await market.member("Ada").create()
    page = await reader.reads('/projects?q="><script>alert(1)</script>&tags="><img src=x>')
    assert all(script.attributes == {"type": "application/ld+json"} for script in page.all("script"))
    assert page.all("img") == []
    assert page.all("input", name="q")[0].attributes["value"] == '"><script>alert(1)</script>'


async def test_a_draft_is_on_no_page(market: Market, reader: Reader) -> None:
    ada = market.member("Ada")
    await ada.create("Public")
    draft = await ada.create("Secret Plan", status="draft", technologies=["Secretive"], tags=["hidden"])
    unknown, hidden = await reader.gets("/projects/ada.nothing"), await reader.gets(f"/projects/{draft['slug']}")
    assert unknown.status == hidden.status == 404
    assert hidden.surrogate_keys == unknown.surrogate_keys
    assert draft["id"].encode() not in hidden.body
    for path in ("/", "/projects", "/people/ada", "/projects?q=secret", "/projects?technologies=secretive"):
        page = await reader.reads(path)
        assert "Secret Plan" not in page.body
        assert "hidden" not in page.body
    assert "secret-plan" not in (await market.nobody().get("/sitemaps/1.xml")).text


async def test_an_old_address_leads_to_the_present_one(market: Market, reader: Reader) -> None:
    ada = market.member("Ada")
    made = await ada.create()
    await ada.patch(f"/api/v1/projects/{made['slug']}", {"name": "engine"})
    moved = await reader.gets(f"/projects/{made['slug']}")
    assert (moved.status, moved.location, moved.body) == (308, "/projects/ada.engine", b"")
    await ada.patch("/api/v1/users/ada", {"handle": "countess"})
    moved = await reader.gets("/people/ada")
    assert (moved.status, moved.location) == (308, "/people/countess")
    assert (await reader.gets("/projects/ada.engine")).location == "/projects/countess.engine"


async def test_what_is_archived_is_read_but_not_searched_for(market: Market, reader: Reader) -> None:
    ada = market.member("Ada")
    made = await ada.create()
    await ada.patch(f"/api/v1/projects/{made['slug']}", {"status": "archived"})
    page = await reader.reads(f"/projects/{made['slug']}")
    assert page.meta("robots") == "noindex, follow"
    assert "Archived" in page.body
    assert "offers" not in page.data[0]


async def test_results_lead_to_projects_further_filters_and_the_next_page(market: Market, reader: Reader) -> None:
    ada = market.member("Ada")
    for number in range(25):
        await ada.create(f"Engine {number}", technologies=["Python", "Rust"] if number % 2 else ["Python"])
    first = await reader.reads("/projects?sort=name")
    assert "25 projects" in first.body
    assert first.links["Engine 0"] == "/projects/ada.engine-0"
    assert first.links["Rust"] == "/projects?technologies=rust&sort=name"
    second = await reader.reads(first.links["Next page"])
    titles = [{each.text for each in page.all("a") if each.text.startswith("Engine")} for page in (first, second)]
    assert [len(found) for found in titles] == [20, 5]
    assert not titles[0] & titles[1]
    assert second.links["First page"] == "/projects?sort=name"
    assert second.meta("robots") == "noindex, follow"
    narrowed = await reader.reads(first.links["Rust"])
    assert "12 projects" in narrowed.body
    assert narrowed.links["without Rust"] == "/projects?sort=name"
    assert narrowed.data[0]["itemListElement"][0]["name"] == "Engine 1"


@pytest.mark.parametrize(
    ("path", "robots"),
    [
        ("/projects", None),
        ("/projects?technologies=Python", None),
        ("/projects?q=engine", "noindex, follow"),
        ("/projects?technologies=Python&tags=math", "noindex, follow"),
        ("/projects?sort=recent", "noindex, follow"),
        ("/projects?tags=unheard-of", "noindex, follow"),
    ],
)
async def test_search_engines_list_one_filter_at_a_time(
    market: Market, reader: Reader, path: str, robots: str | None
) -> None:
    await market.member("Ada").create()
    assert (await reader.reads(path)).meta("robots") == robots


async def test_every_way_to_ask_for_the_same_is_the_same_page(market: Market, reader: Reader) -> None:
    await market.member("Ada").create()
    ways = [
        "/projects?tags=math&q=engine&technologies=Python",
        "/projects?technologies=python&technologies=PYTHON&q=++engine+&tags=math&utm_source=mail&sort=relevance&price=all",
        "/projects?q=engine&technologies=%20python&tags=math&price=cheap&sort=bogus&__proto__=1&q=another",
    ]
    offers = [reader.pages.offer(PageAddress("/projects", tuple(parse_qsl(urlsplit(way).query)))) for way in ways]
    assert len({offer.key for offer in offers if offer}) == 1
    assert len({(await reader.gets(way)).etag for way in ways}) == 1


@pytest.mark.parametrize(
    "query",
    ["q=" + "a" * 201, "&".join(f"tags={number}" for number in range(41)), "tags=" + "a" * 41, "cursor=forged"],
)
async def test_what_cannot_be_searched_for_is_refused_in_words(market: Market, reader: Reader, query: str) -> None:
    await market.member("Ada").create()
    refused = await reader.gets(f"/projects?{query}")
    assert refused.status == 400
    assert refused.fresh_s == 0
    assert ReadPage(refused.body.decode()).meta("robots") == "noindex"


async def test_a_person_is_read_with_their_projects(market: Market, reader: Reader) -> None:
    ada = market.member("Ada")
    await ada.create()
    await ada.patch("/api/v1/users/ada", {"bio": "Weaves patterns.", "website": "https://ada.example.org"})
    page = await reader.reads("/people/ada")
    assert page.title == "Ada (@ada) · OpenCode"
    assert page.meta("og:type") == "profile"
    assert page.meta("description") == "Weaves patterns."
    (about,) = page.data
    assert (about["@type"], about["mainEntity"]["@type"]) == ("ProfilePage", "Person")
    assert page.links["Analytical Engine"] == "/projects/ada.analytical-engine"
    assert page.all("a", href="https://ada.example.org")[0].attributes["rel"] == "nofollow ugc noopener"


async def test_a_person_without_projects_is_not_passed_on_to_search_engines(market: Market, reader: Reader) -> None:
    await market.member("Ada").get("/api/v1/me/profile")
    assert (await reader.reads("/people/ada")).meta("robots") == "noindex, nofollow"
    assert (await reader.gets("/people/nobody")).status == 404


async def test_the_applications_own_addresses_are_no_public_pages(reader: Reader) -> None:
    for path in ("/projects/new", "/people/me", "/projects/ada.engine/edit", "/interviews", "/projects/"):
        assert reader.pages.offer(PageAddress(path)) is None


async def test_pages_have_no_numbers_that_change_all_the_time(market: Market, reader: Reader) -> None:
    ada, bob = market.member("Ada"), market.member("Bob")
    made = await ada.create()
    paths = [f"/projects/{made['slug']}", "/people/ada", "/projects", "/"]
    before = [(await reader.gets(path)).etag for path in paths]
    await bob.put(f"/api/v1/projects/{made['slug']}/star")
    await bob.post(f"/api/v1/projects/{made['slug']}/downloads")
    assert [(await reader.gets(path)).etag for path in paths] == before


async def test_an_installation_that_is_not_for_search_engines_says_so_on_every_page(market: Market) -> None:
    await market.member("Ada").create()
    hidden = Reader.of(market, indexable=False)
    assert (await hidden.reads("/projects")).meta("robots") == "noindex, nofollow"


async def test_the_sitemaps_name_every_published_project_once(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemaps, "PER_SITEMAP", 4)
    monkeypatch.setattr(sitemaps, "_BATCH", 3)
    ada = market.member("Ada")
    made = [await ada.create(f"Engine {number}") for number in range(9)]
    await ada.create("Draft", status="draft")
    nobody = market.nobody()
    named = _locations((await nobody.get("/sitemap.xml")).text)
    assert named == [f"{PUBLIC_URL}/sitemaps/{number}.xml" for number in (1, 2, 3)]
    found = [_locations((await nobody.get(urlsplit(each).path)).text) for each in named]
    assert [len(each) for each in found] == [4 + 2, 4, 1]
    projects = [place for each in found for place in each if "/projects/" in place]
    assert projects == [f"{PUBLIC_URL}/projects/{each['slug']}" for each in sorted(made, key=lambda one: one["id"])]
    for name in ("0.xml", "4.xml", "01.xml", "1.txt", "99999999999999999999.xml", "-1.xml", "٣.xml"):
        assert (await nobody.get(f"/sitemaps/{name}")).status_code == 404, name


def _locations(xml: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(xml).iter() if each.tag.endswith("}loc")]


@pytest.mark.parametrize(
    ("price", "written"),
    [(Price(900, "EUR"), "9.00"), (Price(5, "USD"), "0.05"), (Price(500, "JPY"), "500"), (Price(1234, "KWD"), "1.234")],
)
def test_a_price_is_written_with_the_digits_of_its_currency(price: Price, written: str) -> None:
    assert price.decimal == written


async def test_the_door_shows_what_is_featured_before_what_trends(market: Market, reader: Reader) -> None:
    ada, root = market.member("Ada"), market.administrator()
    await ada.create("Engine")
    await ada.create("Loom")
    assert b"<h2>Featured</h2>" not in (await reader.gets("/")).body
    await root.patch("/api/v1/projects/ada.loom", {"featured": True})
    await market.deliver()
    body = (await reader.gets("/")).body.decode()
    featured, trending = body.index("<h2>Featured</h2>"), body.index("<h2>Trending</h2>")
    assert featured < body.index("/projects/ada.loom") < trending
    assert body.index("/projects/ada.engine") > trending
