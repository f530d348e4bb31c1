"""Webhooks of people: signed, tried again, each in its own line, with a history, and for their owner alone."""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from opencode.contracts.notifications import NoticeKind
from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import new_id
from opencode.modules.notifications.domain.webhooks import EXCERPT_BYTES, RETRY_DELAYS_S
from opencode.modules.notifications.service.delivering import CLAIM
from opencode.modules.notifications.settings import NotificationsSettings
from tests.doubles.identity import IdentityInMemory
from tests.modules.notifications.conftest import BOTH, Json, Person, World, running

WEBHOOKS = "/api/v1/me/webhooks"
DOCS = Path(__file__).parents[3] / "docs" / "notifications.md"
RELEASED = NoticeKind.PROJECT_RELEASED


@dataclass(slots=True)
class Receiver:
    """
    Somebody who gets webhooks, on loopback.

    Attributes:
        answers: whole answers, one a call; the last one stays.
        opened: when it is cleared, calls wait.
        got: the headers and the body of each call.
    """

    port: int = 0
    answers: list[bytes] = field(default_factory=lambda: [b"HTTP/1.1 204 No Content\r\n\r\n"])
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=t"

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        self.got.append((headers, await reader.readexactly(int(headers["content-length"]))))
        self.called.set()
        await self.opened.wait()
        writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        writer.close()


@asynccontextmanager
async def receiving(*answers: bytes) -> AsyncGenerator[Receiver]:
    receiver = Receiver()
    receiver.answers = list(answers) or receiver.answers
    receiver.opened.set()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    server.close()


def said(status: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def create(person: Person, url: str, *kinds: str, **more: Any) -> Json:
    made = await person.post(WEBHOOKS, {"url": url, "kinds": list(kinds or (RELEASED,)), **more})
    assert made.status_code == 201, made.text
    return made.json()


async def deliver(world: World) -> None:
    await world.job("call webhooks of people")
    await world.module.delivering.settled()


async def history(person: Person, webhook: Json, **query: Any) -> list[Json]:
    return (await person.get(f"{WEBHOOKS}/{webhook['id']}/deliveries", **query)).json()["items"]


def is_genuine(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """As the example of the docs checks it, at the moment at which it was signed."""
    code = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code[0], str(DOCS), "exec"), names)
    signed_at = int(headers["webhook-timestamp"])
    assert not names["is_genuine"](headers, body, secret, signed_at + 301)
    return names["is_genuine"](headers, body, secret, signed_at)


async def test_what_its_owner_is_told_is_sent_once_and_signed(world: World) -> None:
    async with receiving(said("200 OK", b"thanks \x00\xff")) as receiver:
        ada, grace = world.person("Ada"), world.person("Grace")
        webhook = await create(ada, receiver.url, description="My robot")
        await create(grace, receiver.url, NoticeKind.ORDER_PAID)
        event = world.notice(ada, grace)
        await world.say(event)
        await world.say(event)
        await deliver(world)
        await deliver(world)
        ((headers, body),) = receiver.got
        (notice,) = await ada.inbox()
        assert msgspec.json.decode(body) == {
            "type": "project.released",
            "timestamp": notice["at"],
            "data": {
                **{name: notice[name] for name in ("id", "kind", "title", "body", "path", "at")},
                "url": "http://opencode.test/projects/ada.engine",
            },
        }
        assert headers["webhook-id"] == notice["id"]
        assert int(headers["webhook-timestamp"]) == int(world.clock.now().timestamp())
        assert is_genuine(headers, body, webhook["secret"])
        assert not is_genuine(headers, body + b" ", webhook["secret"])
        (delivery,) = await history(ada, webhook)
        assert isinstance(delivery.pop("duration_ms"), int)
        assert delivery.pop("id").startswith("dlv_")
        assert delivery == {
            "event_id": notice["id"],
            "kind": "project.released",
            "status": "delivered",
            "attempts": 1,
            "response_status": 200,
            "response_excerpt": "thanks ��",
            "error": "",
            "created_at": "2026-01-05T09:00:00Z",
            "attempted_at": "2026-01-05T09:00:00Z",
            "next_attempt_at": None,
        }


async def test_the_secret_is_shown_once_and_is_not_in_the_database(world: World) -> None:
    ada = world.person()
    webhook = await create(ada, "https://example.org/hook")
    assert webhook["secret"].startswith("whsec_")
    shown = (await ada.get(f"{WEBHOOKS}/{webhook['id']}")).json()
    assert {**shown, "secret": webhook["secret"]} == webhook
    assert (await ada.get(WEBHOOKS)).json()["items"] == [shown]
    async with world.module.mailing.reading() as stores:
        kept = await stores.webhooks.get(webhook["id"])
    assert base64.b64decode(webhook["secret"].removeprefix("whsec_")).hex() not in str(kept)


async def test_after_a_rotation_both_secrets_are_good_for_a_day(world: World) -> None:
    async with receiving() as receiver:
        ada = world.person()
        webhook = await create(ada, receiver.url)
        rotated = (await ada.post(f"{WEBHOOKS}/{webhook['id']}/rotate")).json()
        assert rotated["secret"] != webhook["secret"]
        await world.tell(ada)
        await deliver(world)
        world.clock.advance(86_400)
        await world.tell(ada, title="Later")
        await deliver(world)
        genuine = [[is_genuine(*call, made["secret"]) for made in (rotated, webhook)] for call in receiver.got]
        assert genuine == [[True, True], [True, False]]


async def test_a_failed_call_is_tried_again_by_the_schedule_and_then_given_up(world: World) -> None:
    async with receiving(said("503 Not now", b"x" * 5_000)) as receiver:
        ada = world.person()
        webhook = await create(ada, receiver.url)
        await world.tell(ada)
        await deliver(world)
        await deliver(world)
        assert len(receiver.got) == 1
        (delivery,) = await history(ada, webhook)
        assert (delivery["status"], delivery["error"]) == ("waiting", "the answer was 503")
        assert delivery["response_excerpt"] == "x" * EXCERPT_BYTES
        for delay_s in RETRY_DELAYS_S:
            world.clock.advance(delay_s - 1)
            await deliver(world)
            world.clock.advance(1 + delay_s / 10)
            await deliver(world)
        assert len(receiver.got) == 1 + len(RETRY_DELAYS_S)
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
        world.clock.advance(10 * 86_400)
        await deliver(world)
        (delivery,) = await history(ada, webhook)
        assert (delivery["status"], delivery["attempts"]) == ("failed", 1 + len(RETRY_DELAYS_S))
        receiver.answers = [said("200 OK")]
        replay = f"{WEBHOOKS}/{webhook['id']}/deliveries/{delivery['id']}/replay"
        for _ in range(2):
            assert (await ada.post(replay)).status_code == 202
        await deliver(world)
        await deliver(world)
        assert len(receiver.got) == 2 + len(RETRY_DELAYS_S)
        assert (await history(ada, webhook))[0]["status"] == "delivered"
        assert (await ada.get(f"{WEBHOOKS}/{webhook['id']}")).json()["failures"] == 0


async def test_a_slow_receiver_delays_nobody_else(world: World) -> None:
    async with receiving() as slow, receiving() as quick:
        slow.opened.clear()
        ada, grace = world.person("Ada"), world.person("Grace")
        await create(ada, slow.url)
        await create(grace, quick.url)
        await world.tell(ada, grace)
        await world.job("call webhooks of people")
        await slow.called.wait()
        for number in range(3):
            await world.tell(ada, grace, title=f"Number {number}")
            await world.job("call webhooks of people")
            while len(quick.got) < number + 2:  # the one before the loop is among them
                quick.called.clear()
                await quick.called.wait()
        assert len(slow.got) == 1
        slow.opened.set()
        await world.module.delivering.settled()
        assert (len(slow.got), len(quick.got)) == (4, 4)


@pytest.fixture
def settings() -> NotificationsSettings:
    return NotificationsSettings(webhook_failures=10, webhooks_per_person=3)


async def test_a_webhook_that_never_answers_is_switched_off_and_its_owner_is_told_once(world: World) -> None:
    async with receiving(said("500 Oops")) as receiver:
        ada = world.person()
        webhook = await create(ada, receiver.url)
        for number in range(12):
            await world.tell(ada, title=f"Number {number}")
        await deliver(world)
        await world.deliver()
        assert len(receiver.got) == 10
        shown = (await ada.get(f"{WEBHOOKS}/{webhook['id']}")).json()
        assert (shown["active"], shown["failures"]) == (False, 10)
        assert shown["switched_off_at"]
        told = (await ada.inbox())[0]
        assert told["kind"] == "webhook.disabled"
        assert "10 calls in a row" in told["body"]
        assert told["path"] == f"/settings/webhooks/{webhook['id']}"
        assert {item["status"] for item in await history(ada, webhook)} == {"failed"}
        world.clock.advance(86_400)
        await world.tell(ada, title="Meanwhile")
        await deliver(world)
        assert len(receiver.got) == 10
        first = (await history(ada, webhook))[-1]["id"]
        replay = f"{WEBHOOKS}/{webhook['id']}/deliveries/{first}/replay"
        assert (await ada.post(replay)).status_code == 409
        receiver.answers = [said("200 OK")]
        assert (await ada.post(f"{WEBHOOKS}/{webhook['id']}/test")).status_code == 202
        await deliver(world)
        assert msgspec.json.decode(receiver.got[-1][1])["type"] == "webhook.test"
        on = (await ada.patch(f"{WEBHOOKS}/{webhook['id']}", {"active": True})).json()
        assert (on["active"], on["failures"], on["switched_off_at"]) == (True, 0, None)
        assert (await ada.post(replay)).status_code == 202
        await deliver(world)
        assert len(receiver.got) == 12


async def test_a_receiver_that_says_gone_is_not_called_again(world: World) -> None:
    async with receiving(said("410 Gone")) as receiver:
        ada = world.person()
        webhook = await create(ada, receiver.url)
        await world.tell(ada)
        await deliver(world)
        assert (await ada.get(f"{WEBHOOKS}/{webhook['id']}")).json()["active"] is False


async def test_a_server_killed_during_a_call_calls_again_under_the_same_id(world: World) -> None:
    async with receiving() as receiver:
        ada = world.person()
        webhook = await create(ada, receiver.url)
        receiver.opened.clear()
        await world.tell(ada)
        await world.job("call webhooks of people")
        await receiver.called.wait()
        await world.module.delivering.close()
        receiver.opened.set()
        await deliver(world)
        assert len(receiver.got) == 1
        world.clock.advance(CLAIM.total_seconds())
        await deliver(world)
        first, second = receiver.got
        assert first[0]["webhook-id"] == second[0]["webhook-id"]
        assert (await history(ada, webhook))[0]["status"] == "delivered"


async def test_what_is_switched_off_or_deleted_gets_nothing_any_more(world: World) -> None:
    async with receiving() as receiver:
        ada = world.person()
        off, gone = await create(ada, receiver.url), await create(ada, receiver.url)
        await world.tell(ada)
        assert (await ada.patch(f"{WEBHOOKS}/{off['id']}", {"active": False})).status_code == 200
        assert (await ada.delete(f"{WEBHOOKS}/{gone['id']}")).status_code == 204
        await deliver(world)
        assert receiver.got == []
        assert [item["status"] for item in await history(ada, off)] == ["failed"]


async def test_other_kinds_and_another_address_are_followed_from_the_next_message_on(world: World) -> None:
    async with receiving() as old, receiving() as new:
        ada = world.person()
        webhook = await create(ada, old.url)
        changed = await ada.patch(f"{WEBHOOKS}/{webhook['id']}", {"url": new.url, "kinds": ["review.written"] * 2})
        assert changed.json()["kinds"] == ["review.written"]
        await world.tell(ada)
        await world.tell(ada, title="A review", kind=NoticeKind.REVIEW_WRITTEN)
        await deliver(world)
        assert (len(old.got), len(new.got)) == (0, 1)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/url", "/kinds"]),
        ({"url": "ftp://example.org", "kinds": []}, ["/url", "/kinds"]),
        ({"url": "http://ada:secret@example.org/", "kinds": ["x", "review.written"]}, ["/url", "/kinds/0"]),
        ({"url": "https://example.org/" + "a" * 2_000, "kinds": ["review.written"] * 500}, ["/url", "/kinds"]),
        ({"url": "https://example.org/", "kinds": ["review.written"], "description": "a\nb"}, ["/description"]),
        ({"url": 1, "kinds": "all", "secret": "mine"}, ["/secret", "/url", "/kinds"]),
    ],
)
async def test_webhooks_that_make_no_sense_are_refused_field_by_field(
    world: World, body: Json, pointers: list[str]
) -> None:
    answer = await world.person().post(WEBHOOKS, body)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


async def test_webhooks_that_lead_inside_are_refused_and_a_name_that_does_is_not_called(
    parts: Parts, clock: ManualClock, settings: NotificationsSettings
) -> None:
    identity = IdentityInMemory(clock)
    async with (
        receiving() as receiver,
        running(parts, clock, settings, identity) as careless,
        running(parts, clock, settings, identity, private_webhooks=False) as careful,
    ):
        ada = careful.person()
        for inside in ("http://127.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/", "http://2130706433/"):
            assert (await ada.post(WEBHOOKS, {"url": inside, "kinds": [RELEASED]})).status_code == 400
        there = Person(careless.client, ada.token, ada.principal)
        webhook = await create(there, receiver.url.replace("127.0.0.1", "localhost"))
        await careful.tell(ada)
        await deliver(careful)
        assert receiver.got == []
        (delivery,) = await history(ada, webhook)
        assert "private network" in delivery["error"]


async def test_one_person_has_so_many_webhooks_and_no_more_also_at_once(world: World) -> None:
    ada = world.person()
    body = {"url": "https://example.org/", "kinds": [RELEASED]}
    answers = await asyncio.gather(*(ada.post(WEBHOOKS, body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 409, 409]
    first = (await ada.get(WEBHOOKS, limit=2)).json()
    rest = (await ada.get(WEBHOOKS, limit=2, cursor=first["next_cursor"])).json()
    assert len({item["id"] for page in (first, rest) for item in page["items"]}) == 3


async def test_nobody_tests_without_end(world: World) -> None:
    ada = world.person()
    webhook = await create(ada, "https://example.org/")
    answers = [(await ada.post(f"{WEBHOOKS}/{webhook['id']}/test")).status_code for _ in range(60)]
    assert answers == [202] * 59 + [429]


async def test_the_history_is_bounded_by_number_and_by_age(parts: Parts, clock: ManualClock) -> None:
    settings = NotificationsSettings(webhook_deliveries_kept=2)
    async with receiving() as receiver, running(parts, clock, settings, IdentityInMemory(clock)) as world:
        ada = world.person()
        webhook, other = await create(ada, receiver.url), await create(ada, receiver.url, "review.written")
        await world.tell(ada, title="A review", kind=NoticeKind.REVIEW_WRITTEN)
        for number in range(4):
            clock.advance(1)
            await world.tell(ada, title=f"Number {number}")
        await deliver(world)
        before = [item["id"] for item in await history(ada, webhook)]
        await world.job("forget old notices")
        assert [item["id"] for item in await history(ada, webhook)] == before[:2]
        assert len(await history(ada, other)) == 1
        clock.advance(31 * 86_400)
        await world.job("forget old notices")
        assert await history(ada, other) == []


async def test_a_table_of_who_may_do_what(world: World) -> None:
    """Everything is one's own; what is somebody else's is not there."""
    ada = world.person()
    webhook = await create(ada, "https://example.org/")
    one = f"{WEBHOOKS}/{webhook['id']}"
    delivery = (await ada.post(f"{one}/test")).json()["id"]
    assert ada.token
    guest = (await world.identity.admit_guest("par_1", name="Mel", audience="int_1", lifetime_s=60)).token
    people = {
        "nobody": world.nobody(),
        "guest": world.holder(guest),
        "token that reads": world.holder(world.identity.narrowed(ada.token, BOTH - {"notices:manage"})),
        "token for other things": world.holder(world.identity.narrowed(ada.token, frozenset())),
        "another": world.person("Grace"),
        "owner": ada,
    }
    body = {"url": "https://example.org/", "kinds": [RELEASED]}
    expected = {
        ("GET", WEBHOOKS): (401, 403, 200, 403, 200, 200),
        ("POST", WEBHOOKS): (401, 403, 403, 403, 201, 201),
        ("GET", one): (401, 403, 200, 403, 404, 200),
        ("PATCH", one): (401, 403, 403, 403, 404, 200),
        ("POST", f"{one}/rotate"): (401, 403, 403, 403, 404, 200),
        ("POST", f"{one}/test"): (401, 403, 403, 403, 404, 202),
        ("GET", f"{one}/deliveries"): (401, 403, 200, 403, 404, 200),
        ("POST", f"{one}/deliveries/{delivery}/replay"): (401, 403, 403, 403, 404, 202),
        ("POST", f"{one}/deliveries/{new_id('dlv')}/replay"): (401, 403, 403, 403, 404, 404),
        ("DELETE", one): (401, 403, 403, 403, 404, 204),
    }
    for (method, path), statuses in expected.items():
        how = {"json": body} if path == WEBHOOKS and method == "POST" else {}
        how = {"json": {"description": "Mine"}} if method == "PATCH" else how
        answers = [(await person.call(method, path, **how)).status_code for person in people.values()]
        assert dict(zip(people, answers, strict=True)) == dict(zip(people, statuses, strict=True)), (method, path)
