"""What people report is decided by moderators, in the open for the owner, without telling who reported it."""

import asyncio
from typing import Any

import httpx
import pytest

from opencode.contracts.notifications import NoticeGiven, NoticeKind
from opencode.kernel.clock import ManualClock
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.modules.marketplace.conftest import CASES, PROJECTS, Market, Person

PATH = f"{PROJECTS}/ada.engine"
SPAM = {"reason": "spam", "text": "It only advertises."}


@pytest.fixture
def settings() -> MarketplaceSettings:
    return MarketplaceSettings(project_writes_per_minute=100_000, reports_per_hour=5)


async def only_case(moderator: Person, **query: Any) -> dict[str, Any]:
    (case,) = (await moderator.get(CASES, **query)).json()["items"]
    return case


async def decide(moderator: Person, decision: str, reason: str = "Because.") -> httpx.Response:
    case = await only_case(moderator)
    return await moderator.post(f"{CASES}/{case['id']}/decide", {"decision": decision, "reason": reason})


async def decided(moderator: Person, decision: str, reason: str = "Because.") -> dict[str, Any]:
    answer = await decide(moderator, decision, reason)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_quarantined_project_is_out_of_sight_until_it_is_restored(market: Market) -> None:
    ada, grace, minerva = market.member("Ada"), market.member("Grace"), market.moderator()
    await ada.create("Engine")
    assert (await grace.put(f"{PATH}/star")).status_code == 200
    assert (await grace.post(f"{PATH}/reports", SPAM)).status_code == 201
    assert await grace.names() == ["engine"]

    case = await decided(minerva, "quarantine", "Say what it is for.")

    assert (case["state"], case["decision"], case["open_reports"]) == ("decided", "quarantine", 0)
    assert await grace.names() == []
    assert (await grace.get("/api/v1/users/ada")).json()["projects_total"] == 0
    seen = (await ada.get(PATH)).json()
    assert (seen["status"], seen["moderation"]["reason"]) == ("quarantined", "Say what it is for.")
    assert seen["moderation"]["may_appeal"]
    assert (await ada.get("/api/v1/me/projects")).json()["items"][0]["status"] == "quarantined"

    await decided(minerva, "restore")

    assert await grace.names() == ["engine"]
    seen = (await grace.get(PATH)).json()
    assert (seen["status"], seen["moderation"], seen["stars"], seen["starred"]) == ("published", None, 1, True)


async def test_other_servers_lose_it_as_well(market: Market, other_server: Market) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    await ada.create("Engine")
    await market.deliver()
    await grace.post(f"{PATH}/reports", SPAM)
    await decided(market.moderator(), "remove")
    assert (await other_server.nobody().search())["items"] == []


async def test_its_owner_may_edit_and_rename_it_but_not_free_it(market: Market) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    await ada.create("Engine", status="archived")
    before = (await ada.get(PATH)).headers["etag"]
    await grace.post(f"{PATH}/reports", SPAM)
    await decided(market.moderator(), "quarantine")
    assert (await ada.patch(PATH, {"summary": "Better."}, if_match=before)).status_code == 412
    changed = await ada.patch(PATH, {"summary": "Better.", "name": "better"})
    assert (changed.status_code, changed.json()["status"]) == (200, "quarantined")
    assert changed.json()["moderation"]["may_appeal"]
    for status in ("published", "archived", "draft"):
        assert (await ada.patch(f"{PROJECTS}/ada.better", {"status": status})).status_code == 409
    assert (await ada.patch(f"{PROJECTS}/ada.better", {"status": "removed"})).status_code == 400
    assert await grace.names() == []
    await decided(market.moderator("Solon"), "restore")
    assert (await grace.get(f"{PROJECTS}/ada.better")).json()["status"] == "archived"


async def test_nobody_makes_or_imports_a_project_that_is_held_from_the_start(market: Market) -> None:
    ada = market.member("Ada")
    for status in ("quarantined", "removed"):
        body = {"title": "Engine", "status": status}
        assert (await ada.post(PROJECTS, body)).status_code == 400
        imported = await market.administrator().import_lines(body)
        await market.module.importing.finished()
        told = (await market.administrator().get(f"{PROJECTS}/import/{imported.json()['id']}")).json()
        assert (told["imported"], told["refused"]) == (0, 1)


async def test_a_deleted_project_leaves_its_case_behind(market: Market) -> None:
    ada, minerva = market.member("Ada"), market.moderator()
    await ada.create("Engine")
    await market.member("Grace").post(f"{PATH}/reports", SPAM)
    await ada.delete(PATH)
    case = (await minerva.get(f"{CASES}/{(await only_case(minerva, state='open'))['id']}")).json()
    assert [step["kind"] for step in case["history"]] == ["opened", "deleted"]
    assert case["subject"]["name"] == "ada.engine"
    assert (await decide(minerva, "quarantine")).status_code == 409
    await decided(minerva, "dismiss")


async def test_the_owner_appeals_once_and_another_moderator_decides(market: Market, clock: ManualClock) -> None:
    ada, minerva, solon = market.member("Ada"), market.moderator(), market.moderator("Solon")
    await ada.create("Engine")
    await market.member("Grace").post(f"{PATH}/reports", SPAM)
    await decided(minerva, "quarantine")
    assert (await ada.post(f"{PATH}/appeal", {"text": "  "})).status_code == 400
    assert (await ada.post(f"{PATH}/appeal", {"text": "It is no spam."})).status_code == 201
    assert (await ada.post(f"{PATH}/appeal", {"text": "Really."})).status_code == 409
    assert not (await ada.get(PATH)).json()["moderation"]["may_appeal"]
    assert (await only_case(solon, state="open", kind="appeal"))["decision"] == "quarantine"

    assert (await decide(minerva, "restore")).status_code == 409
    case = await decided(solon, "dismiss", "It still is.")

    assert [step["kind"] for step in case["history"]] == ["opened", "decided", "appealed", "decided"]
    assert all(step["impartial"] for step in case["history"])
    assert (await ada.get(PATH)).json()["moderation"]["reason"] == "It still is."
    assert (await ada.post(f"{PATH}/appeal", {"text": "Once more."})).status_code == 409


async def test_the_only_moderator_decides_about_an_appeal_and_that_is_on_record(market: Market) -> None:
    ada, minerva = market.member("Ada"), market.moderator()
    await ada.create("Engine")
    await market.member("Grace").post(f"{PATH}/reports", SPAM)
    await decided(minerva, "remove")
    assert (await ada.post(f"{PATH}/appeal", {"text": "No."})).status_code == 201
    case = await decided(minerva, "restore")
    assert [step["impartial"] for step in case["history"]] == [True, True, True, False]


async def test_nobody_but_moderators_learns_who_reported(market: Market) -> None:
    minerva, solon, grace = market.moderator(), market.moderator("Solon"), market.member("Grace")
    await minerva.create("Engine")
    path = f"{PROJECTS}/minerva.engine"
    assert (await grace.get("/api/v1/me/profile")).status_code == 200
    assert (await grace.post(f"{path}/reports", SPAM)).status_code == 201
    case_id = (await only_case(solon))["id"]
    assert (await solon.get(f"{CASES}/{case_id}")).json()["reports"][0]["reporter"]["handle"] == "grace"
    # The owner is a moderator here.
    own = await minerva.get(f"{CASES}/{case_id}")
    assert own.json()["reports"][0]["reporter"] is None
    assert "grace" not in own.text.lower()
    assert (await decide(minerva, "dismiss")).status_code == 409
    assert (await grace.get(CASES)).status_code == 403
    assert (await market.nobody().get(f"{CASES}/{case_id}")).status_code == 401
    assert not [line for line in market.identity.audit if line.actor_id == grace.id]


async def test_everybody_concerned_is_told_and_nobody_else(market: Market) -> None:
    ada, grace, minerva, solon = (
        market.member("Ada"),
        market.member("Grace"),
        market.moderator(),
        market.moderator("Solon"),
    )
    await ada.create("Engine")
    await grace.post(f"{PATH}/reports", SPAM)
    await decided(minerva, "quarantine", "It advertises.")
    filed, to_owner, to_reporter = await market.said(NoticeGiven)
    assert (filed.kind, set(filed.recipient_ids)) == (NoticeKind.REPORT_FILED, {minerva.id, solon.id})
    assert (to_owner.kind, to_owner.recipient_ids) == (NoticeKind.MODERATION_DECIDED, (ada.id,))
    assert (to_reporter.recipient_ids, to_reporter.body) == ((grace.id,), "It advertises.")
    assert len({notice.key for notice in (filed, to_owner, to_reporter)}) == 3
    assert [line.kind for line in market.identity.audit] == ["moderation.quarantine"]


async def test_the_owner_hears_nothing_of_a_report_that_changes_nothing(market: Market) -> None:
    ada, grace = market.member("Ada"), market.member("Grace")
    await ada.create("Engine")
    await grace.post(f"{PATH}/reports", SPAM)
    await decided(market.moderator(), "dismiss")
    assert ada.id not in {person for notice in await market.said(NoticeGiven) for person in notice.recipient_ids}
    assert await grace.names() == ["engine"]


async def test_a_person_has_one_open_report_of_a_project(market: Market) -> None:
    ada, grace, minerva = market.member("Ada"), market.member("Grace"), market.moderator()
    await ada.create("Engine")
    first, again = await asyncio.gather(*(grace.post(f"{PATH}/reports", SPAM) for _ in range(2)))
    assert (first.status_code, first.json()["id"]) == (201, again.json()["id"])
    assert (await grace.post(f"{PATH}/reports", {"reason": "abuse"})).status_code == 409
    assert (await only_case(minerva))["open_reports"] == 1
    await decided(minerva, "dismiss")
    assert (await grace.post(f"{PATH}/reports", {"reason": "abuse"})).status_code == 201
    assert (await only_case(minerva, state="open"))["open_reports"] == 1
    busy = await grace.post(f"{PATH}/reports", {"reason": "abuse"})
    busy = await grace.post(f"{PATH}/reports", {"reason": "abuse"})
    assert (busy.status_code, "retry-after" in busy.headers) == (429, True)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": "boredom"},
        {"reason": "other"},
        {"reason": "spam", "text": "x" * 4_001},
        {"reason": "spam", "text": "\0"},
        {"reason": "spam", "more": 1},
        {"reason": "spam", "text": None},
    ],
)
async def test_a_report_that_says_nothing_or_too_much_is_refused(market: Market, body: dict[str, Any]) -> None:
    await market.member("Ada").create("Engine")
    assert (await market.member("Grace").post(f"{PATH}/reports", body)).status_code == 400
    assert (await market.moderator().get(CASES)).json()["items"] == []


async def test_a_decision_is_made_once_however_many_decide(market: Market) -> None:
    ada, minerva, solon = market.member("Ada"), market.moderator(), market.moderator("Solon")
    await ada.create("Engine")
    await market.member("Grace").post(f"{PATH}/reports", SPAM)
    case_id = (await only_case(minerva))["id"]
    path = f"{CASES}/{case_id}/decide"
    bodies = [(minerva, "quarantine"), (minerva, "quarantine"), (solon, "dismiss")]
    answers = await asyncio.gather(*(who.post(path, {"decision": what, "reason": "So."}) for who, what in bodies))
    codes = [answer.status_code for answer in answers]
    assert codes in ([200, 200, 409], [409, 409, 200])
    history = (await minerva.get(f"{CASES}/{case_id}")).json()["history"]
    assert [step["kind"] for step in history] == ["opened", "decided"]
    assert (await minerva.post(f"{CASES}/cas_none/decide", {"decision": "dismiss", "reason": "x"})).status_code == 404
    assert (await minerva.post(path, {"decision": "dismiss", "reason": ""})).status_code == 400


async def test_the_queue_goes_on_page_by_page(market: Market, clock: ManualClock) -> None:
    ada, minerva = market.member("Ada"), market.moderator()
    for number in range(3):
        await ada.create(f"Engine {number}")
        await market.member("Grace").post(f"{PROJECTS}/ada.engine-{number}/reports", SPAM)
        clock.advance(1)
    first = (await minerva.get(CASES, limit=2)).json()
    second = (await minerva.get(CASES, limit=2, cursor=first["next_cursor"])).json()
    names = [case["subject"]["name"] for case in [*first["items"], *second["items"]]]
    assert names == ["ada.engine-2", "ada.engine-1", "ada.engine-0"]
    assert second["next_cursor"] is None
    assert (await minerva.get(CASES, state="perhaps")).status_code == 400
