"""The configuration while the server runs: good files go live whole, bad ones change nothing."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from tests.modules.ai.conftest import Ai, running_ai, write


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


def lab(*models: str, port: int = 9) -> dict[str, object]:
    return {"lab": {"type": "custom", "base_url": f"http://127.0.0.1:{port}/v1", "models": list(models)}}


async def look_twice(ai: Ai) -> None:
    """What the job does until a change has settled."""
    await ai.module.live.look()
    await ai.module.live.look()


@pytest.fixture
async def ai(parts: Parts, clock: ManualClock, folder: Path) -> AsyncGenerator[Ai]:
    write(folder, providers=lab("one"))
    async with running_ai(parts, clock, folder) as ai:
        yield ai


async def test_a_good_file_is_in_force_after_it_has_settled(ai: Ai) -> None:
    before = ai.module.live.current
    ai.write(providers=lab("one", "two"))
    await look_twice(ai)
    after = ai.module.live.current
    assert after.registry.resolve("lab/two").deployments[0].model == "two"
    assert (after.version, after.digest != before.digest) == (before.version + 1, True)
    assert list(before.registry.upstreams["lab"].headers) == []
    assert [each.model for each in before.registry.deployments] == ["one"], "who has begun with it ends with it"


async def test_a_file_that_says_the_same_makes_no_new_snapshot(ai: Ai) -> None:
    before = ai.module.live.current
    ai.write(providers=lab("one"))
    await look_twice(ai)
    assert ai.module.live.current is before


async def test_a_bad_file_changes_nothing_and_is_told_until_it_is_corrected(ai: Ai) -> None:
    before = ai.module.live.current
    ai.write(providers={"lab": {"type": "lokal"}})
    await look_twice(ai)
    assert ai.module.live.current is before
    assert ai.module.live.refused
    assert "opencode.json:5:12: providers.lab.type must be one of" in ai.module.live.refused.mistakes[0]
    assert "the one before stays in force" in ai.module.plug.notices()["ai configuration"]
    ai.write(providers=lab("two"))
    await look_twice(ai)
    assert ai.module.live.refused is None
    assert "ai configuration" not in ai.module.plug.notices()


async def test_a_file_that_goes_away_is_a_mistake_and_not_the_end_of_ai(ai: Ai) -> None:
    before = ai.module.live.current
    (ai.folder / "opencode.json").unlink()
    await look_twice(ai)
    assert ai.module.live.current is before
    assert ai.module.live.refused


async def test_a_secret_file_that_changes_is_read_again(ai: Ai) -> None:
    key = ai.folder / "lab.key"
    key.write_text("first\n")
    ai.write(providers={"lab": {**lab("one")["lab"], "api_key": "{file:lab.key}"}})  # type: ignore[dict-item]
    await look_twice(ai)
    key.write_text("second and longer\n")
    await look_twice(ai)
    upstream = ai.module.live.current.registry.upstreams["lab"]
    assert upstream.api_key == "second and longer"
    assert upstream.key_source == "the file lab.key"
    assert "second" not in repr(upstream)


async def test_a_server_with_a_bad_file_starts_without_ai_and_says_so(
    parts: Parts, clock: ManualClock, folder: Path
) -> None:
    (folder / "opencode.json").write_text("{ this is no JSON")
    async with running_ai(parts, clock, folder) as ai:
        assert ai.module.live.current.version == 0
        assert "there is no AI until it is corrected" in ai.module.plug.notices()["ai configuration"]
        ai.write(providers=lab("one"))
        await look_twice(ai)
        assert ai.module.live.current.version == 1


async def test_two_hundred_readers_never_see_two_configurations_at_once(ai: Ai) -> None:
    done = asyncio.Event()

    async def read() -> int:
        seen = 0
        while not done.is_set():
            snapshot = ai.module.live.current
            (provider,) = snapshot.configuration.providers.values()
            await asyncio.sleep(0)
            (deployment,) = snapshot.registry.deployments
            number = int(deployment.upstream.base_url.rpartition(":")[2].partition("/")[0])
            assert provider.base_url == deployment.upstream.base_url
            assert deployment.model in ("one", f"m{number}")
            seen = max(seen, snapshot.version)
        return seen

    readers = [asyncio.create_task(read()) for _ in range(200)]
    for number in range(10, 20):
        ai.write(providers=lab(f"m{number}", port=number))
        await ai.module.live.reload()
    done.set()
    assert min(await asyncio.gather(*readers)) >= 10, "each of them saw the swaps"
