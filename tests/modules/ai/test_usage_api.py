"""Reports of what was used, over the API: complete series, exact money, and only one's own. On both databases."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from opencode.kernel.ids import new_id
from opencode.kernel.pages import encode_cursor
from opencode.modules.ai.domain.configuration.model import Period
from opencode.modules.ai.domain.ledger import Call, NameKind, first_id_at
from opencode.modules.ai.domain.periods import day_of, span_of
from opencode.modules.ai.domain.usage import Flag, Subject, SubjectKind
from opencode.modules.ai.store import AiWork
from tests.modules.ai.conftest import Ai, Person

USAGE, CALLS, BUDGETS = "/api/v1/ai/usage", "/api/v1/ai/calls", "/api/v1/ai/budgets"
DAY_S = 86_400
LINE = Call(0, 0, 0, 0, 0, 0, 10, 5, 2, 0, 1_500, 100, 20, 200, 0, ())


@dataclass(slots=True)
class Ledger:
    """Lines of calls, written as the meter writes them."""

    ai: Ai
    count: int = 0

    async def add(self, person: str, model: str, key: str = "", *, days_ago: int = 0, **more: Any) -> Call:
        now_ms = int(self.ai.clock.now().timestamp() * 1000) - days_ago * DAY_S * 1000
        self.count += 1
        async with AiWork(self.ai.parts) as work:
            ledger = work.stores.ledger
            line = msgspec.structs.replace(
                LINE,
                id=first_id_at(now_ms) + self.count,
                person=await ledger.number_of(NameKind.PERSON, person),
                key=await ledger.number_of(NameKind.KEY, key) if key else 0,
                model=await ledger.number_of(NameKind.MODEL, model),
                **more,
            )
            await ledger.add([line])
            await ledger.add_to_days([line])
        return line


async def usage(who: Person, **query: Any) -> dict[str, Any]:
    answer = await who.get(USAGE, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_series_of_days_has_no_gaps_and_adds_up_to_the_last_digit(ai: Ai) -> None:
    ann, ledger = ai.member("ai:use"), Ledger(ai)
    for latency in range(1, 21):
        await ledger.add(ann.id, "lab/small", latency_ms=latency)
    await ledger.add(ann.id, "lab/small", days_ago=2, latency_ms=400, status=502, cost_nano=1)
    await ledger.add(ann.id, "lab/small", days_ago=2, latency_ms=0, status=0, flags=Flag.CUT_OFF)
    await ledger.add(ann.id, "lab/small", days_ago=30)  # one day too old to be asked for unsaid
    report = await usage(ann)
    assert (report["by"], report["last_day"], len(report["parts"])) == ("day", "2026-01-05", 30)
    assert [report["first_day"], report["last_day"]] == [report["parts"][at]["name"] for at in (0, -1)]
    by_day = {part["name"]: part["sums"] for part in report["parts"]}
    assert by_day["2026-01-05"] == {
        "calls": 20,
        "errors": 0,
        "input_tokens": 200,
        "output_tokens": 100,
        "cached_tokens": 40,
        "cost_usd": "0.00003",
        "latency_mean_ms": 10.5,
        "latency_p50_ms": 10,
        "latency_p95_ms": 19,
    }
    broken = by_day["2026-01-03"]
    assert (broken["calls"], broken["errors"], broken["cost_usd"]) == (2, 2, "0.000001501")
    assert (broken["latency_p50_ms"], broken["latency_p95_ms"]) == (400, 400)
    empty = by_day["2026-01-04"]
    assert (empty["calls"], empty["cost_usd"], empty["latency_mean_ms"], empty["latency_p50_ms"]) == (
        0,
        "0",
        None,
        None,
    )
    total = report["total"]
    assert (total["calls"], total["errors"], total["cost_usd"]) == (22, 2, "0.000031501")
    assert (total["latency_p50_ms"], total["latency_p95_ms"]) == (11, 20)
    older = await usage(ann, **{"from": "2025-12-06", "to": "2025-12-07"})
    assert [part["sums"]["calls"] for part in older["parts"]] == [1, 0]


async def test_what_was_used_is_told_by_model_person_and_key_the_dearest_first(ai: Ai) -> None:
    ann, bob, admin, ledger = ai.member("ai:use"), ai.member("ai:use"), ai.administrator(), Ledger(ai)
    key = new_id("tok")
    await ledger.add(ann.id, "lab/small", key, cost_nano=1, latency_ms=7)
    await ledger.add(ann.id, "lab/large", key, cost_nano=500, days_ago=1)
    await ledger.add(ann.id, "lab/large", cost_nano=300)
    await ledger.add(bob.id, "lab/small", new_id("tok"), cost_nano=900)
    days = {"from": "2026-01-03", "to": "2026-01-05"}

    def told(report: dict[str, Any]) -> list[tuple[Any, ...]]:
        return [(part["name"], part["sums"]["calls"], *part["cost_usd_by_day"]) for part in report["parts"]]

    report = await usage(ann, by="model", **days)
    assert told(report) == [
        ("lab/large", 2, "0", "0.0000005", "0.0000003"),
        ("lab/small", 1, "0", "0", "0.000000001"),
    ]
    assert report["parts"][1]["calls_by_day"] == [0, 0, 1]
    assert report["parts"][1]["sums"]["latency_p95_ms"] == 7
    assert told(await usage(ann, by="key", **days)) == [
        (key, 2, "0", "0.0000005", "0.000000001"),
        ("", 1, "0", "0", "0.0000003"),
    ]
    everybody = await usage(admin, by="person", **days)
    assert [(each["name"], each["label"]) for each in everybody["parts"]] == [(bob.id, "Ada"), (ann.id, "Ada")]
    assert everybody["total"]["cost_usd"] == "0.000001701"
    small = await usage(admin, by="person", model="lab/small", **days)
    assert told(small) == [(bob.id, 1, "0", "0", "0.0000009"), (ann.id, 1, "0", "0", "0.000000001")]
    assert small["total"]["latency_p50_ms"] == 7
    with_key = await usage(admin, by="day", key=key, **days)
    assert [part["sums"]["calls"] for part in with_key["parts"]] == [0, 1, 1]
    assert (await usage(admin, by="model", model="lab/none", **days))["parts"] == []
    assert len((await usage(admin, by="day", person=new_id("usr"), **days))["parts"]) == 3


async def test_what_was_used_is_told_by_provider_and_of_one_provider_alone(ai: Ai) -> None:
    ann, ledger = ai.member("ai:use", "tokens:manage"), Ledger(ai)
    assert ann.token
    key = ai.identity.narrowed(ann.token, frozenset({"ai:use"}))
    added = [
        await ledger.add(ann.id, "lab/small", key, cost_nano=1, latency_ms=7),
        await ledger.add(ann.id, "lab/deep/small", cost_nano=4, days_ago=1, latency_ms=9),
        await ledger.add(ann.id, "laboratory/small", cost_nano=9),
        await ledger.add(ann.id, "LAB/small", cost_nano=0),
    ]
    days = {"from": "2026-01-04", "to": "2026-01-05"}
    report = await usage(ann, by="provider", **days)
    assert [(each["name"], each["sums"]["calls"], each["tokens_by_day"]) for each in report["parts"]] == [
        ("laboratory", 1, [0, 15]),
        ("lab", 2, [15, 15]),
        ("LAB", 1, [0, 15]),
    ]
    assert [each["cost_usd_by_day"] for each in report["parts"][:2]] == [
        ["0", "0.000000009"],
        ["0.000000004", "0.000000001"],
    ]
    assert report["parts"][1]["sums"]["latency_p95_ms"] == 9
    lab = await usage(ann, by="model", provider="lab", **days)
    assert [each["name"] for each in lab["parts"]] == ["lab/deep/small", "lab/small"]
    assert (lab["total"]["calls"], lab["total"]["latency_p50_ms"]) == (2, 7)
    assert [each["label"] for each in (await usage(ann, by="key", provider="lab"))["parts"]] == [None, "a program"]

    async def listed(**query: Any) -> list[str]:
        return [each["id"] for each in (await ann.get(CALLS, **query)).json()["items"]]

    assert await listed(provider="lab") == [str(added[0].id), str(added[1].id)]
    assert await listed(model="lab/small") == await listed(key=key) == [str(added[0].id)]
    first = (await ann.get(CALLS, provider="lab", limit=1)).json()
    assert await listed(provider="lab", cursor=first["next_cursor"]) == [str(added[1].id)]
    [call] = (await ann.get(CALLS, key=key)).json()["items"]
    assert (call["person_name"], call["key_name"]) == ("Ada", "a program")
    assert await listed(provider="none") == await listed(model="none") == []


async def test_an_administrator_sees_the_budgets_of_everybody_who_has_asked_and_of_all_teams(ai: Ai) -> None:
    month, day = {"amount_usd": 5}, {"amount_usd": 2, "period": "day"}
    ai.write(
        limits={"budget": month},
        teams={"red": {"limits": {"budget": day}}, "blue": {"limits": {"budget": month}}, "free": {}},
    )
    await ai.module.live.reload()
    people = sorted([ai.member("ai:use") for _ in range(3)], key=lambda each: each.id)
    admin, today = ai.administrator(), day_of(ai.clock.now().date())
    async with AiWork(ai.parts) as work:
        for person in people[:2]:
            span = span_of(Period.MONTH, today)
            row = await work.stores.budgets.open(Subject(SubjectKind.PERSON, person.id), Period.MONTH, span)
            await work.stores.budgets.change({row.id: (1_500_000_000, 500_000_000)})
        old = span_of(Period.MONTH, today - 40)
        await work.stores.budgets.open(Subject(SubjectKind.PERSON, people[2].id), Period.MONTH, old)
    ai.identity.revoke(people[1].token or "")

    listed: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await admin.get(BUDGETS, everybody=True, limit=1, cursor=cursor)).json()
        listed += page["items"]
        cursor = page["next_cursor"]
    assert (await admin.get(BUDGETS, everybody=True)).json()["items"] == listed
    assert [(each["kind"], each["subject"], each["label"], each["spent_usd"]) for each in listed] == [
        ("person", people[0].id, "Ada", "1.5"),
        ("person", people[1].id, None, "1.5"),
        ("team", "blue", None, "0"),
        ("team", "red", None, "0"),
    ]
    assert (listed[0]["amount_usd"], listed[0]["reserved_usd"], listed[3]["period"]) == ("5", "0.5", "day")
    [own] = (await people[0].get(BUDGETS)).json()["items"]
    assert own == listed[0]
    assert (await people[0].get(BUDGETS, everybody=True)).status_code == 403
    assert (await ai.nobody().get(BUDGETS, everybody=True)).status_code == 401
    forged = (await people[0].get(BUDGETS, limit=1, cursor=encode_cursor(("person", "x")))).status_code
    assert forged == 400


async def test_a_person_sees_what_they_used_and_an_administrator_what_anybody_did(ai: Ai) -> None:
    ann, bob, admin, ledger = ai.member("ai:use"), ai.member("ai:use"), ai.administrator(), Ledger(ai)
    key = new_id("tok")
    await ledger.add(ann.id, "lab/small")
    await ledger.add(bob.id, "lab/small", key)

    async def counts(who: Person, **query: Any) -> tuple[int, int]:
        lines = (await who.get(CALLS, **query)).json()["items"]
        return len(lines), (await usage(who, **query))["total"]["calls"]

    assert await counts(ann) == await counts(ann, person=ann.id) == (1, 1)
    assert await counts(admin) == (2, 2)
    assert await counts(admin, person=ann.id) == (1, 1)
    assert await counts(admin, person=admin.id) == (0, 0)
    assert (await usage(ann, key=key))["total"]["calls"] == 0
    for path in (USAGE, CALLS):
        assert (await ann.get(path, person=bob.id)).status_code == 403
        assert (await ai.member().get(path)).status_code == 403
        assert (await ai.nobody().get(path)).status_code == 401
    assert (await ai.member().get("/api/v1/ai/budgets")).status_code == 403
    assert (await ai.nobody().get("/api/v1/ai/budgets")).status_code == 401


async def test_names_that_no_call_has_are_no_error_however_odd(ai: Ai) -> None:
    admin, ledger = ai.administrator(), Ledger(ai)
    await ledger.add(admin.id, "lab/small")
    for odd in ("\0", "usr_' or 1=1 --", "é" * 30, "-1"):
        for name in ("person", "key", "model", "provider"):
            assert (await usage(admin, by="model", **{name: odd}))["total"]["calls"] == 0
            assert (await admin.get(CALLS, **{name: odd})).json()["items"] == []
        for path in (CALLS, "/api/v1/ai/keys"):
            assert (await admin.get(path, person=odd)).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"from": "2026-01-06"}, 400),
        ({"from": "2026-01-02", "to": "2026-01-01"}, 400),
        ({"from": "2024-12-31", "to": "2026-01-01"}, 400),
        ({"from": "2025-01-01", "to": "2026-01-01"}, 200),
        ({"to": "0001-01-05"}, 400),
        ({"to": "0001-02-05"}, 200),
        ({"from": "9999-12-30", "to": "9999-12-31"}, 200),
        ({"from": "yesterday"}, 400),
        ({"by": "team"}, 400),
        ({"model": "m" * 301}, 400),
        ({"provider": "p" * 65}, 400),
    ],
)
async def test_days_that_are_none_or_too_many_are_refused(ai: Ai, query: dict[str, str], status: int) -> None:
    ann = ai.member("ai:use")
    await Ledger(ai).add(ann.id, "lab/small")
    assert (await ann.get(USAGE, **query)).status_code == status


async def test_calls_are_listed_newest_first_without_a_word_of_what_was_said(ai: Ai) -> None:
    ann, ledger = ai.member("ai:use"), Ledger(ai)
    key = new_id("tok")
    added = [await ledger.add(ann.id, "lab/small", key) for _ in range(4)]
    added.append(await ledger.add(ann.id, "lab/large", status=0, first_byte_ms=-1, flags=Flag.CUT_OFF | Flag.ESTIMATED))
    first = (await ann.get(CALLS, limit=3)).json()
    second = (await ann.get(CALLS, limit=3, cursor=first["next_cursor"])).json()
    assert second["next_cursor"] is None
    listed = [*first["items"], *second["items"]]
    assert [each["id"] for each in listed] == [str(line.id) for line in reversed(added)]
    assert listed[1] == {
        "id": str(added[3].id),
        "began_at": "2026-01-05T09:00:00Z",
        "person_id": ann.id,
        "person_name": "Ada",
        "key_id": key,
        "key_name": None,
        "team": None,
        "model": "lab/small",
        "input_tokens": 10,
        "output_tokens": 5,
        "cached_tokens": 2,
        "cache_write_tokens": 0,
        "cost_usd": "0.0000015",
        "latency_ms": 100,
        "first_byte_ms": 20,
        "status": 200,
        "flags": [],
    }
    last = listed[0]
    assert (last["status"], last["first_byte_ms"], last["key_id"]) == (None, None, None)
    assert last["flags"] == ["estimated", "cut_off"]
    forged = (await ann.get("/api/v1/ai/keys", limit=1, cursor=first["next_cursor"])).status_code
    assert forged == 400
