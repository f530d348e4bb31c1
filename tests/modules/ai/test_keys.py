"""Limits of keys over the API: who may set them, what they may be, and when they hold. On both databases."""

import asyncio
from typing import Any, cast

import pytest

from opencode.contracts.identity import CredentialsRevoked
from opencode.kernel.errors import Unauthenticated
from opencode.kernel.ids import new_id
from opencode.kernel.principal import Credentials, Principal
from opencode.modules.ai.domain.configuration.model import Budget, Limits, Period
from opencode.modules.ai.service.callers import REMEMBERED_S, Callers
from tests.doubles.identity import IdentityInMemory
from tests.modules.ai.conftest import Ai, Person

KEYS = "/api/v1/ai/keys"
FULL: dict[str, Any] = {
    "requests_per_minute": 5,
    "tokens_per_minute": 1_000,
    "concurrency": 2,
    "budget": {"amount_usd": 12.5, "period": "week"},
    "models": ["lab/*"],
}


def holder(ai: Ai) -> Person:
    """Somebody signed in at a browser, as far as permissions go."""
    return ai.member("ai:use", "tokens:manage")


def key_of(ai: Ai, person: Person) -> Person:
    """A token of theirs with the scope `ai`."""
    assert person.token
    return Person(ai.client, ai.identity.narrowed(person.token, frozenset({"ai:use"})), person.id)


def limits_of(key: Person) -> str:
    return f"{KEYS}/{key.token}/limits"


async def test_limits_that_are_set_for_a_key_are_shown_with_what_is_used_of_them(ai: Ai) -> None:
    ann = holder(ai)
    key, other = key_of(ai, ann), key_of(ai, ann)
    put, again = [await ann.call("PUT", limits_of(key), json=FULL) for _ in range(2)]
    assert put.status_code == 200, put.text
    view = put.json()
    assert again.json() == view
    assert {name: view[name] for name in FULL if name != "budget"} == {
        name: value for name, value in FULL.items() if name != "budget"
    }
    assert (view["token_id"], view["owner_id"], view["changed_by"]) == (key.token, ann.id, ann.id)
    assert view["used"] == {"requests": 0, "tokens": 0, "calls": 0}
    budget = view["budget"]
    assert (budget["kind"], budget["subject"], budget["period"]) == ("key", key.token, "week")
    assert (budget["amount_usd"], budget["spent_usd"], budget["reserved_usd"]) == ("12.5", "0", "0")
    assert budget["begins_anew_at"] > budget["begins_at"]
    assert (await ann.get(limits_of(key))).json() == view
    assert (await ann.get(KEYS)).json() == {"items": [view], "next_cursor": None}
    # What is left out is not limited any more.
    await ann.call("PUT", limits_of(key), json={"concurrency": 1})
    await ann.call("PUT", limits_of(other), json={"models": []})
    first = (await ann.get(KEYS, limit=1)).json()
    second = (await ann.get(KEYS, limit=1, cursor=first["next_cursor"])).json()
    by_key = {each["token_id"]: each for each in (*first["items"], *second["items"])}
    assert by_key[key.token]["used"] == {"requests": None, "tokens": None, "calls": 0}
    assert by_key[key.token]["budget"] is by_key[key.token]["models"] is None
    assert by_key[other.token]["models"] == []
    assert second["next_cursor"] is None
    for _ in range(2):
        assert (await ann.call("DELETE", limits_of(key))).status_code == 204
    gone = (await ann.get(limits_of(key))).json()
    assert (gone["concurrency"], gone["changed_at"]) == (None, None)
    assert [line.kind for line in ai.identity.audit[-2:]] == ["ai.key_unlimited"] * 2


async def test_limits_are_set_by_the_holder_or_an_administrator_and_never_by_the_key_itself(ai: Ai) -> None:
    ann = holder(ai)
    key = key_of(ai, ann)
    expected = {
        "holder": (ann, 200, 200),
        "administrator": (ai.administrator(), 200, 200),
        "the key": (key, 200, 403),
        "another key of theirs": (key_of(ai, ann), 200, 403),
        "somebody else": (holder(ai), 404, 404),
        "nobody": (ai.nobody(), 401, 401),
    }
    got = {
        who: (
            person,
            (await person.get(limits_of(key))).status_code,
            (await person.call("PUT", limits_of(key), json={})).status_code,
        )
        for who, (person, _, _) in expected.items()
    }
    assert got == expected
    assert (await key.call("DELETE", limits_of(key))).status_code == 403
    assert (await holder(ai).call("DELETE", limits_of(key))).status_code == 404
    for unknown in (new_id("tok"), "tok_", "x" * 300, ann.id):
        missing = await ann.call("PUT", f"{KEYS}/{unknown}/limits", json={})
        assert (missing.status_code, missing.json()["title"]) == (404, "The key was not found")


async def test_the_list_is_of_ones_own_keys_and_of_anybodys_for_administrators(ai: Ai) -> None:
    ann, admin = holder(ai), ai.administrator()
    key = key_of(ai, ann)
    await admin.call("PUT", limits_of(key), json=FULL)
    assert (await admin.get(KEYS)).json()["items"] == []
    [shown] = (await admin.get(KEYS, person=ann.id)).json()["items"]
    assert shown["changed_by"] == admin.id
    assert len((await key.get(KEYS, person=ann.id)).json()["items"]) == 1
    assert (await admin.get(KEYS, everybody=True)).json()["items"] == [shown]
    assert (await holder(ai).get(KEYS, person=ann.id)).status_code == 403
    assert (await ann.get(KEYS, everybody=True)).status_code == 403
    assert (await ai.member().get(KEYS)).status_code == 403
    assert (await ai.nobody().get(KEYS)).status_code == 401


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"requests_per_minute": -1}, "/requests_per_minute"),
        ({"tokens_per_minute": 10**12}, "/tokens_per_minute"),
        ({"tokens_per_minute": 1.5}, "/tokens_per_minute"),
        ({"concurrency": 0}, "/concurrency"),
        ({"budget": {"amount_usd": 10**9}}, "/budget/amount_usd"),
        ({"budget": {"amount_usd": -0.01}}, "/budget/amount_usd"),
        ({"budget": {"amount_usd": 1, "period": "year"}}, "/budget/period"),
        ({"budget": {}}, "/budget"),
        ({"models": ["lab/*"] * 201}, "/models"),
        ({"models": [""]}, "/models/0"),
        ({"models": "lab/*"}, "/models"),
        ({"requests_per_hour": 1}, "/requests_per_hour"),
    ],
)
async def test_limits_that_are_none_are_refused_by_name(ai: Ai, wrong: dict[str, Any], pointer: str) -> None:
    ann = holder(ai)
    key = key_of(ai, ann)
    refused = await ann.call("PUT", limits_of(key), json=wrong)
    assert refused.status_code == 400, refused.text
    assert any(each["pointer"].startswith(pointer) for each in refused.json()["errors"]), refused.text
    assert (await ann.get(KEYS)).json()["items"] == []


async def test_limits_changed_on_another_server_hold_here_within_seconds(ai: Ai) -> None:
    ann = holder(ai)
    key = key_of(ai, ann)
    elsewhere = Callers(ai.parts, ai.identity, ai.module.live, ai.module.models)
    shown = Credentials(bearer=key.token)
    assert (await elsewhere.known(shown)).caller.key_limits is None
    await ann.call("PUT", limits_of(key), json=FULL)
    assert (await elsewhere.known(shown)).caller.key_limits is None
    ai.clock.advance(REMEMBERED_S)
    known = await elsewhere.known(shown)
    assert known.caller.key_limits == Limits(5, 1_000, 2, Budget(12.5, Period.WEEK))
    assert known.allowance.covers("lab/small")
    assert not known.allowance.covers("cloud/large")
    [budget] = elsewhere.bounds(known.caller).budgets
    assert (budget.subject.words, budget.amount_nano) == (f"key:{key.token}", 12_500_000_000)
    # Here the one who holds the key is known anew when it is told that tokens of theirs have ended.
    await elsewhere.forget(CredentialsRevoked(principal_id=ann.id, revoked_at=ai.clock.now()))
    await ann.call("DELETE", limits_of(key))
    assert (await elsewhere.known(shown)).caller.key_limits is None


async def test_whoever_shows_a_credential_at_the_same_moment_is_looked_up_once(ai: Ai) -> None:
    ann = holder(ai)
    shown = Credentials(bearer=key_of(ai, ann).token)
    identity = _SlowIdentity(ai.identity)
    elsewhere = Callers(ai.parts, cast(Any, identity), ai.module.live, ai.module.models)
    first, *others = [asyncio.create_task(elsewhere.known(shown)) for _ in range(5)]
    await identity.asked.wait()
    # Whoever asked first and goes away leaves the answer to the others.
    first.cancel()
    identity.go_on.set()
    assert {known.principal.id for known in await asyncio.gather(*others)} == {ann.id}
    assert first.cancelled()
    assert identity.looks == 1


async def test_a_credential_that_is_not_good_is_not_good_for_whoever_shows_it_at_the_same_moment(ai: Ai) -> None:
    elsewhere = Callers(ai.parts, ai.identity, ai.module.live, ai.module.models)
    shown = Credentials(bearer="ocp_nobodys")
    refused = await asyncio.gather(*(elsewhere.known(shown) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in refused] == [Unauthenticated] * 3
    with pytest.raises(Unauthenticated):
        await elsewhere.known(shown)


class _SlowIdentity:
    """Tells nothing before it may go on."""

    def __init__(self, identity: IdentityInMemory) -> None:
        self._identity = identity
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.looks = 0

    async def authenticate(self, *, session: str | None, bearer: str | None) -> Principal:
        self.looks += 1
        self.asked.set()
        await self.go_on.wait()
        return await self._identity.authenticate(session=session, bearer=bearer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._identity, name)


async def test_limits_of_tokens_that_have_ended_are_not_shown_and_go_away(ai: Ai) -> None:
    ann = holder(ai)
    ended, kept = key_of(ai, ann), key_of(ai, ann)
    for key in (ended, kept):
        await ann.call("PUT", limits_of(key), json=FULL)
    assert ended.token
    ai.identity.revoke(ended.token)
    assert [each["token_id"] for each in (await ann.get(KEYS)).json()["items"]] == [kept.token]
    assert (await ann.get(limits_of(ended))).status_code == 404
    [tidy] = [job for job in ai.module.plug.jobs if job.name == "delete limits of AI keys that have ended"]
    for _ in range(2):
        await tidy.work()
        budgets = (await ann.get("/api/v1/ai/budgets")).json()["items"]
        assert [each["subject"] for each in budgets] == [kept.token]


async def test_a_key_lists_the_models_that_it_may_ask(ai: Ai) -> None:
    models = ["small", "large"]
    ai.write(
        providers={"lab": {"type": "custom", "base_url": "http://127.0.0.1:9", "models": models}},
        teams={"red": {"members": ["ann@example.org"], "models": ["lab/small"]}},
    )
    await ai.module.live.reload()
    ann = ai.member("ai:use", "tokens:manage", email="ann@example.org")
    key = key_of(ai, ann)
    await ann.call("PUT", limits_of(key), json={"models": ["lab/l*"]})

    async def listed(person: Person) -> list[str]:
        return [each["name"] for each in (await person.get("/api/v1/ai/models")).json()["items"]]

    assert await listed(ann) == ["lab/small"]
    assert await listed(key) == []  # both lists hold
    await ann.call("PUT", limits_of(key), json={"models": ["lab/*"]})
    assert await listed(key) == ["lab/small"]
