"""
An index in a process of its own: it takes whatever it is asked, and may end at any moment. Then people wait for
seconds, and nothing is missing afterwards.
"""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.marketplace.adapters.catalog.apart import ApartCatalog
from opencode.modules.marketplace.adapters.catalog.growing import GrowingCatalog, GrowingSnapshots
from opencode.modules.marketplace.domain.catalog import IndexLost, Order
from opencode.modules.marketplace.service import catalogue as catalogue_service
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.doubles.identity import IdentityInMemory
from tests.modules.marketplace import test_catalogue
from tests.modules.marketplace.conftest import PROJECTS, Market, running


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_service, "RETRY_S", 0.01)


@pytest.fixture(params=["kept", "kept nowhere"])
async def market(
    parts: Parts, clock: ManualClock, settings: MarketplaceSettings, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncGenerator[Market]:
    """Its index is in a process of its own from the first project on."""
    snapshots = GrowingSnapshots(tmp_path, large=1) if request.param == "kept" else None
    index = GrowingCatalog(large=1)
    async with running(parts, clock, settings, IdentityInMemory(clock), index=index, snapshots=snapshots) as market:
        yield market


def process_of(market: Market) -> int:
    index = market.module.catalogue._index
    assert isinstance(index, GrowingCatalog)
    assert isinstance(index.index, ApartCatalog)
    assert index.index._process
    return index.index._process.pid


async def lost(market: Market) -> None:
    """Kill the process, and wait until the server knows."""
    os.kill(process_of(market), signal.SIGKILL)
    await market.module.catalogue._index.lost()


async def test_when_it_is_killed_searching_says_so_and_finds_everything_again(market: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Weft")
    await market.module.catalogue._index.seal()
    await market.module.catalogue.keep()
    await ada.create("Warp")
    first = process_of(market)
    await lost(market)
    said = await ada.get(PROJECTS, q="weft")
    assert said.status_code == 503
    assert said.headers["retry-after"]
    await ada.create("Heddle")
    await market.module.catalogue.filled()
    assert await ada.names(sort="name") == ["heddle", "warp", "weft"]
    assert process_of(market) != first
    assert (await market.module.catalogue.check()).disagreements == 0


async def test_it_may_be_killed_again_while_it_is_filled(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = market.member("Ada")
    for title in ("Weft", "Warp"):
        await ada.create(title)
    seal, kills = GrowingCatalog.seal, 3

    async def killed(index: GrowingCatalog) -> None:
        nonlocal kills
        kills -= 1
        if kills > 0 and isinstance(index.index, ApartCatalog):
            assert index.index._process
            os.kill(index.index._process.pid, signal.SIGKILL)
        await seal(index)

    monkeypatch.setattr(GrowingCatalog, "seal", killed)
    await lost(market)
    await asyncio.sleep(0)
    await market.module.catalogue.filled()
    assert kills <= 0
    assert await ada.names(sort="name") == ["warp", "weft"]


async def test_a_rebuild_leaves_one_process_and_a_failed_one_leaves_the_one_before(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = market.member("Ada")
    await ada.create("Weft")
    first = process_of(market)
    assert await market.module.catalogue.rebuild() == 1
    second = process_of(market)
    assert first != second
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    with monkeypatch.context() as patched:

        async def killed(index: GrowingCatalog) -> None:
            assert isinstance(index.index, ApartCatalog)
            assert index.index._process
            os.kill(index.index._process.pid, signal.SIGKILL)
            await index.index.lost()
            await index.index.seal()

        patched.setattr(GrowingCatalog, "seal", killed)
        with pytest.raises(IndexLost):
            await market.module.catalogue.rebuild()
    assert process_of(market) == second
    assert await ada.names() == ["weft"]


@pytest.mark.parametrize("order", Order)
async def test_a_forged_position_is_a_page_or_a_refusal_there_too(market: Market, order: Order) -> None:
    await test_catalogue.test_whatever_a_forged_position_says_it_is_a_page_or_a_refusal(market, order)


@pytest.mark.parametrize("typed", ["%ED%A0%80", "%00", "%FF", "%F0%9F%A6%80", "%C3%BC" * 200, "a" * 200, "+" * 200])
async def test_whatever_bytes_are_typed_it_answers_and_goes_on(market: Market, typed: str) -> None:
    await market.member().create("Weft")
    assert (await market.nobody().call("GET", f"{PROJECTS}?q={typed}")).status_code in (200, 400)
    assert await market.nobody().names(q="weft") == ["weft"]
