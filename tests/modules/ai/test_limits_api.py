"""Limits that administrators set over the API: who may, what wins, and when they hold. On both databases."""

import asyncio
from typing import Any

import httpx
import pytest

from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import new_id
from opencode.kernel.principal import Credentials
from opencode.modules.ai.domain.configuration.model import Budget, Limits
from opencode.modules.ai.service.callers import Callers
from opencode.modules.ai.settings import AiSettings
from tests.modules.ai.conftest import Ai, Person, running_ai

LIMITS = "/api/v1/ai/limits"
NAMES = ("requests_per_minute", "tokens_per_minute", "concurrency", "budget")
FULL: dict[str, Any] = {
    "requests_per_minute": 60,
    "tokens_per_minute": 1_000,
    "concurrency": 2,
    "budget": {"amount_usd": 20, "period": "month"},
}


async def put(by: Person, whose: str, if_match: str = "", **limits: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {by.token}", **({"if-match": if_match} if if_match else {})}
    return await by.client.put(f"{LIMITS}/{whose}", json=limits, headers=headers)


async def listed(by: Person, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await by.get(LIMITS, cursor=cursor, **query)).json()
        items += page["items"]
        cursor = page["next_cursor"]
    return items


def values(view: dict[str, Any]) -> list[Any]:
    return [view[name]["value"] for name in NAMES]


def layers(view: dict[str, Any]) -> list[Any]:
    return [view[name]["layer"] for name in NAMES]


async def held(ai: Ai, person: Person) -> Limits:
    """What a call of somebody would be held to now."""
    callers = Callers(ai.parts, ai.identity, ai.module.live, ai.module.models)
    known = await callers.known(Credentials(bearer=person.token))
    bounds = callers.bounds(known.caller)
    counts: dict[str, Any] = {bound.measure.name: bound.most for bound in bounds.counts}
    [budget] = bounds.budgets or [None]
    amount = Budget(budget.amount_nano / 10**9, budget.period) if budget else None
    return Limits(counts.get("REQUESTS"), counts.get("TOKENS"), counts.get("CALLS"), amount)


async def test_what_is_set_for_a_person_holds_in_place_of_what_everybody_has_each_limit_alone(ai: Ai) -> None:
    admin, ann, bob = ai.administrator(), ai.member("ai:use"), ai.member("ai:use")
    assert (await put(admin, "everybody", requests_per_minute=60, budget={"amount_usd": 5})).status_code == 200
    assert await held(ai, ann) == Limits(60, None, None, Budget(5.0))
    own = await put(admin, f"person:{ann.id}", requests_per_minute=100, concurrency=1)
    assert own.status_code == 200, own.text
    view = own.json()
    assert (view["whose"], view["kind"], view["subject"], view["label"]) == (
        f"person:{ann.id}",
        "person",
        ann.id,
        "Ada",
    )
    assert values(view) == [100, None, 1, {"amount_usd": "5", "period": "month"}]
    assert layers(view) == ["database", None, "database", None]
    assert (view["changed_by"], view["exists"], view["spent_usd"]) == (admin.id, True, "0")
    assert own.headers["etag"] == f'"{view["version"]}"'
    assert await held(ai, ann) == Limits(100, None, 1, Budget(5.0))
    assert await held(ai, bob) == Limits(60, None, None, Budget(5.0))
    for _ in range(2):
        gone = await admin.call("DELETE", f"{LIMITS}/person:{ann.id}")
        assert gone.status_code == 204
    assert await held(ai, ann) == await held(ai, bob)
    await put(admin, "everybody")
    assert await held(ai, bob) == Limits()
    assert [(line.kind, line.subject_id, line.detail) for line in ai.identity.audit] == [
        ("ai.limits_set", "everybody", "requests_per_minute=60, budget=$5 a month"),
        ("ai.limits_set", f"person:{ann.id}", "requests_per_minute=100, concurrency=1"),
        ("ai.limits_taken_away", f"person:{ann.id}", ""),
        ("ai.limits_taken_away", "everybody", ""),
    ]


async def test_a_person_is_found_by_their_address_however_it_is_written(ai: Ai) -> None:
    admin, ann = ai.administrator(), ai.member("ai:use", email="Ann@example.org")
    view = (await put(admin, "person:ann@EXAMPLE.org", concurrency=3)).json()
    assert (view["whose"], view["email"]) == (f"person:{ann.id}", "Ann@example.org")
    assert await held(ai, ann) == Limits(concurrency=3)


async def test_what_a_file_says_wins_and_is_told_with_its_place_and_the_rest_can_be_set(ai: Ai) -> None:
    admin, ann = ai.administrator(), ai.member("ai:use", email="ann@example.org")
    await put(admin, "everybody", **FULL)
    await put(admin, f"person:{ann.id}", **FULL)
    ai.write(
        limits={"requests_per_minute": 5},
        people={"Ann@Example.org": {"budget": {"amount_usd": 1}}, "new@example.org": {"concurrency": 1}},
        teams={"red": {"members": [], "limits": {"concurrency": 9}}},
    )
    await ai.module.live.reload()
    # A budget of the file has its own period, too: nothing of a stored one is mixed into it.
    assert await held(ai, ann) == Limits(60, 1_000, 2, Budget(1.0))
    everybody, red, *people = await listed(admin, limit=1)
    assert (everybody["whose"], values(everybody)[0]) == ("everybody", 5)
    assert layers(everybody) == ["named", "database", "database", "database"]
    assert everybody["requests_per_minute"]["place"].endswith("opencode.json:4:3")
    assert (red["whose"], layers(red)) == ("team:red", [None, None, "named", None])
    by_whose = {each["whose"]: each for each in people}
    assert layers(by_whose[f"person:{ann.id}"]) == ["database", "database", "database", "named"]
    new = by_whose["person:new@example.org"]
    assert (new["exists"], new["email"], layers(new)) == (False, "new@example.org", [None, None, "named", None])
    refused = await put(admin, "everybody", **FULL)
    assert (refused.status_code, refused.json()["title"]) == (409, "The limit is set in a file")
    assert "opencode.json:4:3" in refused.json()["detail"]
    assert (await put(admin, f"person:{ann.id}", budget={"amount_usd": 2})).status_code == 409
    assert (await put(admin, "everybody", tokens_per_minute=7)).status_code == 200
    assert (await put(admin, "team:red", requests_per_minute=8)).status_code == 200
    explained = (await admin.get("/api/v1/ai/configuration/values", key="teams.red.limits")).json()["items"]
    assert [(each["path"], each["value"], each["layer"]) for each in explained] == [
        ("teams.red.limits.concurrency", 9, "named"),
        ("teams.red.limits.requests_per_minute", 8, "database"),
    ]


async def test_limits_of_a_team_that_no_file_names_any_more_hold_for_nobody_and_can_be_taken_away(ai: Ai) -> None:
    admin = ai.administrator()
    ai.write(teams={"red": {"members": []}})
    await ai.module.live.reload()
    await put(admin, "team:red", concurrency=1)
    ai.write()
    await ai.module.live.reload()
    assert "red" not in ai.module.live.current.configuration.teams
    [_, red] = await listed(admin)
    assert (red["whose"], red["exists"], red["concurrency"]["value"]) == ("team:red", False, None)
    assert (await admin.call("DELETE", f"{LIMITS}/team:red")).status_code == 204
    assert len(await listed(admin)) == 1
    assert (await put(admin, "team:red", concurrency=1)).status_code == 404


async def test_of_two_administrators_who_change_one_thing_the_second_is_told(ai: Ai) -> None:
    one, two, ann = ai.administrator(), ai.administrator(), ai.member("ai:use")
    whose = f"person:{ann.id}"
    read = await one.get(f"{LIMITS}/{whose}")
    assert read.headers["etag"] == '"0"'
    first = await put(one, whose, read.headers["etag"], concurrency=1)
    assert first.status_code == 200
    second = await put(two, whose, read.headers["etag"], concurrency=2)
    assert (second.status_code, second.json()["title"]) == (412, "The limits were changed in the meantime")
    stale = await two.client.delete(
        f"{LIMITS}/{whose}", headers={"authorization": f"Bearer {two.token}", "if-match": '"0"'}
    )
    assert stale.status_code == 412
    assert await held(ai, ann) == Limits(concurrency=1)
    assert (await put(two, whose, first.headers["etag"], concurrency=2)).status_code == 200
    # At the very same moment one of them is first.
    now = (await one.get(f"{LIMITS}/{whose}")).headers["etag"]
    together = await asyncio.gather(*(put(one, whose, now, concurrency=each) for each in range(3, 9)))
    assert sorted(each.status_code for each in together) == [200] + [412] * 5
    assert await held(ai, ann) == Limits(
        concurrency=next(each for each in together if each.status_code == 200).json()["concurrency"]["value"]
    )


async def test_no_limit_is_said_to_hold_while_the_configuration_has_mistakes(ai: Ai) -> None:
    admin = ai.administrator()
    await put(admin, "everybody", concurrency=1)
    ai.write(providers={"lab": {"type": "lokal"}})
    await ai.module.live.reload()
    refused = await put(admin, "everybody", concurrency=2)
    assert (refused.status_code, refused.json()["title"]) == (409, "No limit would come into force")
    assert (await admin.call("DELETE", f"{LIMITS}/everybody")).status_code == 409
    assert (await admin.get(f"{LIMITS}/everybody")).json()["concurrency"]["value"] == 1
    ai.write()
    await ai.module.live.reload()
    assert (await put(admin, "everybody", concurrency=2)).json()["concurrency"]["value"] == 2


async def test_administrators_alone_see_and_set_them(ai: Ai) -> None:
    ann = ai.member("ai:use", "tokens:manage", "users:manage")
    for person, status in ((ann, 403), (ai.nobody(), 401)):
        for method, path in (
            ("GET", LIMITS),
            ("GET", f"{LIMITS}/person:{ann.id}"),
            ("PUT", f"{LIMITS}/person:{ann.id}"),
            ("DELETE", f"{LIMITS}/everybody"),
        ):
            got = await person.call(method, path, json={} if method == "PUT" else None)
            assert got.status_code == status, (method, path)
    assert ai.identity.audit == []


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"requests_per_minute": -1}, "/requests_per_minute"),
        ({"concurrency": 0}, "/concurrency"),
        ({"budget": {"amount_usd": -1}}, "/budget/amount_usd"),
        ({"budget": {"amount_usd": "NaN"}}, "/budget/amount_usd"),
        ({"budget": {"amount_usd": 1, "period": "year"}}, "/budget/period"),
        ({"models": []}, "/models"),
    ],
)
async def test_limits_that_are_none_are_refused_by_name(ai: Ai, wrong: dict[str, Any], pointer: str) -> None:
    admin = ai.administrator()
    refused = await put(admin, "everybody", **wrong)
    assert refused.status_code == 400, refused.text
    assert any(each["pointer"].startswith(pointer) for each in refused.json()["errors"]), refused.text


async def test_limits_are_set_for_nobody_who_is_not_there(ai: Ai) -> None:
    admin = ai.administrator()
    for whose in (
        f"person:{new_id('usr')}",
        "person:nobody@example.org",
        "person:",
        "team:none",
        "key:tok",
        "all",
        "person:%00",
    ):
        missing = await put(admin, whose, concurrency=1)
        assert (missing.status_code, missing.json()["title"]) == (404, "There is nobody to limit"), whose
    assert (await put(admin, f"person:{'x' * 400}", concurrency=1)).status_code in (400, 404)


async def test_there_are_no_more_than_the_operator_allows(parts: Parts, clock: ManualClock, ai: Ai) -> None:
    async with running_ai(parts, clock, ai.folder, ai.identity, settings=AiSettings(ai_stored_limits=1)) as small:
        admin, ann = small.administrator(), small.member("ai:use")
        assert (await put(admin, "everybody", concurrency=1)).status_code == 200
        refused = await put(admin, f"person:{ann.id}", concurrency=1)
        assert (refused.status_code, refused.json()["title"]) == (409, "Too many limits")
        assert (await put(admin, "everybody", concurrency=2)).status_code == 200


async def test_another_server_holds_people_to_them_within_a_second(parts: Parts, clock: ManualClock, ai: Ai) -> None:
    async with running_ai(parts, clock, ai.folder, ai.identity) as other:
        admin, ann = ai.administrator(), ai.member("ai:use")
        swapped = asyncio.Event()
        other.module.live.on_swap = lambda _snapshot: swapped.set()
        await put(admin, f"person:{ann.id}", concurrency=4)
        await asyncio.wait_for(swapped.wait(), 20)
        assert await held(other, ann) == Limits(concurrency=4)
        # The same that is taken away and set again is another change, also for who looks afterwards only.
        before = other.module.live.current
        await admin.call("DELETE", f"{LIMITS}/person:{ann.id}")
        await put(admin, f"person:{ann.id}", concurrency=5)
        await other.module.live.look_at_stored()
        assert other.module.live.current is not before
        assert await held(other, ann) == Limits(concurrency=5)


async def test_a_persons_budget_shows_where_they_see_what_is_left(ai: Ai) -> None:
    admin, ann = ai.administrator(), ai.member("ai:use")
    await put(admin, f"person:{ann.id}", budget={"amount_usd": 3, "period": "week"})
    [own] = (await ann.get("/api/v1/ai/budgets")).json()["items"]
    assert (own["subject"], own["amount_usd"], own["period"]) == (ann.id, "3", "week")
    shown = (await admin.get("/api/v1/ai/budgets", everybody=True)).json()["items"]
    assert [each["subject"] for each in shown] == [ann.id]
    view = (await admin.get(f"{LIMITS}/person:{ann.id}")).json()
    assert (view["standing"]["amount_usd"], view["standing"]["spent_usd"]) == ("3", "0")
