"""Who × action × state: the whole table, said once more in the plainest form, and each cell tried out over HTTP."""

import itertools

import httpx
import pytest

from opencode.modules.marketplace.domain.project import ProjectStatus
from opencode.modules.marketplace.policy import ALLOWED, Action, Relation
from tests.modules.marketplace.conftest import CASES, PROJECTS, Market, Person

PATH = f"{PROJECTS}/ada.engine"
PEOPLE = ("owner", "administrator", "moderator", "another", "guest", "nobody")

# Read as: in a draft, published, archived, quarantined, removed project. 404 hides that it exists.
EXPECTED: dict[Action, dict[str, tuple[int, int, int, int, int]]] = {
    Action.SEE: {
        "owner": (200, 200, 200, 200, 200),
        "administrator": (404, 200, 200, 404, 404),
        "moderator": (404, 200, 200, 200, 200),
        "another": (404, 200, 200, 404, 404),
        "guest": (404, 200, 200, 404, 404),
        "nobody": (404, 200, 200, 404, 404),
    },
    Action.CHANGE: {
        "owner": (200, 200, 200, 200, 409),
        "administrator": (404, 403, 403, 404, 404),
        "moderator": (404, 403, 403, 403, 403),
        "another": (404, 403, 403, 404, 404),
        "guest": (403, 403, 403, 403, 403),
        "nobody": (401, 401, 401, 401, 401),
    },
    Action.FEATURE: {
        "owner": (403, 403, 403, 403, 403),
        "administrator": (404, 200, 200, 404, 404),
        "moderator": (404, 403, 403, 403, 403),
        "another": (404, 403, 403, 404, 404),
        "guest": (403, 403, 403, 403, 403),
        "nobody": (401, 401, 401, 401, 401),
    },
    Action.DELETE: {
        "owner": (204, 204, 204, 204, 204),
        "administrator": (404, 403, 403, 404, 404),
        "moderator": (404, 403, 403, 403, 403),
        "another": (404, 403, 403, 404, 404),
        "guest": (404, 403, 403, 404, 404),
        "nobody": (404, 401, 401, 404, 404),
    },
    Action.STAR: {
        "owner": (409, 200, 200, 409, 409),
        "administrator": (404, 200, 200, 404, 404),
        "moderator": (404, 200, 200, 409, 409),
        "another": (404, 200, 200, 404, 404),
        "guest": (404, 403, 403, 404, 404),
        "nobody": (404, 401, 401, 404, 404),
    },
    Action.FOLLOW: {
        "owner": (409, 200, 200, 409, 409),
        "administrator": (404, 200, 200, 404, 404),
        "moderator": (404, 200, 200, 409, 409),
        "another": (404, 200, 200, 404, 404),
        "guest": (404, 403, 403, 404, 404),
        "nobody": (404, 401, 401, 404, 404),
    },
    # Into a collection of one's own, which nobody has without an account.
    Action.COLLECT: {
        "owner": (409, 201, 201, 409, 409),
        "administrator": (404, 201, 201, 404, 404),
        "moderator": (404, 201, 201, 409, 409),
        "another": (404, 201, 201, 404, 404),
        "guest": (403, 403, 403, 403, 403),
        "nobody": (401, 401, 401, 401, 401),
    },
    Action.REVIEW: {
        "owner": (403, 403, 403, 403, 403),
        "administrator": (404, 201, 201, 404, 404),
        "moderator": (404, 201, 201, 409, 409),
        "another": (404, 201, 201, 404, 404),
        "guest": (403, 403, 403, 403, 403),
        "nobody": (401, 401, 401, 401, 401),
    },
    # A draft has no reviews, and neither has what was held before anybody wrote one.
    Action.REPLY: {
        "owner": (404, 200, 200, 404, 404),
        "administrator": (404, 403, 403, 404, 404),
        "moderator": (404, 403, 403, 404, 404),
        "another": (404, 403, 403, 404, 404),
        "guest": (403, 403, 403, 403, 403),
        "nobody": (401, 401, 401, 401, 401),
    },
    Action.DOWNLOAD: {
        "owner": (409, 201, 201, 409, 409),
        "administrator": (404, 201, 201, 404, 404),
        "moderator": (404, 201, 201, 201, 201),
        "another": (404, 201, 201, 404, 404),
        "guest": (404, 201, 201, 404, 404),
        "nobody": (404, 201, 201, 404, 404),
    },
    Action.REPORT: {
        "owner": (403, 403, 403, 403, 403),
        "administrator": (404, 201, 201, 404, 404),
        "moderator": (404, 201, 201, 409, 409),
        "another": (404, 201, 201, 404, 404),
        "guest": (404, 403, 403, 404, 404),
        "nobody": (404, 401, 401, 404, 404),
    },
    Action.APPEAL: {
        "owner": (409, 409, 409, 201, 201),
        "administrator": (404, 403, 403, 404, 404),
        "moderator": (404, 403, 403, 403, 403),
        "another": (404, 403, 403, 404, 404),
        "guest": (403, 403, 403, 403, 403),
        "nobody": (401, 401, 401, 401, 401),
    },
}
HOLDS = {ProjectStatus.QUARANTINED: "quarantine", ProjectStatus.REMOVED: "remove"}


async def made(market: Market, owner: Person, status: ProjectStatus) -> None:
    """A project in this state."""
    if status not in HOLDS:
        await owner.create("Engine", status=status)
        return
    await owner.create("Engine")
    assert (await market.member("Witness").post(f"{PATH}/reports", {"reason": "spam"})).status_code == 201
    judge = market.moderator("Judge")
    case = (await judge.get(CASES, state="open")).json()["items"][0]
    body = {"decision": HOLDS[status], "reason": "It is spam."}
    assert (await judge.post(f"{CASES}/{case['id']}/decide", body)).status_code == 200


async def tried(action: Action, person: Person, reader: Person) -> httpx.Response:
    match action:
        case Action.SEE:
            return await person.get(PATH)
        case Action.CHANGE:
            return await person.patch(PATH, {"summary": "Changed."})
        case Action.FEATURE:
            return await person.patch(PATH, {"featured": True})
        case Action.DELETE:
            return await person.delete(PATH)
        case Action.STAR:
            return await person.put(f"{PATH}/star")
        case Action.FOLLOW:
            return await person.put(f"{PATH}/follow")
        case Action.DOWNLOAD:
            return await person.post(f"{PATH}/downloads")
        case Action.REPORT:
            return await person.post(f"{PATH}/reports", {"reason": "malware"})
        case Action.APPEAL:
            return await person.post(f"{PATH}/appeal", {"text": "It is not."})
        case _:
            return await tried_after_more(action, person, reader)


async def tried_after_more(action: Action, person: Person, reader: Person) -> httpx.Response:
    """What needs something else first."""
    match action:
        case Action.COLLECT:
            own = await person.post("/api/v1/collections", {"title": "Mine", "visibility": "private"})
            return await person.put(f"/api/v1/collections/{own.json().get('id')}/items/ada.engine", {})
        case Action.REVIEW:
            await person.post(f"{PATH}/downloads")
            return await person.put(f"{PATH}/review", {"rating": 4, "body": "Works."})
        case _:
            assert action is Action.REPLY
            await reader.post(f"{PATH}/downloads")
            review = (await reader.put(f"{PATH}/review", {"rating": 4, "body": "Works."})).json()
            return await person.put(f"/api/v1/reviews/{review.get('id', 'rev_none')}/reply", {"body": "Thanks."})


@pytest.fixture
def database_kind() -> str:
    """The table is the same on every database; the conformance suite proves that they are alike."""
    return "sqlite"


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("who", PEOPLE)
async def test_everybody_may_do_exactly_what_the_table_says(market: Market, action: Action, who: str) -> None:
    people = {
        "owner": market.member("Ada"),
        "administrator": market.administrator(),
        "moderator": market.moderator(),
        "another": market.member("Grace"),
        "nobody": market.nobody(),
    }
    credential = await market.identity.admit_guest("par_x", name="Guest", audience="int_x", lifetime_s=60)
    reader = market.member("Reader")
    people["guest"] = market.guest(credential.token)
    for status, expected in zip(ProjectStatus, EXPECTED[action][who], strict=True):
        await made(market, people["owner"], status)
        answer = await tried(action, people[who], reader)
        assert answer.status_code == expected, (status, answer.text)
        if action is not Action.DELETE or answer.status_code != 204:
            assert (await people["owner"].delete(PATH)).status_code == 204


def test_the_table_tells_of_everybody_and_every_action() -> None:
    assert set(EXPECTED) == set(Action) == set(ALLOWED)
    assert all(set(row) == set(PEOPLE) for row in EXPECTED.values())
    for action, relation in itertools.product(Action, Relation):
        assert ALLOWED[action].get(relation, frozenset()) <= set(ProjectStatus)
