"""A catalogue that took minutes to fill is there the next time, and never taken for another one."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.marketplace.catalogue import catalogue
from benchmarks.marketplace.kept import Kept
from benchmarks.marketplace.served import Served
from opencode.modules.marketplace.domain.catalog import Listing

Open = Callable[[], Awaitable[tuple[Served, float | None]]]


@pytest.fixture(scope="module")
def listings() -> list[Listing]:
    return [replace(listing, standing=standing) for listing, standing in catalogue(20)]


@pytest.fixture
async def opened(tmp_path: Path, listings: list[Listing]) -> AsyncGenerator[Open]:
    """Opens another server on the same kept catalogue, after the one before."""
    servers: list[Served] = []

    async def open_() -> tuple[Served, float | None]:
        for earlier in servers:
            await earlier.close()
        servers.append(Served(Kept(tmp_path, listings)))
        return servers[-1], await servers[-1].open(listings)

    yield open_
    for server in servers:
        await server.close()


async def found(server: Served, **asked: str) -> int:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return (await server.call("GET", f"/api/v1/projects?{query}"))["total"]


async def test_what_is_filled_is_used_again_as_it_was(opened: Open) -> None:
    first, filled_s = await opened()
    assert filled_s is not None
    await first.publish("Zebroid")
    await first.restart()
    assert await found(first) == 21
    await first.tidy()
    second, filled_s = await opened()
    assert filled_s is None
    assert (await found(second), await found(second, q="zebroid")) == (20, 0)
    await second.publish("Zebroid")  # by the administrator of the first time


async def test_what_broke_off_while_it_was_filled_is_filled_anew(
    opened: Open, tmp_path: Path, listings: list[Listing]
) -> None:
    kept = Kept(tmp_path, listings)
    kept.begin()
    (kept.folder / "data").mkdir()
    (kept.folder / "data" / "opencode.db").write_text("half a database")
    server, filled_s = await opened()
    assert filled_s is not None
    assert await found(server) == 20


def test_another_size_and_other_words_are_another_catalogue(tmp_path: Path, listings: list[Listing]) -> None:
    other = [replace(listings[0], summary="Something else"), *listings[1:]]
    folders = {Kept(tmp_path, each).folder for each in (listings, listings[:19], other, list(listings))}
    assert len(folders) == 3
