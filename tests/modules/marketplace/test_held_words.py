"""Reviews and profiles are reported and held as projects are; what is held counts nowhere, whatever its author does."""

import itertools
from typing import Any

import pytest

from opencode.contracts.notifications import NoticeKind
from opencode.modules.marketplace.domain.moderation import Hold
from opencode.modules.marketplace.policy import ALLOWED_WITH_WORDS, Relation, WordsAction
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.modules.marketplace.conftest import CASES, PROJECTS, Json, Market, Person, Reader
from tests.modules.marketplace.notices import notices

PATH = f"{PROJECTS}/ada.engine"
PROFILE = "/api/v1/users/grace"
WORDS = {"rating": 1, "title": "Buy mine", "body": "Visit example.org instead."}
BARE = {"bio": "", "avatar": None, "skills": [], "location": "", "website": None, "github": ""}
FULL = {
    "bio": "Cheap pills.",
    "avatar": "https://example.org/me.png",
    "skills": ["Selling"],
    "location": "Everywhere",
    "website": "https://example.org/pills",
    "github": "pills",
}
SPAM = {"reason": "spam"}


@pytest.fixture
def settings() -> MarketplaceSettings:
    return MarketplaceSettings(project_writes_per_minute=100_000, acts_per_minute=1_000, reports_per_hour=1_000)


@pytest.fixture
async def ada(market: Market) -> Person:
    """The author of `ada.engine`."""
    ada = market.member("Ada")
    await ada.create("Engine")
    return ada


async def reviewed(person: Person, **fields: Any) -> str:
    await person.post(f"{PATH}/downloads")
    answer = await person.put(f"{PATH}/review", {**WORDS, **fields})
    assert answer.status_code in {200, 201}, answer.text
    return f"/api/v1/reviews/{answer.json()['id']}"


async def profiled(person: Person) -> str:
    assert (await person.get("/api/v1/me/profile")).status_code == 200
    assert (await person.patch(PROFILE, FULL)).status_code == 200
    return PROFILE


async def decided(moderator: Person, decision: str, reason: str = "Because.", expected: int = 200) -> Json:
    """About the case that was opened last."""
    case = (await moderator.get(CASES, limit=1)).json()["items"][0]
    answer = await moderator.post(f"{CASES}/{case['id']}/decide", {"decision": decision, "reason": reason})
    assert answer.status_code == expected, answer.text
    return answer.json()


def shown(profile: Json) -> Json:
    return {name: profile[name] for name in BARE}


async def test_a_held_review_is_out_of_sight_and_out_of_the_ratings_until_it_is_restored(
    market: Market, ada: Person
) -> None:
    grace, minerva = market.member("Grace"), market.moderator()
    path = await reviewed(grace)
    await reviewed(market.member("Joan"), rating=5)
    assert (await ada.post(f"{path}/reports", SPAM)).status_code == 201

    case = await decided(minerva, "quarantine", "It advertises.")

    assert (case["subject"]["kind"], case["subject"]["name"]) == ("review", "grace's review of ada.engine")
    assert case["present"] == {"hold": "quarantined", "title": "1 of 5: Buy mine", "text": WORDS["body"]}
    seen = (await ada.get(f"{PATH}/reviews")).json()
    assert [review["rating"] for review in seen["items"]] == [5]
    assert (seen["summary"]["count"], seen["summary"]["stars"]["1"]) == (1, 0)
    own = (await grace.get(f"{PATH}/reviews")).json()["own"]
    assert own["moderation"] == {
        "hold": "quarantined",
        "reason": "It advertises.",
        "decided_at": case["decided_at"],
        "may_appeal": True,
    }
    assert (await ada.put(f"{path}/reply", {"body": "No."})).status_code == 404
    assert (await market.member("Mel").put(f"{path}/helpful")).status_code == 404

    await decided(minerva, "restore")

    seen = (await ada.get(f"{PATH}/reviews")).json()
    assert (seen["summary"]["count"], seen["summary"]["stars"]["1"]) == (2, 1)
    assert (await grace.get(f"{PATH}/reviews")).json()["own"]["moderation"] is None


async def test_nobody_gets_a_held_review_back_by_writing_it_anew(market: Market, ada: Person) -> None:
    grace, minerva = market.member("Grace"), market.moderator()
    path = await reviewed(grace)
    await ada.post(f"{path}/reports", SPAM)
    await decided(minerva, "quarantine")
    assert (await grace.delete(f"{PATH}/review")).status_code == 409
    assert await reviewed(grace, body="It broke.") == path
    assert (await ada.get(f"{PATH}/reviews")).json()["items"] == []
    await decided(minerva, "remove")
    assert (await grace.put(f"{PATH}/review", WORDS)).status_code == 409
    assert (await grace.get(f"{PATH}/reviews")).json()["own"]["body"] == "It broke."


async def test_the_author_of_a_review_appeals_and_hears_of_the_decision(market: Market, ada: Person) -> None:
    grace, minerva, solon = market.member("Grace"), market.moderator(), market.moderator("Solon")
    path = await reviewed(grace)
    await ada.post(f"{path}/reports", SPAM)
    await decided(minerva, "quarantine")
    assert (await grace.post(f"{path}/appeal", {"text": "It is true."})).status_code == 201
    assert (await grace.post(f"{path}/appeal", {"text": "Really."})).status_code == 409
    await decided(minerva, "restore", expected=409)
    case = await decided(solon, "restore", "It is.")
    assert [step["kind"] for step in case["history"]] == ["opened", "decided", "appealed", "decided"]
    told = await notices(market.parts.database, NoticeKind.MODERATION_DECIDED)
    titles = [notice.title for notice in told if grace.id in notice.recipient_ids]
    assert len(titles) == 2
    assert all(title.startswith("Moderators have decided about grace's review of ada.engine: ") for title in titles)


async def test_whose_project_a_review_is_of_does_not_decide_about_it(market: Market) -> None:
    minerva, solon, grace = market.moderator(), market.moderator("Solon"), market.member("Grace")
    await minerva.create("Engine")
    await grace.post(f"{PROJECTS}/minerva.engine/downloads")
    review = (await grace.put(f"{PROJECTS}/minerva.engine/review", WORDS)).json()
    await market.member("Joan").post(f"/api/v1/reviews/{review['id']}/reports", SPAM)
    await decided(minerva, "remove", expected=409)
    assert (await decided(solon, "dismiss"))["history"][-1]["impartial"]


async def test_a_review_that_its_author_took_back_leaves_its_case_behind(market: Market, ada: Person) -> None:
    grace, minerva = market.member("Grace"), market.moderator()
    path = await reviewed(grace)
    await ada.post(f"{path}/reports", SPAM)
    assert (await grace.delete(f"{PATH}/review")).status_code == 204
    await decided(minerva, "quarantine", expected=409)
    case = await decided(minerva, "dismiss")
    assert [step["kind"] for step in case["history"]] == ["opened", "deleted", "decided"]
    assert case["present"] is None


async def test_of_a_held_profile_others_see_the_name_and_the_projects(market: Market, reader: Reader) -> None:
    grace, minerva, mel = market.member("Grace"), market.moderator(), market.member("Mel")
    await grace.create("Pills")
    await profiled(grace)
    before = await reader.gets("/people/grace")
    assert b"Cheap pills." in before.body
    assert (await mel.post(f"{PROFILE}/reports", SPAM)).status_code == 201

    case = await decided(minerva, "quarantine", "It sells pills.")

    assert (case["subject"]["kind"], case["subject"]["path"]) == ("profile", "/people/grace")
    assert "Cheap pills." in case["present"]["text"]
    for person in (mel, market.nobody()):
        seen = (await person.get(PROFILE)).json()
        assert shown(seen) == BARE
        assert (seen["moderation"], seen["projects_total"], seen["display_name"]) == (None, 1, "Grace")
    await market.deliver()
    after = (await reader.gets("/people/grace")).body
    assert not [word for word in (b"Cheap pills.", b"example.org", b"Selling", b"Everywhere") if word in after]
    assert b"Pills" in after
    for person in (grace, minerva):
        seen = (await person.get(PROFILE)).json()
        assert (shown(seen), seen["moderation"]["reason"]) == (FULL, "It sells pills.")
    assert (await grace.get("/api/v1/me/profile")).json()["moderation"]["may_appeal"]

    await decided(minerva, "restore")
    assert shown((await mel.get(PROFILE)).json()) == FULL


async def test_a_quarantined_profile_is_put_right_by_its_owner_and_a_removed_one_is_not(market: Market) -> None:
    grace, minerva = market.member("Grace"), market.moderator()
    await profiled(grace)
    before = (await grace.get(PROFILE)).headers["etag"]
    await market.member("Mel").post(f"{PROFILE}/reports", SPAM)
    await decided(minerva, "quarantine")
    assert (await grace.patch(PROFILE, {"bio": "Better."}, if_match=before)).status_code == 412
    changed = await grace.patch(PROFILE, {"bio": "Better."})
    assert (changed.status_code, changed.json()["moderation"]["hold"]) == (200, "quarantined")
    assert (await market.nobody().get(PROFILE)).json()["bio"] == ""
    await decided(minerva, "remove")
    assert (await grace.patch(PROFILE, {"bio": "Again."})).status_code == 409
    assert (await grace.post(f"{PROFILE}/appeal", {"text": "I have stopped."})).status_code == 201


async def test_moderators_hear_how_many_cases_wait(market: Market, ada: Person) -> None:
    minerva, mel = market.moderator(), market.member("Mel")
    await mel.post(f"{PATH}/reports", SPAM)
    await mel.post("/api/v1/users/ada/reports", SPAM)
    assert (await minerva.get("/api/v1/moderation/waiting")).json() == {"waiting": 2}
    await decided(minerva, "dismiss")
    assert (await minerva.get("/api/v1/moderation/waiting")).json() == {"waiting": 1}
    assert (await mel.get("/api/v1/moderation/waiting")).status_code == 403
    assert (await market.nobody().get("/api/v1/moderation/waiting")).status_code == 401


async def test_there_is_no_report_of_what_is_not_there_or_not_to_be_seen(market: Market, ada: Person) -> None:
    grace, mel = market.member("Grace"), market.member("Mel")
    path = await reviewed(grace)
    for missing in ("/api/v1/reviews/rev_none", "/api/v1/reviews/1", "/api/v1/users/nobody", "/api/v1/users/-"):
        assert (await mel.post(f"{missing}/reports", SPAM)).status_code == 404
        assert (await mel.post(f"{missing}/appeal", {"text": "Please."})).status_code == 404
    await ada.patch(PATH, {"status": "archived"})
    await mel.post(f"{PATH}/reports", SPAM)
    await decided(market.moderator(), "remove")
    # Its project is out of sight, and so is the review.
    assert (await mel.post(f"{path}/reports", SPAM)).status_code == 404


# Read as: while everybody sees it, quarantined, removed.
EXPECTED: dict[WordsAction, dict[str, tuple[int, int, int]]] = {
    WordsAction.SEE: {
        "owner": (200, 200, 200),
        "administrator": (200, 404, 404),
        "moderator": (200, 200, 200),
        "another": (200, 404, 404),
        "guest": (200, 404, 404),
        "nobody": (200, 404, 404),
    },
    WordsAction.CHANGE: {
        "owner": (200, 200, 409),
        "administrator": (403, 403, 403),
        "moderator": (403, 403, 403),
        "another": (403, 403, 403),
        "guest": (403, 403, 403),
        "nobody": (401, 401, 401),
    },
    WordsAction.DELETE: {
        "owner": (204, 409, 409),
        "administrator": (404, 404, 404),
        "moderator": (404, 404, 404),
        "another": (404, 404, 404),
        "guest": (403, 403, 403),
        "nobody": (401, 401, 401),
    },
    WordsAction.REPORT: {
        "owner": (403, 403, 403),
        "administrator": (201, 409, 409),
        "moderator": (201, 409, 409),
        "another": (201, 409, 409),
        "guest": (403, 403, 403),
        "nobody": (401, 401, 401),
    },
    WordsAction.APPEAL: {
        "owner": (409, 201, 201),
        "administrator": (403, 403, 403),
        "moderator": (403, 403, 403),
        "another": (403, 403, 403),
        "guest": (403, 403, 403),
        "nobody": (401, 401, 401),
    },
}


async def tried(action: WordsAction, person: Person) -> int:
    match action:
        case WordsAction.SEE:
            seen = await person.get(PROFILE)
            return 200 if seen.json()["bio"] else 404
        case WordsAction.CHANGE:
            return (await person.patch(PROFILE, {"location": "Here"})).status_code
        case WordsAction.DELETE:
            # A profile goes with its account; a review is taken back.
            return (await person.delete(f"{PATH}/review")).status_code
        case WordsAction.REPORT:
            return (await person.post(f"{PROFILE}/reports", SPAM)).status_code
        case WordsAction.APPEAL:
            return (await person.post(f"{PROFILE}/appeal", {"text": "Please."})).status_code


@pytest.mark.parametrize("action", WordsAction)
async def test_everybody_may_do_exactly_what_the_table_of_words_says(
    market: Market, ada: Person, action: WordsAction
) -> None:
    grace, witness = market.member("Grace"), market.member("Witness")
    await profiled(grace)
    credential = await market.identity.admit_guest("par_x", name="Guest", audience="int_x", lifetime_s=60)
    people = {
        "administrator": market.administrator(),
        "moderator": market.moderator(),
        "another": market.member("Mel"),
        "guest": market.guest(credential.token),
        "nobody": market.nobody(),
        "owner": grace,
    }
    path = ""
    for index, decision in enumerate((None, "quarantine", "remove")):
        path = await reviewed(grace) if index < 2 else path
        if decision:
            # Each by a judge of its own: nobody decides about an appeal against themself.
            judge = market.moderator(f"Judge {decision}")
            await witness.post(f"{path}/reports", SPAM)
            await witness.post(f"{PROFILE}/reports", SPAM)
            for case in (await judge.get(CASES)).json()["items"]:
                await judge.post(f"{CASES}/{case['id']}/decide", {"decision": decision, "reason": "So."})
        for who, person in people.items():
            assert await tried(action, person) == EXPECTED[action][who][index], (who, decision)


def test_the_table_of_words_tells_of_everybody_and_every_action() -> None:
    assert set(EXPECTED) == set(WordsAction) == set(ALLOWED_WITH_WORDS)
    for action, relation in itertools.product(WordsAction, Relation):
        assert ALLOWED_WITH_WORDS[action].get(relation, frozenset()) <= {None, *Hold}
