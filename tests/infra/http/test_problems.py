"""Errors as people and programs get them: RFC 9457."""

from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import get
from litestar.di import NamedDependency

from opencode.infra.http.problems import PROBLEM_BASE, problem_of, status_of
from opencode.kernel import errors
from opencode.kernel.pages import PageRequest
from tests.http import KnownCallers, application, client_of


class KettleEmpty(errors.Conflict):
    title = "The kettle is empty"


@get("/kettle")
async def pour() -> None:
    raise KettleEmpty("The kettle holds no water.", action="Fill it first.")


@get("/busy")
async def busy() -> None:
    raise errors.Busy("Too much.", retry_after_s=7)


@get("/fault")
async def fault() -> None:
    raise RuntimeError("the password is hunter2")


@get("/list")
async def listing(page: NamedDependency[PageRequest]) -> int:
    return page.limit


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = application([pour, busy, fault, listing], KnownCallers({}))
    async with client_of(app) as client:
        yield client


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.Invalid, 400),
        (errors.Unauthenticated, 401),
        (errors.Forbidden, 403),
        (errors.NotFound, 404),
        (errors.Conflict, 409),
        (errors.TooLarge, 413),
        (errors.Busy, 429),
        (errors.Unavailable, 503),
        (KettleEmpty, 409),
    ],
)
def test_every_kind_of_error_has_its_status(kind: type[errors.OpenCodeError], status: int) -> None:
    assert status_of(kind("x")) == status
    assert kind.title


def test_every_kind_in_the_kernel_has_a_status() -> None:
    for kind in errors.OpenCodeError.__subclasses__():
        assert 400 <= status_of(kind("x")) < 600


def test_a_problem_is_named_after_its_error() -> None:
    problem = problem_of(KettleEmpty("x"), "req_1")
    assert problem.type == PROBLEM_BASE + "kettle-empty"


async def test_an_error_tells_what_happened_and_what_to_do(client: httpx.AsyncClient) -> None:
    answer = await client.get("/kettle")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "type": PROBLEM_BASE + "kettle-empty",
        "title": "The kettle is empty",
        "status": 409,
        "detail": "The kettle holds no water.",
        "action": "Fill it first.",
        "request_id": "",
    }


async def test_who_comes_too_often_is_told_when_to_come_back(client: httpx.AsyncClient) -> None:
    assert (await client.get("/busy")).headers["retry-after"] == "7"


async def test_a_fault_of_ours_is_answered_without_its_insides(client: httpx.AsyncClient) -> None:
    answer = await client.get("/fault")
    assert answer.status_code == 500
    assert answer.json()["type"] == PROBLEM_BASE + "internal-fault"
    assert "hunter2" not in answer.text


async def test_an_unknown_address_and_a_wrong_method_are_problems_too(client: httpx.AsyncClient) -> None:
    for answer in (await client.get("/nowhere"), await client.post("/kettle")):
        assert answer.status_code in {404, 405}
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["action"]


@pytest.mark.parametrize("query", ["limit=x", "limit=0", "limit=201", "cursor=x"])
async def test_a_wrong_parameter_is_named(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/list?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/" + query.partition("=")[0]


async def test_a_wrong_token_is_told_before_a_wrong_parameter(client: httpx.AsyncClient) -> None:
    answer = await client.get("/list?limit=0", headers={"authorization": "Bearer wrong"})
    assert answer.status_code == 401
