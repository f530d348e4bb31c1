"""What people choose holds for what comes after, and only for themselves."""

import pytest

from opencode.contracts.notifications import NoticeKind
from opencode.infra.settings import SettingsError
from opencode.modules.notifications.domain.preferences import DEFAULTS
from opencode.modules.notifications.settings import NotificationsSettings
from tests.modules.notifications.conftest import World

PREFERENCES = "/api/v1/me/notices/preferences"
SILENT = {"inbox": False, "mail": "none"}


async def test_without_a_choice_everybody_has_the_defaults(world: World) -> None:
    shown = (await world.person().get(PREFERENCES)).json()
    assert shown["kinds"] == shown["defaults"]
    assert shown["kinds"].keys() == set(NoticeKind) == DEFAULTS.keys()
    assert shown["kinds"]["person.followed"] == {"inbox": True, "mail": "none"}
    assert shown["mails"] is False


async def test_a_kind_that_is_switched_off_does_not_come_to_this_inbox_any_more(world: World) -> None:
    ada, grace = world.person("Ada"), world.person("Grace")
    answer = await ada.put(PREFERENCES, {"kinds": {"project.released": SILENT}})
    assert answer.status_code == 200
    assert answer.json()["kinds"]["project.released"] == SILENT
    await world.tell(ada, grace)
    assert (await ada.inbox(), await ada.unread()) == ([], 0)
    assert len(await grace.inbox()) == 1
    await ada.put(PREFERENCES, {"kinds": {}})
    assert (await ada.get(PREFERENCES)).json()["kinds"]["project.released"]["inbox"] is True
    await world.tell(ada)
    assert await ada.inbox() == []
    await world.tell(ada, title="Another")
    assert await ada.titles() == ["Another"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/kinds"),
        ({"kinds": {"project/exploded": SILENT}}, "/kinds/project~1exploded"),
        ({"kinds": {"project.released": {"inbox": True}}}, "/kinds"),
        ({"kinds": {"project.released": {"inbox": True, "mail": "hourly"}}}, "/kinds"),
        ({"kinds": {"project.released": {"inbox": True, "mail": "none", "sms": True}}}, "/kinds"),
        ({"kinds": [], "more": 1}, "/more"),
    ],
)
async def test_choices_that_do_not_exist_are_refused(world: World, body: dict[str, object], pointer: str) -> None:
    ada = world.person()
    answer = await ada.put(PREFERENCES, body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await world.nobody().get(PREFERENCES)).status_code == 401
    assert (await world.nobody().put(PREFERENCES, {"kinds": {}})).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"smtp_host": "mail.example.org"},
        {"smtp_host": "mail.example.org", "smtp_sender": "a@example.org\r\nBcc: b@example.org"},
        {"smtp_user": "ada"},
        {"smtp_user": "ada", "smtp_password": "secret", "smtp_security": "none"},
    ],
)
def test_settings_that_could_not_send_or_would_show_a_password_stop_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        NotificationsSettings(**wrong)  # pyright: ignore[reportArgumentType]
