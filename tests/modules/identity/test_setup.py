"""How a fresh server gets its first administrator."""

import asyncio
import re

import pytest

from opencode.infra.settings import SettingsError
from opencode.kernel.clock import ManualClock
from tests.modules.identity.conftest import PASSWORD, Open, Server, audit_kinds, register, sign_in


async def printed_link(server: Server, capsys: pytest.CaptureFixture[str]) -> str | None:
    """Does what happens once the server listens; returns the secret of the link that it printed, if any."""
    assert server.module.plug.ready
    await server.module.plug.ready()
    lines = capsys.readouterr().out.splitlines()
    if not lines:
        return None
    (line,) = lines
    pattern = r"Open http://opencode\.test/setup#token=(\S+) to become the administrator of this server\."
    match = re.fullmatch(pattern, line)
    assert match, line
    return match[1]


async def test_the_printed_link_makes_the_administrator_who_then_chooses_a_password(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = await printed_link(server, capsys)
    async with server.browser() as client:
        answer = await client.post("/api/v1/auth/setup", json={"token": secret})
        assert answer.status_code == 200
        assert answer.json()["roles"] == ["admin"]
        assert answer.json()["email"] is None
        lonely = await client.patch("/api/v1/me", json={"new_password": PASSWORD})
        assert [error["pointer"] for error in lonely.json()["errors"]] == ["/email"]
        change = {"email": "ada@example.org", "new_password": PASSWORD, "display_name": "Ada"}
        assert (await client.patch("/api/v1/me", json=change)).status_code == 200
        assert (await client.get("/api/v1/me")).json()["display_name"] == "Ada"
        assert (await sign_in(client, "ada@example.org")).status_code == 200
        assert {"setup.used", "email.changed", "password.changed"} <= set(await audit_kinds(client))


async def test_the_link_works_once(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    secret = await printed_link(server, capsys)
    async with server.browser() as first, server.browser() as second:
        answers = await asyncio.gather(
            *(client.post("/api/v1/auth/setup", json={"token": secret}) for client in (first, second))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_a_new_start_prints_a_new_link_and_the_old_one_is_dead(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    old = await printed_link(server, capsys)
    new = await printed_link(server, capsys)
    async with server.browser() as client:
        assert (await client.post("/api/v1/auth/setup", json={"token": old})).status_code == 401
        assert (await client.post("/api/v1/auth/setup", json={"token": new})).status_code == 200


async def test_the_link_is_dead_once_somebody_has_registered(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = await printed_link(server, capsys)
    async with server.browser() as client, server.browser() as late:
        await register(client, "Ada")
        answer = await late.post("/api/v1/auth/setup", json={"token": secret})
        assert answer.status_code == 401
        assert "Sign in" in answer.json()["action"]
    assert await printed_link(server, capsys) is None


async def test_the_link_works_for_a_day(server: Server, clock: ManualClock, capsys: pytest.CaptureFixture[str]) -> None:
    secret = await printed_link(server, capsys)
    clock.advance(24 * 3600)
    async with server.browser() as client:
        assert (await client.post("/api/v1/auth/setup", json={"token": secret})).status_code == 401


async def test_a_made_up_link_opens_nothing(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    await printed_link(server, capsys)
    async with server.browser() as client:
        for guess in ("", "ocl_", "ocl_" + "A" * 43):
            assert (await client.post("/api/v1/auth/setup", json={"token": guess})).status_code == 401


async def test_the_administrator_of_the_settings_is_made_at_start_and_no_link_is_printed(
    open_server: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    named = {"admin_email": "root@example.org", "admin_password": "first of many secrets"}
    async with open_server(**named) as server, server.browser() as client:
        assert await printed_link(server, capsys) is None
        answer = await sign_in(client, "root@example.org", "first of many secrets")
        assert answer.json()["roles"] == ["admin"]
        change = {"new_password": "quite another secret", "current_password": "first of many secrets"}
        assert (await client.patch("/api/v1/me", json=change)).status_code == 200
    async with open_server(**named) as server, server.browser() as client:
        assert (await sign_in(client, "root@example.org", "first of many secrets")).status_code == 401
        assert (await sign_in(client, "root@example.org", "quite another secret")).status_code == 200


async def test_a_bad_administrator_in_the_settings_stops_the_start_and_says_why(open_server: Open) -> None:
    with pytest.raises(SettingsError, match="OCP_ADMIN_PASSWORD must have 10 to 128 characters"):
        async with open_server(admin_email="root@example.org", admin_password="short"):
            pass
    with pytest.raises(SettingsError, match="admin_email is set without admin_password"):
        async with open_server(admin_email="root@example.org"):
            pass
