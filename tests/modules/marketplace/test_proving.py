"""Owners prove their repositories without a human to wait for, and what is proved does not outlive its truth."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from opencode.infra.fetching import Fetcher, Reach
from opencode.kernel.clock import ManualClock
from opencode.modules.marketplace.adapters.dns import TxtResolver
from opencode.modules.marketplace.adapters.proofs import Proofs
from opencode.modules.marketplace.domain.proofs import repository_key
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.web_server import WebServer, answer_of, serving

from .conftest import PROJECTS, Market, Person
from .name_server import NameServer, naming, text_record

PATH = f"{PROJECTS}/ada.engine"
PROOFS = f"{PATH}/proofs"
FILE = "/.well-known/opencode.txt"
DAY_S = 86_400


@pytest.fixture
def settings() -> MarketplaceSettings:
    return MarketplaceSettings(
        project_writes_per_minute=100_000, proof_checks_per_hour=8, proof_days=7, proof_grace_days=3
    )


@pytest.fixture
async def web() -> AsyncGenerator[WebServer]:
    async with serving() as web:
        yield web


@pytest.fixture
async def names() -> AsyncGenerator[NameServer]:
    async with naming() as names:
        yield names


@dataclass(frozen=True, slots=True)
class Gated(Proofs):
    """Looks for files once the gate is open."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def site_has(self, domain: str, token: str) -> bool:
        self.arrived.set()
        await self.gate.wait()
        return await Proofs.site_has(self, domain, token)


async def _loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@pytest.fixture
def proofs(web: WebServer, names: NameServer) -> Gated:
    gated = Gated(
        Fetcher(Reach(private_too=True, resolve=_loopback), timeout_s=5),
        TxtResolver([names.address], timeout_s=1),
        site=f"http://{{domain}}:{web.port}",
    )
    gated.gate.set()
    return gated


async def begun(person: Person, method: str = "file", proofs_at: str = PROOFS) -> dict[str, Any]:
    answer = await person.post(proofs_at, {"method": method})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def checked(person: Person, proof: dict[str, Any], proofs_at: str = PROOFS) -> dict[str, Any]:
    answer = await person.post(f"{proofs_at}/{proof['id']}/check")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def proved(person: Person, web: WebServer, proofs_at: str = PROOFS) -> dict[str, Any]:
    proof = await begun(person, "file", proofs_at)
    web.says[FILE] = answer_of(f"{proof['token']}\n".encode())
    return await checked(person, proof, proofs_at)


async def test_a_file_on_the_repositorys_host_proves_it_and_everybody_sees_that(market: Market, web: WebServer) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    await ada.create("Engine")
    proof = await begun(ada)
    assert (proof["state"], proof["repository"]) == ("pending", "git.example.org/ada/engine")
    assert "https://git.example.org/.well-known/opencode.txt" in proof["todo"]
    assert (await begun(ada))["id"] == proof["id"]

    missing = await checked(ada, proof)
    assert (missing["state"], "was not there" in missing["message"]) == ("pending", True)
    assert (await grace.get(PATH)).json()["verified"] is None

    web.says[FILE] = answer_of(proof["token"].encode())
    assert (await checked(ada, proof))["state"] == "verified"
    seen = (await grace.get(PATH)).json()["verified"]
    assert seen["method"] == "file"
    assert (await grace.search())["items"][0]["verified"] == seen
    assert (await ada.get(PROOFS)).json()["items"][0]["verified_at"] == seen["at"]


async def test_a_record_of_the_repositorys_host_proves_it(market: Market, names: NameServer) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    proof = await begun(ada, "dns")
    names.texts["git.example.org"] = [text_record(f"opencode-verify={proof['token']}".encode())]
    assert (await checked(ada, proof))["state"] == "verified"
    assert (await ada.get(PATH)).json()["verified"]["method"] == "dns"


async def test_a_host_in_trouble_is_told_in_words_and_changes_nothing(market: Market, web: WebServer) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    await proved(ada, web)
    web.says[FILE] = answer_of(b"", status="500 Oops")
    proof = (await ada.get(PROOFS)).json()["items"][0]
    after = await checked(ada, proof)
    assert (after["state"], "500" in after["message"]) == ("failing", True)
    assert (await ada.get(PATH)).json()["verified"]


async def test_another_repository_is_not_proved_and_another_address_of_the_same_is(
    market: Market, web: WebServer
) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    await proved(ada, web)
    same = await ada.patch(PATH, {"repository_url": "http://GIT.example.org/ada/engine.git/", "summary": "New."})
    assert same.json()["verified"]
    other = await ada.patch(PATH, {"repository_url": "https://git.example.org/grace/compiler"})
    assert other.json()["verified"] is None
    back = await ada.patch(PATH, {"repository_url": "https://git.example.org/ada/engine"})
    assert back.json()["verified"] is None
    (void,) = (await ada.get(PROOFS)).json()["items"]
    assert (void["state"], "another repository" in void["message"]) == ("void", True)
    assert (await checked(ada, void))["state"] == "void"
    assert (await proved(ada, web))["state"] == "verified"


async def test_a_check_that_ends_after_the_repository_was_changed_proves_nothing(
    market: Market, web: WebServer, proofs: Gated
) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    proof = await begun(ada)
    web.says[FILE] = answer_of(proof["token"].encode())
    proofs.gate.clear()
    checking = asyncio.create_task(ada.post(f"{PROOFS}/{proof['id']}/check"))
    await proofs.arrived.wait()
    await ada.patch(PATH, {"repository_url": "https://git.example.org/grace/compiler"})
    proofs.gate.set()
    assert (await checking).json()["state"] == "void"
    assert (await ada.get(PATH)).json()["verified"] is None


async def test_what_was_proved_is_looked_at_again_and_has_a_grace(
    market: Market, web: WebServer, clock: ManualClock
) -> None:
    ada = market.member("Ada")
    await ada.create("Engine")
    await proved(ada, web)
    check_due = market.module.proving.check_due

    async def state() -> tuple[str, bool]:
        (proof,) = (await ada.get(PROOFS)).json()["items"]
        return proof["state"], (await ada.get(PATH)).json()["verified"] is not None

    asked = len(web.got)
    await check_due()
    assert len(web.got) == asked
    clock.advance(7 * DAY_S)
    await asyncio.gather(check_due(), check_due())
    assert len(web.got) == asked + 1
    assert await state() == ("verified", True)

    del web.says[FILE]
    clock.advance(7 * DAY_S)
    await check_due()
    assert await state() == ("failing", True)
    clock.advance(2 * DAY_S)
    await check_due()
    assert await state() == ("failing", True)
    clock.advance(DAY_S)
    await check_due()
    assert await state() == ("void", False)
    clock.advance(30 * DAY_S)
    asked = len(web.got)
    await check_due()
    assert len(web.got) == asked


async def test_two_who_prove_the_same_repository_learn_of_each_other(market: Market, web: WebServer) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    await ada.create("Engine")
    assert (await proved(ada, web))["also_proved_by"] == []
    await grace.create("Fork")
    later = await proved(grace, web, f"{PROJECTS}/grace.fork/proofs")
    assert later["also_proved_by"] == ["ada.engine"]
    assert (await ada.get(PROOFS)).json()["items"][0]["also_proved_by"] == ["grace.fork"]


async def test_anothers_token_proves_nothing(market: Market, web: WebServer) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    await ada.create("Engine")
    await grace.create("Engine")
    await proved(ada, web)
    proof = await begun(grace, "file", f"{PROJECTS}/grace.engine/proofs")
    assert (await checked(grace, proof, f"{PROJECTS}/grace.engine/proofs"))["state"] == "pending"


async def test_only_its_owner_proves_a_project_and_takes_a_proof_back(market: Market, web: WebServer) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    await ada.create("Engine")
    proof = await proved(ada, web)
    assert (await grace.get(PROOFS)).status_code == 403
    assert (await grace.post(PROOFS, {"method": "file"})).status_code == 403
    assert (await grace.post(f"{PROOFS}/{proof['id']}/check")).status_code == 403
    assert (await grace.delete(f"{PROOFS}/{proof['id']}")).status_code == 403
    assert (await market.nobody().get(PROOFS)).status_code == 401
    assert (await ada.delete(f"{PROOFS}/prf_none")).status_code == 404
    assert (await ada.delete(f"{PROOFS}/{proof['id']}")).status_code == 204
    assert (await ada.get(PATH)).json()["verified"] is None
    assert (await ada.post(PROOFS, {"method": "word of honour"})).status_code == 400


async def test_what_has_no_repository_has_nothing_to_prove_and_checks_are_counted(market: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Engine", repository_url=None)
    assert (await ada.post(PROOFS, {"method": "file"})).status_code == 409
    await ada.patch(PATH, {"repository_url": f"https://git.example.org/{'ü' * 900}"})
    assert (await ada.post(PROOFS, {"method": "file"})).status_code == 409
    await ada.patch(PATH, {"repository_url": "https://git.example.org/ada/engine"})
    proof = await begun(ada)
    codes = [(await ada.post(f"{PROOFS}/{proof['id']}/check")).status_code for _ in range(9)]
    assert codes == [200] * 8 + [429]
    assert (await ada.delete(PATH)).status_code == 204


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://github.com/Ada/Engine.git", "github.com/ada/engine"),
        ("https://www.github.com/ada/engine/tree/main", "github.com/ada/engine"),
        ("https://gitlab.com/a/b/c/-/issues", "gitlab.com/a/b/c"),
        ("https://Git.Example.org:8443/Ada/engine/", "git.example.org:8443/Ada/engine"),
        ("https://git.example.org/web?p=engine.git", "git.example.org/web?p=engine.git"),
        (None, None),
    ],
)
def test_all_addresses_of_a_repository_are_one(url: str | None, key: str | None) -> None:
    assert repository_key(url) == key
