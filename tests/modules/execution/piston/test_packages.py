"""What is installed is seen by all who run programs, and changed by those who may."""

from typing import Any

import httpx
import pytest

from opencode.contracts.execution import InstallFailed
from opencode.modules.execution.adapters.installer import CommandLineOnly
from tests.http import client_of

from .kit import World, job, printed


async def change(world: World, method: str, body: Any, *, token: str | None = None) -> httpx.Response:
    async with client_of(world.app, bearer=token or world.manager) as client:
        return await client.request(method, "/api/v2/packages", json=body)


def package(language: str, version: str) -> dict[str, str]:
    return {"language": language, "version": version}


async def test_the_list_tells_what_is_installed_and_what_could_be(open_world: World) -> None:
    response = await open_world.client.get("/api/v2/piston/packages")
    assert response.status_code == 200
    assert response.json() == [
        {"language": "c", "language_version": "12.2.0", "installed": True},
        {"language": "javascript", "language_version": "20.9.0", "installed": True},
        {"language": "javascript", "language_version": "18.20.4", "installed": True},
        {"language": "python", "language_version": "3.11.2", "installed": True},
        {"language": "python", "language_version": "3.12.1", "installed": True},
        {"language": "python", "language_version": "2.7.18", "installed": True},
        {"language": "haskell", "language_version": "*", "installed": False},
    ]


async def test_what_was_installed_can_be_run_at_once(world: World) -> None:
    response = await change(world, "POST", package("haskell", "9.x"))
    assert response.status_code == 200
    assert response.json() == {"language": "haskell", "version": "9.4.7"}
    async with client_of(world.app, bearer=world.token) as client:
        run = await client.post("/api/v2/execute", json=job("out a", language="hs"))
    assert run.json() == {"run": printed("a\n"), "language": "haskell", "version": "9.4.7"}


async def test_what_was_uninstalled_is_gone_at_once(world: World) -> None:
    response = await change(world, "DELETE", package("python", "~3.11"))
    assert response.status_code == 200
    assert response.json() == {"language": "python", "version": "3.11.2"}
    async with client_of(world.app, bearer=world.token) as client:
        run = await client.post("/api/v2/execute", json=job("out a", version="3.11"))
    assert run.json()["message"] == "python-3.11 runtime is unknown"


CASES: list[tuple[str, str, Any, int, str]] = [
    ("a language that nobody knows", "POST", package("klingon", "*"), 404,
     "Requested package klingon-* does not exist"),
    ("a version that is not to be had", "POST", package("python", "4.x"), 404,
     "Requested package python-4.x does not exist"),
    ("a version that is no range", "POST", package("python", "latest"), 404,
     "Requested package python-latest does not exist"),
    ("it is installed already", "POST", package("python", "3.12.1"), 500, "Already installed"),
    ("an alias will do", "POST", package("py", "3.12.1"), 500, "Already installed"),
    ("it is not installed", "DELETE", package("python", "3.13.0"), 500, "Not installed"),
    ("a language that nobody knows is not to be taken away", "DELETE", package("klingon", "1"), 404,
     "Requested package klingon-1 does not exist"),
    ("nothing was said", "POST", {}, 400, "language is required as a string"),
    ("there is no version", "DELETE", {"language": "python"}, 400, "version is required as a string"),
    ("the version is a number", "POST", {"language": "python", "version": 3}, 400, "version is required as a string"),
    ("the body is an array", "POST", ["python"], 400, "language is required as a string"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "body", "status", "message"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
async def test_what_cannot_be_done_is_told(world: World, method: str, body: Any, status: int, message: str) -> None:
    response = await change(world, method, body)
    assert response.status_code == status
    assert response.json()["message"] == message


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_only_who_may_manage_runtimes_changes_them(world: World, open_world: World, method: str) -> None:
    body = package("haskell", "*")
    assert (await change(world, method, body, token=world.token)).status_code == 403
    # Not even an open server lets strangers change its machine.
    response = await open_world.client.request(method, "/api/v2/packages", json=body)
    assert response.status_code == 401
    assert set(response.json()) == {"message"}


async def test_changes_are_in_the_audit_trail(world: World) -> None:
    manager = world.manager
    await change(world, "POST", package("haskell", "*"), token=manager)
    await change(world, "DELETE", package("haskell", "*"), token=manager)
    who = world.identity.who(manager).id
    lines = [(line.kind, line.actor_id, line.subject_id, line.detail) for line in world.identity.audit]
    assert lines == [
        ("runtime.installed", who, "haskell", "9.4.7"),
        ("runtime.uninstalled", who, "haskell", "9.4.7"),
    ]


@pytest.mark.parametrize(
    ("verb", "said"), [("install", "`ocp runtimes install haskell`"), ("uninstall", "haskell.toml")]
)
async def test_where_nothing_installs_for_us_the_operator_is_told_how(verb: str, said: str) -> None:
    installer = CommandLineOnly()
    change = installer.install if verb == "install" else installer.uninstall
    with pytest.raises(InstallFailed) as refused:
        await change("haskell", "*")
    assert said in refused.value.action
