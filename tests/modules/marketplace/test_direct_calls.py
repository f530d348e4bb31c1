"""What is answered without the framework gets the answers of the framework, word for word."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from opencode.app.http import front_door
from opencode.infra.http.protocol import http_protocol
from opencode.kernel.errors import Unavailable
from opencode.modules.marketplace.store.counting import CountingStore
from tests.http import application, client_of
from tests.modules.marketplace.conftest import PROJECTS, Market
from tests.servers import serving

AGENT = {"user-agent": "Mozilla/5.0"}


@pytest.fixture
async def ways(market: Market) -> AsyncGenerator[tuple[httpx.AsyncClient, ...]]:
    """Clients of the framework alone, of the product's door, and of the product's port."""
    app = application(market.module.plug.routes, market.identity)
    direct = [market.module.plug.direct]
    through, beside = (front_door(app, body_timeout_s=5, direct=own) for own in ((), direct))
    async with (
        client_of(through, address="127.0.0.1") as framework,
        client_of(beside, address="127.0.0.1") as door,
        serving(
            beside,
            http=http_protocol(direct, proxy_addresses="127.0.0.1", body_timeout_s=5),
            server_header=False,
            date_header=False,
        ) as server,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as port,
    ):
        yield framework, door, port


CALLS = {
    "a look": ("GET", f"{PROJECTS}/ada.engine", {}),
    "a look at an old address": ("GET", f"{PROJECTS}/ada.motor", {}),
    "a look at nothing": ("GET", f"{PROJECTS}/ada.nothing", {}),
    "a look at a name that is none": ("GET", f"{PROJECTS}/%00%F0", {}),
    "a look at what is not published": ("GET", f"{PROJECTS}/ada.secret", {}),
    "a look at what may be known": ("GET", f"{PROJECTS}/ada.engine", {"if-none-match": "*"}),
    "a look with a long list of what is known": ("GET", f"{PROJECTS}/ada.engine", {"if-none-match": "x" * 1001}),
    "a look by somebody unknown": ("GET", f"{PROJECTS}/ada.engine", {"authorization": "Bearer nobody"}),
    "a look with a question": ("GET", f"{PROJECTS}/ada.engine?a=b", {}),
    "counters": ("GET", f"{PROJECTS}/counters?ids=prj_1", {}),
    "weeks": ("GET", f"{PROJECTS}/weeks", {}),
    "the list": ("GET", PROJECTS, {}),
    "a search": ("GET", f"{PROJECTS}?q=engi", {}),
    "a search of everything known": ("GET", PROJECTS, {"if-none-match": "*"}),
    "a search with a slash behind": ("GET", f"{PROJECTS}/?q=engi", {}),
    "a search narrowed": (
        "GET",
        f"{PROJECTS}?q=an+engin&technologies=Python&technologies=python&tags=math&license=MIT&price=free&sort=name&limit=1",
        {},
    ),
    "a search with letters of elsewhere": ("GET", f"{PROJECTS}?q=%C3%A9ngine%20%2B", {}),
    "a search with letters that are none": ("GET", f"{PROJECTS}?q=%E9ngine", {}),
    "a search with raw letters": ("GET", f"{PROJECTS}?q=a;b&tags=math", {}),
    "a search without words": ("GET", f"{PROJECTS}?q=&tags=math", {}),
    "a search for nothing": ("GET", f"{PROJECTS}?q=&license=", {}),
    "a search with a word twice": ("GET", f"{PROJECTS}?q=a&q=b", {}),
    "a search with too long a text": ("GET", f"{PROJECTS}?q={'a' * 201}", {}),
    "a search with too many tags": ("GET", f"{PROJECTS}?{'&'.join(['tags=math'] * 41)}", {}),
    "a search in an order that is none": ("GET", f"{PROJECTS}?sort=best", {}),
    "a search for a price that is none": ("GET", f"{PROJECTS}?price=cheap", {}),
    "a search for a page too long": ("GET", f"{PROJECTS}?limit=201", {}),
    "a search for a page of none": ("GET", f"{PROJECTS}?limit=0", {}),
    "a search for a page of letters": ("GET", f"{PROJECTS}?limit=ten", {}),
    "a search with a forged cursor": ("GET", f"{PROJECTS}?cursor=forged", {}),
    "a search for what is featured": ("GET", f"{PROJECTS}?featured=true", {}),
    "a search with an unknown field": ("GET", f"{PROJECTS}?quality=good", {}),
    "a look at what is sold": ("GET", f"{PROJECTS}/ada.sold", {}),
    "a download of what is sold": ("POST", f"{PROJECTS}/ada.sold/downloads", {}),
    "another method": ("PUT", f"{PROJECTS}/ada.engine/downloads", {}),
    "a download": ("POST", f"{PROJECTS}/ada.engine/downloads", {}),
    "a download with a key": ("POST", f"{PROJECTS}/ada.engine/downloads", {"idempotency-key": "once"}),
    "a download with a key that is none": ("POST", f"{PROJECTS}/ada.engine/downloads", {"idempotency-key": "a b"}),
    "a download of what is not published": ("POST", f"{PROJECTS}/ada.secret/downloads", {}),
    "a download of what has nothing": ("POST", f"{PROJECTS}/ada.empty/downloads", {}),
    "a download of nothing": ("POST", f"{PROJECTS}/ada.nothing/downloads", {}),
}


@pytest.mark.parametrize("call", CALLS)
async def test_all_ways_give_the_same_answer(market: Market, ways: tuple[httpx.AsyncClient, ...], call: str) -> None:
    ada = market.member("Ada")
    await ada.create("Motor")
    renamed = await ada.patch(f"{PROJECTS}/ada.motor", {"name": "engine"}, if_match='"1"')
    assert renamed.status_code == 200, renamed.text
    await ada.create("Secret", status="draft")
    await ada.create("Empty", repository_url=None)
    await ada.create("Sold", price={"amount_minor": 900, "currency": "EUR"})
    method, path, headers = CALLS[call]
    # Whoever is counted already is not counted again, so that both show the same numbers.
    for name in ("engine", "sold"):
        await ways[0].get(f"{PROJECTS}/ada.{name}", headers=AGENT)
    await ways[0].post(f"{PROJECTS}/ada.engine/downloads", headers=AGENT)
    # The first of a port may ask the database; the second is answered from memory, if that is a way to answer it.
    told = [_told(await each.request(method, path, headers={**AGENT, **headers})) for each in (*ways, ways[-1])]
    assert told[1:] == told[:1] * 3


async def test_all_ways_count_the_same_person_once(market: Market, ways: tuple[httpx.AsyncClient, ...]) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    for client in (*ways, *ways):
        await client.get(f"{PROJECTS}/ada.engine", headers=AGENT)
        await client.post(f"{PROJECTS}/ada.engine/downloads", headers=AGENT)
    shown = (await ada.get(f"{PROJECTS}/ada.engine")).json()
    assert (shown["views"], shown["downloads"]) == (1, 1)


async def test_a_look_shows_what_has_changed_since_the_last(
    market: Market, ways: tuple[httpx.AsyncClient, ...]
) -> None:
    ada, *_, port = market.member("Ada"), *ways
    await ada.create("Engine")
    slug = f"{PROJECTS}/ada.engine"
    for person in range(3):
        await port.get(slug, headers={"user-agent": f"person {person}"})
    assert (await port.get(slug, headers=AGENT)).json()["views"] == 3, "but for this one"
    await ada.patch(slug, {"title": "Machine"}, if_match='"1"')
    assert (await port.get(slug, headers=AGENT)).json()["title"] == "Machine"
    await ada.post(f"{slug}/archive")
    archived = await port.post(f"{slug}/downloads", headers=AGENT)
    await ada.delete(slug)
    assert (await port.get(slug, headers=AGENT)).status_code == 404, archived.text


async def test_people_are_answered_while_counting_has_to_wait_and_downloads_are_not_lost_silently(
    market: Market, ways: tuple[httpx.AsyncClient, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, *_, port = market.member("Ada"), *ways
    await ada.create("Engine")
    await port.get(f"{PROJECTS}/ada.engine", headers=AGENT)

    async def fail(*_: object, **__: object) -> None:
        raise Unavailable("The database does not answer.", action="Try again in a moment.")

    monkeypatch.setattr(CountingStore, "note", fail)
    look = await port.get(f"{PROJECTS}/ada.engine", headers={"user-agent": "somebody else"})
    download = await port.post(f"{PROJECTS}/ada.engine/downloads", headers={"user-agent": "somebody else"})
    assert (look.status_code, download.status_code) == (200, 503)


async def test_a_fault_is_answered_without_its_insides(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret insides")

    monkeypatch.setattr(type(market.module.catalogue), "find", fail)
    app = application(market.module.plug.routes, market.identity)
    async with client_of(front_door(app, body_timeout_s=5, direct=[market.module.plug.direct])) as door:
        answer = await door.get(f"{PROJECTS}/ada.engine")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def _told(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    """All that an answer tells, but for the id of its request."""
    request_id = answer.headers.get("x-request-id", "-")
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, headers, answer.text.replace(request_id, "-")
