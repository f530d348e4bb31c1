"""A cache in front of the server is told what is outdated: soon, at least once, and many keys at a time."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import pytest

from opencode.contracts.marketplace import ProjectsImported
from opencode.infra.plugs import Parts
from opencode.infra.settings import SettingsError
from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import ProjectId, new_id
from opencode.modules.marketplace.adapters.purging import MOST_KEYS
from opencode.modules.marketplace.module import build_purger
from opencode.modules.marketplace.settings import MarketplaceSettings
from opencode.modules.marketplace.store.work import MarketplaceWork
from tests.doubles.identity import IdentityInMemory
from tests.modules.marketplace.conftest import PROJECTS, Market, running
from tests.modules.notifications.test_webhooks import Receiver, receiving

AWAY = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
DONE = b"HTTP/1.1 204 No Content\r\n\r\n"
TOKEN = "purge-token"


@pytest.fixture
async def cache() -> AsyncGenerator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def settings(cache: Receiver) -> MarketplaceSettings:
    return MarketplaceSettings(
        project_writes_per_minute=100_000, marketplace_purge_url=cache.url, marketplace_purge_token=TOKEN
    )


async def tell(market: Market) -> None:
    await market.deliver()
    (job,) = (each for each in market.module.plug.jobs if each.name == "tell the cache in front what is outdated")
    await job.work()


def keys_told(cache: Receiver) -> list[list[str]]:
    return [msgspec.json.decode(body)["surrogate_keys"] for _, body in cache.got]


async def test_a_change_is_told_with_every_key_that_it_outdates(market: Market, cache: Receiver) -> None:
    ada = market.member("Ada")
    made = await ada.create()
    await tell(market)
    cache.got.clear()
    for summary in ("Counts", "Computes", "Weaves"):
        await ada.patch(f"{PROJECTS}/{made['slug']}", {"summary": summary})
    await tell(market)
    ((headers, body),) = cache.got
    shown = await market.nobody().get(f"{PROJECTS}/{made['slug']}")
    expected = {f"project/{made['id']}", "all-projects", "unknown-projects"}
    assert expected < set(msgspec.json.decode(body)["surrogate_keys"])
    assert set(headers["surrogate-key"].split()) == set(msgspec.json.decode(body)["surrogate_keys"])
    # The page itself carries one of them, so a cache knows which it is.
    assert set(shown.headers["surrogate-key"].split()) & set(headers["surrogate-key"].split())
    assert (headers["authorization"], headers["content-type"]) == (f"Bearer {TOKEN}", "application/json")
    await tell(market)
    assert len(cache.got) == 1


async def test_what_was_not_heard_is_told_again_later_and_later_and_said_to_the_operator(
    market: Market, cache: Receiver, clock: ManualClock
) -> None:
    cache.answers = [AWAY, AWAY, DONE]
    await market.member("Ada").create()
    await tell(market)
    assert "503" in market.module.plug.notices()["purging"]
    await tell(market)
    assert len(cache.got) == 1
    clock.advance(2)
    await tell(market)
    clock.advance(2)
    await tell(market)
    assert len(cache.got) == 2
    clock.advance(2)
    await tell(market)
    assert len(cache.got) == 3
    assert len({tuple(keys) for keys in keys_told(cache)}) == 1
    assert "purging" not in market.module.plug.notices()


async def test_what_is_outdated_again_while_it_is_told_is_told_again(market: Market, cache: Receiver) -> None:
    ada = market.member("Ada")
    made = await ada.create()
    cache.opened.clear()
    telling = asyncio.create_task(tell(market))
    await cache.called.wait()
    await ada.patch(f"{PROJECTS}/{made['slug']}", {"summary": "Computes"})
    await market.deliver()
    cache.opened.set()
    await telling
    await tell(market)
    assert sum(f"project/{made['id']}" in keys for keys in keys_told(cache)) == 2


async def test_a_process_that_dies_while_it_tells_leaves_its_keys_to_the_next(
    parts: Parts, clock: ManualClock, settings: MarketplaceSettings, cache: Receiver
) -> None:
    identity = IdentityInMemory(clock)
    async with running(parts, clock, settings, identity) as market:
        await market.member("Ada").create()
        cache.opened.clear()
        telling = asyncio.create_task(tell(market))
        await cache.called.wait()
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        cache.opened.set()
    async with running(parts, clock, settings, identity) as later:
        await tell(later)
        assert len(cache.got) == 1
        clock.advance(60)
        await tell(later)
    first, second = keys_told(cache)
    assert first == second


async def test_many_keys_are_told_in_few_calls(market: Market, cache: Receiver) -> None:
    ids = tuple(ProjectId(new_id("prj")) for _ in range(2 * MOST_KEYS))
    async with MarketplaceWork(market.parts) as work:
        work.publish(ProjectsImported(project_ids=ids, at=market.clock.now()))
    await tell(market)
    told = keys_told(cache)
    assert [len(keys) for keys in told] == [MOST_KEYS, MOST_KEYS, 4]
    assert {f"project/{project_id}" for project_id in ids} < {key for keys in told for key in keys}
    assert all(len(headers["surrogate-key"]) < 8_000 for headers, _ in cache.got)


async def test_without_a_webhook_nothing_is_kept(parts: Parts, clock: ManualClock) -> None:
    plain = MarketplaceSettings(project_writes_per_minute=100_000)
    async with running(parts, clock, plain, IdentityInMemory(clock)) as market:
        await market.member("Ada").create()
        await market.deliver()
        async with MarketplaceWork(market.parts) as work:
            assert not await work.stores.purges.any_due(clock.now())
        assert not any("cache in front" in job.name for job in market.module.plug.jobs)


@pytest.mark.parametrize(
    "url", ["http://cdn.example.org/purge", "https://a:b@cdn.example.org", "https://", "http://192.0.2.1.example.org/"]
)
def test_an_address_that_would_give_the_token_away_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        build_purger(MarketplaceSettings(marketplace_purge_url=url, marketplace_purge_token="secret"))
    assert "OCP_MARKETPLACE_PURGE_URL" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_addresses_within_the_servers_own_networks_need_no_encryption() -> None:
    for url in ("http://varnish:6081/purge", "http://127.0.0.1/", "http://10.0.0.7/", "https://cdn.example.org/purge"):
        purger = build_purger(MarketplaceSettings(marketplace_purge_url=url, marketplace_purge_token="secret"))
        assert "secret" not in repr(purger)
    for url, token in (("", "alone"), ("http://varnish/", "\n")):
        with pytest.raises(SettingsError):
            build_purger(MarketplaceSettings(marketplace_purge_url=url, marketplace_purge_token=token))
