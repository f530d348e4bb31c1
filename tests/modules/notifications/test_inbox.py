"""The inbox: a notice comes once, is read, is deleted, and is forgotten when it is old."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from opencode.contracts.events import tag_of
from opencode.contracts.notifications import NoticeGiven, NoticeKind
from opencode.kernel.ids import UserId, new_id
from opencode.modules.notifications.domain.notices import MAX_BODY, MAX_TITLE, key_of, path_of
from opencode.modules.notifications.policy import NEEDED, TO_MANAGE, TO_READ, Action
from tests.modules.notifications.conftest import NOTICES, Person, World


async def test_everybody_who_is_to_be_told_finds_it_in_their_inbox(world: World) -> None:
    ada, grace, mel = world.person("Ada"), world.person("Grace"), world.person("Mel")
    await world.tell(ada, grace)
    (notice,) = await ada.inbox()
    assert notice.pop("id").startswith("ntc_")
    assert notice == {
        "kind": "project.released",
        "title": "Engine 1.2.0 is out",
        "body": "Faster, with fewer cogs.",
        "path": "/projects/ada.engine",
        "at": "2026-01-05T09:00:00Z",
        "read": False,
    }
    assert [await person.unread() for person in (ada, grace, mel)] == [1, 1, 0]


async def test_an_event_that_comes_again_tells_nothing_anew_not_even_after_the_notice_was_deleted(world: World) -> None:
    ada, grace = world.person("Ada"), world.person("Grace")
    event = world.notice(ada)
    await world.say(event)
    await world.say(event)
    (notice,) = await ada.inbox()
    assert (await ada.delete(f"{NOTICES}/{notice['id']}")).status_code == 204
    await world.say(world.notice(ada, grace))
    assert await ada.inbox() == []
    assert len(await grace.inbox()) == 1


async def test_two_servers_that_get_one_event_at_once_tell_it_once(world: World) -> None:
    people = [world.person(f"Person {number}") for number in range(5)]
    event = world.notice(*people)
    other = world.notice(*reversed(people), title="Another")
    tag = tag_of(NoticeGiven)
    payloads = [msgspec.json.encode(each).decode() for each in (event, other, event, other)]
    await asyncio.gather(*(world.reactions.deliver(tag, payload) for payload in payloads))
    for person in people:
        assert sorted(await person.titles()) == ["Another", "Engine 1.2.0 is out"]


async def test_whoever_has_no_account_any_more_gets_nothing(world: World) -> None:
    ada = world.person()
    gone = (UserId(new_id("usr")), UserId("usr_nonsense"), UserId("x\0y"))
    await world.say(world.notice(ada, recipient_ids=(*gone, ada.id, ada.id)))
    await world.say(world.notice(title="For nobody", recipient_ids=gone))
    assert await ada.titles() == ["Engine 1.2.0 is out"]


async def test_the_inbox_is_read_page_by_page_newest_first(world: World) -> None:
    ada = world.person()
    for number in range(5):
        await world.tell(ada, title=f"Notice {number}")
    first = (await ada.get(NOTICES, limit=2)).json()
    await world.tell(ada, title="Came meanwhile")
    second = (await ada.get(NOTICES, limit=2, cursor=first["next_cursor"])).json()
    third = (await ada.get(NOTICES, limit=2, cursor=second["next_cursor"])).json()
    titles = [item["title"] for page in (first, second, third) for item in page["items"]]
    assert titles == ["Notice 4", "Notice 3", "Notice 2", "Notice 1", "Notice 0"]
    assert third["next_cursor"] is None


async def test_notices_are_marked_as_read_one_by_one_and_twice_does_no_harm(world: World) -> None:
    ada, grace = world.person("Ada"), world.person("Grace")
    for title in ("First", "Second"):
        await world.tell(ada, grace, title=title)
    second, _ = await ada.inbox()
    foreign = (await grace.inbox())[0]["id"]
    for _ in range(2):
        answer = await ada.post(f"{NOTICES}/read", {"ids": [second["id"], second["id"], foreign, new_id("ntc")]})
        assert (answer.status_code, answer.json()) == (200, {"unread": 1})
    assert await ada.titles(unread=True) == ["First"]
    assert await ada.titles(unread=False) == ["Second"]
    assert await grace.unread() == 2


async def test_what_came_after_one_looked_stays_unread_when_all_are_marked(world: World) -> None:
    ada = world.person()
    for title in ("First", "Second"):
        await world.tell(ada, title=title)
    seen = (await ada.inbox())[0]["id"]
    await world.tell(ada, title="Came meanwhile")
    answer = await ada.post(f"{NOTICES}/read", {"all": True, "up_to": seen})
    assert answer.json() == {"unread": 1}
    assert await ada.titles(unread=True) == ["Came meanwhile"]
    assert (await ada.post(f"{NOTICES}/read", {"all": True})).json() == {"unread": 0}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/ids"]),
        ({"ids": [], "all": True}, ["/ids"]),
        ({"ids": []}, ["/ids"]),
        ({"ids": ["ntc_x", "\0"]}, ["/ids/0", "/ids/1"]),
        ({"ids": ["x"] * 201}, ["/ids"]),
        ({"ids": [new_id("ntc")], "up_to": new_id("ntc")}, ["/up_to"]),
        ({"all": "yes", "more": 1}, ["/more", "/all"]),
    ],
)
async def test_marks_that_make_no_sense_are_refused_field_by_field(
    world: World, body: dict[str, object], pointers: list[str]
) -> None:
    answer = await world.person().post(f"{NOTICES}/read", body)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


async def test_what_strangers_write_is_made_fit_to_be_shown(world: World) -> None:
    ada = world.person()
    await world.tell(
        ada,
        title="Bcc: x@example.org\r\nEvil\u202e" + "a" * 500,
        body="\0line\r\nline\x1b[31m" + "b" * 5_000,
        path="//evil.test/",
        key="k" * 5_000 + "\0",
    )
    (notice,) = await ada.inbox()
    assert notice["title"].startswith("Bcc: x@example.org Evil aaa")
    assert len(notice["title"]) == MAX_TITLE
    assert notice["body"].startswith("line\nline [31mbbb")
    assert len(notice["body"]) == MAX_BODY
    assert notice["path"] == "/"


def test_paths_lead_inside_and_keys_fit() -> None:
    inside = "/projects/ada.engine?tab=reviews#r1"
    assert path_of(inside) == inside
    for outside in ("", "x", "//x", "/\\x", "https://x.test", "/a b", "/a\nb", "/" + "a" * 2_000):
        assert path_of(outside) == "/"
    assert key_of("prj_1:released:1.0") == "prj_1:released:1.0"
    assert key_of("a" * 201) != key_of("a" * 202)


async def test_old_notices_are_forgotten(world: World) -> None:
    ada = world.person()
    await world.tell(ada, title="Old")
    world.clock.advance(180 * 86_400)
    await world.tell(ada, title="New")
    world.clock.advance(60)
    await world.job("forget old notices")
    assert await ada.titles() == ["New"]


Call = Callable[[Person], Awaitable[object]]


async def test_a_table_of_who_may_do_what(world: World) -> None:
    """Everything is one's own; what is somebody else's is not there."""
    ada = world.person()
    await world.tell(ada)
    (notice,) = await ada.inbox()
    one = f"{NOTICES}/{notice['id']}"
    guest = (await world.identity.admit_guest("par_1", name="Mel", audience="int_1", lifetime_s=60)).token
    assert ada.token
    reader = world.identity.narrowed(ada.token, frozenset({TO_READ}))
    runner = world.identity.narrowed(ada.token, frozenset())
    people = {
        "nobody": world.nobody(),
        "guest": world.holder(guest),
        "token that reads": world.holder(reader),
        "token for other things": world.holder(runner),
        "another": world.person("Grace"),
        "owner": ada,
    }
    expected = {
        ("GET", NOTICES): (401, 403, 200, 403, 200, 200),
        ("GET", f"{NOTICES}/count"): (401, 403, 200, 403, 200, 200),
        ("POST", f"{NOTICES}/read"): (401, 403, 403, 403, 404, 200),
        ("DELETE", one): (401, 403, 403, 403, 404, 204),
    }
    for (method, path), statuses in expected.items():
        body = {"json": {"all": True, "up_to": notice["id"]}} if method == "POST" else {}
        answers = [(await person.call(method, path, **body)).status_code for person in people.values()]
        assert dict(zip(people, answers, strict=True)) == dict(zip(people, statuses, strict=True)), (method, path)
    events = [await world.nobody().get(f"{NOTICES}/events"), await people["guest"].get(f"{NOTICES}/events")]
    assert [answer.status_code for answer in events] == [401, 403]


def test_every_action_needs_a_permission() -> None:
    assert NEEDED.keys() == set(Action)
    assert set(NEEDED.values()) == {TO_READ, TO_MANAGE}


async def test_every_kind_of_notice_can_be_given(world: World) -> None:
    ada = world.person()
    for kind in NoticeKind:
        await world.tell(ada, title=kind, kind=kind)
    assert [item["kind"] for item in await ada.inbox()] == [*reversed(NoticeKind)]
