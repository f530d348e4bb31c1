"""Mail: what goes out, to whom, when, what happens when it cannot, and how one gets no more of it."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from opencode.contracts.notifications import NoticeKind
from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import MailId, UserId
from opencode.modules.notifications.domain.mails import GIVE_UP_AFTER, Mail, mailable, next_digest, retry_at
from opencode.modules.notifications.module import build
from opencode.modules.notifications.service.mailing import CLAIM
from opencode.modules.notifications.settings import NotificationsSettings
from opencode.modules.notifications.store.tables import mails
from tests.doubles.identity import IdentityInMemory
from tests.modules.notifications.conftest import Person, World, running
from tests.modules.notifications.mail_server import MailServer, mail_server

AT_ONCE = NoticeKind.REVIEW_WRITTEN
PREFERENCES = "/api/v1/me/notices/preferences"


def settings_for(server: MailServer, **more: Any) -> NotificationsSettings:
    usual: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_security": "none",
        "smtp_sender": "OpenCode <code@example.org>",
    }
    return NotificationsSettings(**{**usual, **more})


@asynccontextmanager
async def mailing(parts: Parts, clock: ManualClock, server: MailServer, **more: Any) -> AsyncGenerator[World]:
    async with running(parts, clock, settings_for(server, **more), IdentityInMemory(clock)) as world:
        yield world


@pytest.fixture
async def server() -> AsyncGenerator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
async def world(parts: Parts, clock: ManualClock, server: MailServer) -> AsyncGenerator[World]:
    async with mailing(parts, clock, server) as world:
        yield world


def reachable(world: World, name: str = "Ada", address: str = "") -> Person:
    person = world.person(name)
    world.identity.emails[person.id] = address or f"{name.lower()}@example.org"
    return person


async def send(world: World) -> None:
    await world.job("send mail")


async def states(world: World) -> list[str]:
    async with world.parts.database.read() as connection:
        return sorted((await connection.execute(select(mails.c.state))).scalars())


async def test_what_concerns_oneself_is_mailed_at_once_and_once(world: World, server: MailServer) -> None:
    ada = reachable(world)
    event = world.notice(ada, kind=AT_ONCE, title="<b>Ada</b> & co: great", body="Line <1>\nLine 2")
    await world.say(event)
    await send(world)
    await world.say(event)
    await send(world)
    (got,) = server.got
    assert (got.sender.split()[0], got.recipients) == ("FROM:<code@example.org>", ["TO:<ada@example.org>"])
    message = got.message
    assert message["From"] == "OpenCode <code@example.org>"
    assert message["To"] == "ada@example.org"
    assert message["Subject"] == "<b>Ada</b> & co: great"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].startswith("<mal_")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "http://opencode.test/projects/ada.engine" in got.part("plain")
    html = got.part("html")
    assert "&lt;b&gt;Ada&lt;/b&gt; &amp; co: great" in html
    assert "Line &lt;1&gt;<br>Line 2" in html
    assert "<b>" not in html
    assert await states(world) == ["sent"]


async def test_what_one_follows_comes_once_a_day_in_one_mail_by_kind(world: World, server: MailServer) -> None:
    ada, grace = reachable(world), reachable(world, "Grace")
    await world.tell(ada, grace, title="Engine 1")
    await world.tell(ada, kind=NoticeKind.PROJECT_PUBLISHED, title="Loom")
    await world.tell(ada, title="Engine 2")
    await world.tell(ada, title="Read already")
    await world.tell(ada, title="Deleted")
    deleted, read, *_ = await ada.inbox()
    await ada.delete(f"/api/v1/me/notices/{deleted['id']}")
    await ada.post("/api/v1/me/notices/read", {"ids": [read["id"]]})
    await send(world)
    assert server.got == []
    world.clock.advance(22 * 3600)
    await send(world)
    hers = next(got for got in server.got if "ada@" in got.recipients[0])
    assert len(server.got) == 2
    assert hers.message["Subject"] == "3 notices of the day"
    text = hers.part("plain")
    positions = [text.index(words) for words in ("New projects", "Loom", "New releases", "Engine 1", "Engine 2")]
    assert positions == sorted(positions)
    assert "Read already" not in text
    assert "Deleted" not in text
    await world.tell(ada, title="Engine 3")
    world.clock.advance(86_400)
    await send(world)
    assert server.got[-1].message["Subject"] == "One notice of the day"
    assert len(server.got) == 3


async def test_who_is_not_in_the_inbox_by_choice_gets_the_mail_all_the_same(world: World, server: MailServer) -> None:
    ada = reachable(world)
    await ada.put(PREFERENCES, {"kinds": {AT_ONCE: {"inbox": False, "mail": "at_once"}}})
    await world.tell(ada, kind=AT_ONCE)
    await send(world)
    assert (await ada.inbox(), len(server.got)) == ([], 1)


async def test_one_click_ends_mails_of_that_kind_without_signing_in(world: World, server: MailServer) -> None:
    ada = reachable(world)
    await world.tell(ada, kind=AT_ONCE)
    await send(world)
    link = server.got[0].message["List-Unsubscribe"].strip("<>").removeprefix("http://opencode.test")
    nobody = world.nobody()
    asked = await nobody.get(link)
    assert asked.status_code == 200
    assert asked.headers["content-type"].startswith("text/html")
    assert '<form method="post">' in asked.text
    assert (await ada.get(PREFERENCES)).json()["kinds"][AT_ONCE]["mail"] == "at_once"
    for _ in range(2):
        # As a mailbox provider sends it (RFC 8058, section 3.2).
        done = await nobody.call("POST", link, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200, done.text
    kinds = (await ada.get(PREFERENCES)).json()["kinds"]
    assert kinds[AT_ONCE] == {"inbox": True, "mail": "none"}
    assert kinds["order.paid"]["mail"] == "at_once"
    await world.tell(ada, kind=AT_ONCE, title="Another")
    await send(world)
    assert len(server.got) == 1
    assert len(await ada.inbox()) == 2


async def test_the_link_of_a_daily_mail_ends_all_mails_also_those_that_wait(world: World, server: MailServer) -> None:
    ada = reachable(world)
    await world.tell(ada)
    world.clock.advance(86_400)
    await send(world)
    await world.tell(ada, title="Waits")
    await world.tell(ada, kind=AT_ONCE, title="Waits too")
    link = server.got[0].message["List-Unsubscribe"].strip("<>").removeprefix("http://opencode.test")
    assert (await world.nobody().post(link)).status_code == 200
    world.clock.advance(86_400)
    await send(world)
    assert len(server.got) == 1
    assert await states(world) == ["dropped", "dropped", "sent"]


@pytest.mark.parametrize("token", ["", "x", "e30.x", "a" * 2_000])
async def test_a_link_that_is_not_ours_changes_nothing(world: World, token: str) -> None:
    for method in ("GET", "POST"):
        answer = await world.nobody().call(method, "/api/v1/notices/unsubscribe", params={"token": token})
        assert answer.status_code == 400
    assert (await world.nobody().post("/api/v1/notices/unsubscribe")).status_code == 400


async def test_a_server_that_is_away_is_asked_again_later_and_gets_the_mail_once(
    world: World, server: MailServer
) -> None:
    ada = reachable(world)
    server.answers = {"HELLO": "421 not now"}
    await world.tell(ada, kind=AT_ONCE)
    await send(world)
    await send(world)
    assert server.connections == 1
    assert world.module.plug.notices()["mail"]
    server.answers = {"RCPT": "451 later"}
    world.clock.advance(60)
    await send(world)
    server.answers = {}
    world.clock.advance(120)
    await send(world)
    assert len(server.got) == 1
    assert world.module.plug.notices() == {}
    assert await states(world) == ["sent"]


async def test_what_the_server_refuses_for_good_is_not_tried_again(world: World, server: MailServer) -> None:
    ada, grace = reachable(world), reachable(world, "Grace")
    server.answers = {"RCPT": "550 no such person"}
    await world.tell(ada, kind=AT_ONCE)
    await send(world)
    server.answers = {"DATA": "554 spam"}
    await world.tell(grace, kind=AT_ONCE)
    await send(world)
    server.answers = {}
    world.clock.advance(86_400)
    await send(world)
    assert server.got == []
    assert await states(world) == ["refused", "refused"]


async def test_a_mail_that_cannot_be_handed_over_is_given_up_after_two_days(world: World, server: MailServer) -> None:
    server.answers = {"MAIL": "550 you may not"}
    await world.tell(reachable(world), kind=AT_ONCE)
    for _ in range(60):
        await send(world)
        world.clock.advance(3600)
    assert 10 <= server.connections <= 40
    assert await states(world) == ["given_up"]


async def test_a_server_killed_while_it_sends_sends_again_with_the_same_id(world: World, server: MailServer) -> None:
    ada = reachable(world)
    await world.tell(ada, kind=AT_ONCE)
    async with world.module.mailing.unit_of_work() as work:
        # What a killed process leaves: the mail is claimed, and nobody works on it.
        (claimed,) = await work.stores.mails.claim(world.clock.now(), world.clock.now() + CLAIM, limit=10)
    await send(world)
    assert server.got == []
    world.clock.advance(CLAIM.total_seconds())
    server.hangs_up = True
    await send(world)
    server.hangs_up = False
    world.clock.advance(120)
    await send(world)
    await send(world)
    first, second = server.got
    assert first.message["Message-ID"] == second.message["Message-ID"] == f"<{claimed.id}@example.org>"


async def test_accounts_that_are_gone_and_addresses_that_are_none_get_no_mail(world: World, server: MailServer) -> None:
    gone, odd, silent = reachable(world), reachable(world, "Odd", "a,victim@example.org>x"), world.person("Silent")
    await world.tell(gone, odd, silent, kind=AT_ONCE)
    del world.identity.emails[gone.id]
    await send(world)
    assert server.got == []
    assert await states(world) == ["dropped"] * 3


async def test_line_ends_in_titles_and_names_never_make_headers(world: World, server: MailServer) -> None:
    ada = reachable(world)
    await world.tell(ada, kind=AT_ONCE, title="Hi\r\nBcc: victim@example.org\r\n\r\nBody", body=".\r\nRSET\r\n.")
    await send(world)
    (got,) = server.got
    assert got.recipients == ["TO:<ada@example.org>"]
    assert got.message["Bcc"] is None
    assert got.message["Subject"] == "Hi Bcc: victim@example.org Body"
    assert "RSET" in got.part("plain")


@pytest.mark.parametrize(
    ("typed", "mailed"),
    [
        ("ada@example.org", "ada@example.org"),
        ("ada.b+c@example.org", "ada.b+c@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ädä@example.org", "ädä@example.org"),
        ("", None),
        ("ada", None),
        ("a@b@example.org", None),
        ("ada@exa mple.org", None),
        ("ada>@example.org", None),
        ('"ada x"@example.org', None),
        ("ada\r\nRCPT TO:<b@example.org>@example.org", None),
        ("ada@[127.0.0.1]", None),
        ("ada@example..org", None),
        ("ada@" + "a" * 70 + ".org", None),
        ("a" * 65 + "@example.org", None),
        (".ada@example.org", None),
    ],
)
def test_only_what_is_an_address_is_mailed(typed: str, mailed: str | None) -> None:
    assert mailable(typed) == mailed


async def test_an_address_beyond_ascii_is_mailed_as_it_is(world: World, server: MailServer) -> None:
    await world.tell(reachable(world, "Ada", "ädä@bücher.example"), kind=AT_ONCE, title="Grüße 🎉")
    await send(world)
    (got,) = server.got
    assert got.recipients == ["TO:<ädä@xn--bcher-kva.example>"]
    assert got.message["Subject"] == "Grüße 🎉"


def test_daily_mails_leave_at_their_hour_and_retries_end() -> None:
    seven = datetime(2026, 1, 5, 7, tzinfo=UTC)
    assert next_digest(seven - timedelta(seconds=1), 7) == seven
    assert next_digest(seven, 7) == seven + timedelta(days=1)
    mail = Mail(MailId("mal_1"), UserId("usr_1"), seven, None, seven)
    assert retry_at(mail, seven, 1) == seven + timedelta(minutes=1)
    assert retry_at(mail, seven + GIVE_UP_AFTER, 0) is None


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate with its key for 127.0.0.1, signed by itself."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("openssl is not installed")
    file = tmp_path_factory.mktemp("tls") / "mail.pem"
    command = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mail -keyout {file} -out {file}.crt"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([openssl, *command.split(), *names], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + Path(f"{file}.crt").read_bytes())
    return file


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_travels_encrypted_and_only_to_a_server_that_is_trusted(
    security: str, certificate: Path, parts: Parts, clock: ManualClock
) -> None:
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate)
    async with mail_server(ours, starttls=security == "starttls") as server:
        server.password = "a good secret"
        async with mailing(
            parts, clock, server, smtp_security=security, smtp_user="code", smtp_password=server.password
        ) as world:
            await world.tell(reachable(world), kind=AT_ONCE)
            await send(world)
            assert server.got == []
            trusting = build(
                parts,
                world.module.mailing.settings,
                identity=world.identity,
                mail_trust=ssl.create_default_context(cafile=str(certificate)),
            )
            clock.advance(60)
            await trusting.mailing.send_due()
            assert [got.encrypted for got in server.got] == [True]


async def test_nothing_is_sent_in_the_clear_where_encryption_is_asked_for(
    parts: Parts, clock: ManualClock, server: MailServer
) -> None:
    async with mailing(parts, clock, server, smtp_security="starttls") as world:
        await world.tell(reachable(world), kind=AT_ONCE)
        await send(world)
        assert server.got == []
        assert await states(world) == ["waiting"]


async def test_without_a_mail_server_nothing_waits_to_be_sent(parts: Parts, clock: ManualClock) -> None:
    async with running(parts, clock, NotificationsSettings(), IdentityInMemory(clock)) as world:
        await world.tell(reachable(world), kind=AT_ONCE)
        assert "send mail" not in [job.name for job in world.module.plug.jobs]
        assert await states(world) == []
