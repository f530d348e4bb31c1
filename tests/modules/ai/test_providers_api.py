"""Providers over the API: seen, tested, added and deleted by administrators, on both databases; never a key."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from opencode.infra.plugs import Parts
from opencode.infra.security import Keyring
from opencode.kernel.clock import ManualClock
from opencode.modules.ai.domain.health import HealthState
from opencode.modules.ai.service.storing import Storing
from opencode.modules.ai.settings import AiSettings
from tests.modules.ai.conftest import PROVIDERS, Ai, running_ai
from tests.modules.ai.upstreams import KEY, MockUpstream, Mode

CONFIGURATION = "/api/v1/ai/configuration"
MODELS = "/api/v1/ai/models"
PRESETS = "/api/v1/ai/presets"


def lab(upstream: MockUpstream, **more: Any) -> dict[str, Any]:
    return {"type": "custom", "base_url": upstream.openai_url, "models": ["small"], "api_key": KEY, **more}


async def test_a_provider_that_is_added_is_in_force_at_once_and_its_key_is_sealed(
    ai: Ai, upstream: MockUpstream
) -> None:
    upstream.wants_key = True
    admin = ai.administrator()
    added = await admin.put("lab", **lab(upstream, headers={"x-team": "secret-team"}, revision=0))
    assert added.status_code == 200, added.text
    view = added.json()
    assert (view["layer"], view["has_key"], view["key_source"]) == ("database", True, "the database")
    assert (view["header_names"], view["revision"], view["state"]) == (["x-team"], 1, "unknown")
    tested = await admin.call("POST", f"{PROVIDERS}/lab/test")
    assert tested.json()["state"] == "healthy", tested.text
    assert ai.module.live.current.registry.resolve("lab/small").deployments[0].upstream.api_key == KEY
    async with ai.parts.database.read() as connection:
        row = (await connection.execute(text("select * from ai_providers"))).one()
    for secret in (KEY, "secret-team"):
        assert secret not in str(row)
        for path in (PROVIDERS, f"{PROVIDERS}/lab", CONFIGURATION, f"{CONFIGURATION}/values", MODELS):
            assert secret not in (await admin.get(path)).text
    assert [(each.kind, each.subject_id) for each in ai.identity.audit] == [("ai.provider_added", "lab")]


async def test_only_administrators_see_and_change_providers(ai: Ai, upstream: MockUpstream) -> None:
    for who, status in ((ai.member("ai:use"), 403), (ai.nobody(), 401)):
        answers = [
            await who.get(PROVIDERS),
            await who.get(f"{PROVIDERS}/lab"),
            await who.call("POST", f"{PROVIDERS}/lab/test"),
            await who.put("lab", **lab(upstream)),
            await who.call("DELETE", f"{PROVIDERS}/lab"),
            await who.get(PRESETS),
            await who.get(CONFIGURATION),
            await who.get(f"{CONFIGURATION}/values"),
        ]
        assert {each.status_code for each in answers} == {status}


async def test_what_is_wrong_with_a_provider_is_told_by_field_and_changes_nothing(ai: Ai) -> None:
    admin = ai.administrator()
    bad = await admin.put("lab", type="custom", base_url="nowhere", models=["a", "a"], concurrency=0)
    assert bad.status_code == 400, bad.text
    assert {each["pointer"] for each in bad.json()["errors"]} == {"/base_url", "/concurrency"}
    twice = await admin.put("lab", type="custom", base_url="http://127.0.0.1:9", models=["a", "a"])
    assert [each["pointer"] for each in twice.json()["errors"]] == ["/models/1"]
    for name in ("a b", "x" * 70, "…"):
        assert (await admin.put(name, type="custom", base_url="http://127.0.0.1:9", models=["a"])).status_code == 400
    assert (await admin.put("lab", type="custom", entry_point="os:system")).status_code == 400
    assert (await admin.get(PROVIDERS)).json()["items"] == []


async def test_nothing_of_the_server_is_filled_into_what_an_administrator_writes(
    ai: Ai, upstream: MockUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCP_TEST_SECRET", "the server's own")
    admin = ai.administrator()
    written = "${OCP_TEST_SECRET} {file:/etc/hostname}"
    assert (await admin.put("lab", **lab(upstream, headers={"x-a": written}))).status_code == 200
    assert ai.module.live.current.registry.upstreams["lab"].headers == {"x-a": written}


async def test_a_kept_key_goes_only_where_it_went_before(ai: Ai, upstream: MockUpstream) -> None:
    admin = ai.administrator()
    await admin.put("lab", **lab(upstream))
    kept = await admin.put("lab", **lab(upstream, api_key=None, models=["small", "large"]))
    assert (kept.json()["has_key"], kept.json()["revision"], kept.json()["models"]) == (True, 2, 2)
    moved = await admin.put("lab", **lab(upstream, api_key=None, base_url="http://127.0.0.1:9/v1"))
    assert (moved.status_code, moved.json()["errors"][0]["pointer"]) == (400, "/api_key")
    without = await admin.put("lab", **lab(upstream, api_key=""))
    assert without.json()["has_key"] is False


async def test_a_change_begins_from_what_was_stored(ai: Ai, upstream: MockUpstream) -> None:
    admin = ai.administrator()
    settings = (await admin.put("lab", **lab(upstream, weight=2.0))).json()["settings"]
    assert (settings["models"], settings["weight"], settings["preset"]) == (["small"], 2.0, None)
    again = await admin.put("lab", **settings)
    assert (again.json()["settings"], again.json()["has_key"]) == (settings, True)
    ollama = next(each for each in (await admin.get(PRESETS)).json()["items"] if each["name"] == "ollama")
    assert (ollama["dialect"], ollama["needs_key"]) == ("ollama", False)


async def test_what_is_written_of_a_model_is_in_force_and_a_change_of_it_begins_from_there(
    ai: Ai, upstream: MockUpstream
) -> None:
    admin = ai.administrator()
    small = {
        "name": "small",
        "context_window": 8_192,
        "max_output_tokens": 1_024,
        "capabilities": ["chat", "tools"],
        "price": {"input": 0.15, "output": 0.6, "cached_input": 0.075},
    }
    put = await admin.put("lab", **lab(upstream, models=[small, {"name": "large"}, "third"]))
    assert put.status_code == 200, put.text
    models = {each["name"]: each for each in (await admin.get(MODELS)).json()["items"]}
    shown = models["lab/small"]
    assert (shown["context_window"], shown["max_output_tokens"]) == (8_192, 1_024)
    assert (shown["capabilities"], shown["price"]["input_usd"]) == (["chat", "tools"], 0.15)
    assert shown["price"]["cached_input_usd"] == 0.075
    assert [models[f"lab/{name}"]["price"] for name in ("large", "third")] == [None, None]
    settings = put.json()["settings"]
    assert settings["models"][1:] == ["large", "third"]
    again = await admin.put("lab", **settings)
    assert again.json()["settings"] == settings


@pytest.mark.parametrize(
    ("model", "pointer"),
    [
        ({"name": "small", "context_window": -1}, "/models/0/context_window"),
        ({"name": "small", "capabilities": ["telepathy"]}, "/models/0/capabilities"),
        ({"name": "small", "price": {"output": 1}}, "/models/0/price/input"),
        ({"name": "small", "price": {"input": 1e9}}, "/models/0/price/input"),
        ({"name": "small", "colour": "red"}, "/models/0/colour"),
        ({"context_window": 1}, "/models/0/name"),
        (7, "/models/0"),
    ],
)
async def test_what_cannot_be_of_a_model_is_told_at_its_place(
    ai: Ai, upstream: MockUpstream, model: object, pointer: str
) -> None:
    refused = await ai.administrator().put("lab", **lab(upstream, models=[model]))
    assert refused.status_code == 400
    assert [each["pointer"] for each in refused.json()["errors"]] == [pointer], refused.text


async def test_a_change_of_an_earlier_state_is_refused(ai: Ai, upstream: MockUpstream) -> None:
    admin = ai.administrator()
    await admin.put("lab", **lab(upstream, revision=0))
    assert (await admin.put("lab", **lab(upstream, revision=0))).status_code == 412
    assert (await admin.put("lab", **lab(upstream, revision=1))).json()["revision"] == 2
    both = await asyncio.gather(*(admin.put("lab", **lab(upstream, revision=2)) for _ in range(2)))
    assert sorted(each.status_code for each in both) == [200, 412]


async def test_a_provider_of_a_file_is_changed_in_its_file_and_hides_a_stored_one(
    ai: Ai, upstream: MockUpstream
) -> None:
    admin = ai.administrator()
    await admin.put("lab", **lab(upstream))
    ai.write(providers={"lab": {"type": "custom", "base_url": "http://127.0.0.1:9/v1", "models": ["theirs"]}})
    await ai.module.live.reload()
    shown = (await admin.get(f"{PROVIDERS}/lab")).json()
    assert (shown["layer"], shown["has_key"]) == ("named", False)
    assert shown["place"].endswith("opencode.json:4:3")
    assert "passed over" in ai.module.plug.notices()["ai provider lab"]
    refused = await admin.put("lab", **lab(upstream))
    assert (refused.status_code, "opencode.json:4:3" in refused.json()["detail"]) == (409, True)
    assert (await admin.call("DELETE", f"{PROVIDERS}/lab")).status_code == 204
    assert (await admin.call("DELETE", f"{PROVIDERS}/lab")).status_code == 409


async def test_a_provider_that_an_alias_names_is_not_deleted(ai: Ai, upstream: MockUpstream) -> None:
    admin = ai.administrator()
    await admin.put("lab", **lab(upstream))
    ai.write(aliases={"fast": "lab/small"})
    await ai.module.live.reload()
    refused = await admin.call("DELETE", f"{PROVIDERS}/lab")
    assert refused.status_code == 400
    assert "There is no provider 'lab'." in refused.json()["detail"]
    ai.write()
    await ai.module.live.reload()
    assert (await admin.call("DELETE", f"{PROVIDERS}/lab")).status_code == 204
    assert (await admin.call("DELETE", f"{PROVIDERS}/lab")).status_code == 404
    assert ai.module.live.current.registry.upstreams == {}


async def test_other_servers_take_over_what_was_stored(ai: Ai, upstream: MockUpstream) -> None:
    async with running_ai(ai.parts, ai.clock, ai.folder, ai.identity) as other:
        taken_over = asyncio.Event()
        other.module.live.on_swap = lambda _snapshot: taken_over.set()
        await ai.administrator().put("lab", **lab(upstream))
        async with asyncio.timeout(10):
            await taken_over.wait()
        assert other.module.live.current.registry.upstreams["lab"].api_key == KEY
        assert other.module.live.current.digest == ai.module.live.current.digest


async def test_a_new_key_in_the_key_file_seals_anew_at_the_next_start(
    parts: Parts, clock: ManualClock, ai: Ai, upstream: MockUpstream
) -> None:
    await ai.administrator().put("lab", **lab(upstream))
    storing = Storing(parts.database, Keyring(ai.folder / "sealing.keys"))
    new = storing.keyring.add_key()
    async with running_ai(parts, clock, ai.folder, ai.identity) as other:
        assert other.module.live.current.registry.upstreams["lab"].api_key == KEY
    (stored,) = await storing.all()
    assert stored.sealed
    assert stored.sealed.startswith(new)
    assert await storing.reseal() == 0


async def test_a_lost_key_file_costs_the_stored_keys_and_nothing_else(
    parts: Parts, clock: ManualClock, ai: Ai, upstream: MockUpstream
) -> None:
    await ai.administrator().put("lab", **lab(upstream))
    (ai.folder / "sealing.keys").unlink()
    async with running_ai(parts, clock, ai.folder, ai.identity) as other:
        admin = other.administrator()
        shown = (await admin.get(f"{PROVIDERS}/lab")).json()
        assert shown["problem"] == "Its stored key cannot be opened: give it again."
        assert "cannot be opened" in other.module.plug.notices()["ai provider lab"]
        assert (await admin.put("lab", **lab(upstream, api_key=None, headers={}))).status_code == 400
        assert (await admin.put("lab", **lab(upstream))).json()["problem"] == ""


async def test_failing_providers_are_told_and_retried_while_the_others_serve(ai: Ai, upstream: MockUpstream) -> None:
    admin, providers = ai.administrator(), ai.module.providers
    await admin.put("lab", **lab(upstream))
    await admin.put("gone", type="custom", base_url="http://127.0.0.1:9/v1", models=["x"])
    upstream.mode = Mode.FAILS
    providers.look()
    await providers.settle()
    listed = {each["name"]: each for each in (await admin.get(PROVIDERS)).json()["items"]}
    assert {name: each["state"] for name, each in listed.items()} == {"gone": "failing", "lab": "failing"}
    assert "is refused" in listed["gone"]["reason"]
    assert "127.0.0.1" not in str(ai.module.plug.notices()), "anybody reads these"
    upstream.mode = Mode.FINE
    providers.look()
    assert upstream.count("/v1/models") == 1, "not before it is due"
    ai.clock.advance(10)
    providers.look()
    await providers.settle()
    assert providers.health_of("lab").state is HealthState.HEALTHY
    assert providers.health_of("gone").state is HealthState.FAILING


async def test_whoever_asks_for_a_test_that_is_under_way_gets_its_result(ai: Ai, upstream: MockUpstream) -> None:
    admin = ai.administrator()
    await admin.put("lab", **lab(upstream))
    answers = await asyncio.gather(*(admin.call("POST", f"{PROVIDERS}/lab/test") for _ in range(5)))
    assert {each.json()["state"] for each in answers} == {"healthy"}
    assert upstream.count("/v1/models") == 1
    rest = [await admin.call("POST", f"{PROVIDERS}/lab/test") for _ in range(26)]
    assert [each.status_code for each in rest].count(429) == 1


async def test_models_that_a_provider_tells_are_listed_for_those_who_may_use_them(
    ai: Ai, upstream: MockUpstream
) -> None:
    teams = {"blue": {"members": ["ada@example.org"], "models": ["lab/small", "fast"]}}
    provider = {"type": "custom", "base_url": upstream.openai_url, "discover": True}
    ai.write(providers={"lab": provider}, aliases={"fast": "lab/large", "slow": "lab/large"}, teams=teams)
    await ai.module.live.reload()
    ai.module.providers.look()
    await ai.module.providers.settle()

    async def names(**query: Any) -> list[str]:
        return [each["name"] for each in (await who.get(MODELS, **query)).json()["items"]]

    who = ai.member("ai:use")
    assert await names() == ["fast", "lab/large", "lab/small", "slow"]
    first = (await who.get(MODELS, limit=3)).json()
    assert await names(cursor=first["next_cursor"]) == ["slow"]
    assert first["items"][0]["targets"] == ["lab/large"]
    assert first["items"][0]["state"] == "healthy"
    who = ai.member("ai:use", email="Ada@example.org")
    assert await names() == ["fast", "lab/small"]
    who = ai.member()
    assert await names() == []
    assert (await ai.nobody().get(MODELS)).status_code == 401


async def test_the_configuration_is_shown_with_places_and_what_was_refused(ai: Ai, upstream: MockUpstream) -> None:
    admin = ai.administrator()
    ai.write(providers={"file": {"type": "custom", "base_url": "http://127.0.0.1:9", "models": ["x"], "api_key": "k1"}})
    await ai.module.live.reload()
    await admin.put("lab", **lab(upstream))
    ai.write(providers={"file": {"type": "nothing"}})
    await ai.module.live.reload()
    whole = (await admin.get(CONFIGURATION)).json()
    assert [each["layer"] for each in whole["layers"]] == ["named", "database"]
    assert whole["effective"]["providers"]["file"]["api_key"] == "••••••"
    assert whole["refused"]["count"] == 1
    assert "opencode.json:5:" in whole["refused"]["mistakes"][0]
    values = (await admin.get(f"{CONFIGURATION}/values", key="providers.lab")).json()["items"]
    assert {each["layer"] for each in values} == {"database"}
    of_file = (await admin.get(f"{CONFIGURATION}/values", key="providers.file.models")).json()["items"]
    assert of_file[0]["place"].endswith("opencode.json:8:5")


async def test_no_more_providers_are_stored_than_the_operator_allows(
    parts: Parts, clock: ManualClock, ai: Ai, upstream: MockUpstream
) -> None:
    async with running_ai(parts, clock, ai.folder, ai.identity, settings=AiSettings(ai_stored_providers=1)) as small:
        admin = small.administrator()
        assert (await admin.put("lab", **lab(upstream))).status_code == 200
        assert (await admin.put("lab2", **lab(upstream))).status_code == 409
        assert (await admin.put("lab", **lab(upstream))).status_code == 200
