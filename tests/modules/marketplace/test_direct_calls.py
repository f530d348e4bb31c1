"""What is answered without the framework gets the answers of the framework, word for word."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from opencode.app.http import front_door
from tests.http import application, client_of
from tests.modules.marketplace.conftest import PROJECTS, Market

AGENT = {"user-agent": "Mozilla/5.0"}


@pytest.fixture
async def both(market: Market) -> AsyncGenerator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """A client of the framework alone, and one of the product's door."""
    app = application(market.module.plug.routes, market.identity)
    through, beside = (
        front_door(app, body_timeout_s=5, direct=direct) for direct in ((), (market.module.plug.direct,))
    )
    async with client_of(through) as framework, client_of(beside) as door:
        yield framework, door


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
    "another method": ("PUT", f"{PROJECTS}/ada.engine/downloads", {}),
    "a download": ("POST", f"{PROJECTS}/ada.engine/downloads", {}),
    "a download with a key": ("POST", f"{PROJECTS}/ada.engine/downloads", {"idempotency-key": "once"}),
    "a download with a key that is none": ("POST", f"{PROJECTS}/ada.engine/downloads", {"idempotency-key": "a b"}),
    "a download of what is not published": ("POST", f"{PROJECTS}/ada.secret/downloads", {}),
    "a download of what has nothing": ("POST", f"{PROJECTS}/ada.empty/downloads", {}),
    "a download of nothing": ("POST", f"{PROJECTS}/ada.nothing/downloads", {}),
}


@pytest.mark.parametrize("call", CALLS)
async def test_both_ways_give_the_same_answer(
    market: Market, both: tuple[httpx.AsyncClient, httpx.AsyncClient], call: str
) -> None:
    ada = market.member("Ada")
    await ada.create("Motor")
    renamed = await ada.patch(f"{PROJECTS}/ada.motor", {"name": "engine"}, if_match='"1"')
    assert renamed.status_code == 200, renamed.text
    await ada.create("Secret", status="draft")
    await ada.create("Empty", repository_url=None)
    method, path, headers = CALLS[call]
    # Whoever is counted already is not counted again, so that both show the same numbers.
    await both[0].get(f"{PROJECTS}/ada.engine", headers=AGENT)
    await both[0].post(f"{PROJECTS}/ada.engine/downloads", headers=AGENT)
    first, second = [await each.request(method, path, headers={**AGENT, **headers}) for each in both]
    assert _told(second) == _told(first)


async def test_both_ways_count_the_same_person_once(
    market: Market, both: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    for client in (*both, *both):
        await client.get(f"{PROJECTS}/ada.engine", headers=AGENT)
        await client.post(f"{PROJECTS}/ada.engine/downloads", headers=AGENT)
    shown = (await ada.get(f"{PROJECTS}/ada.engine")).json()
    assert (shown["views"], shown["downloads"]) == (1, 1)


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
