"""Settings: where they come from, and what happens to bad ones."""

from pathlib import Path

import pytest

from opencode.app.settings import load_settings, unknown_variables
from opencode.infra.settings import SettingsError
from tests.ocp import run_ocp, serving


def test_a_flag_wins_over_the_environment_and_that_over_the_file_and_that_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "opencode.toml"
    file.write_text('port = 1111\nlog_level = "error"\nbody_s = 7\n')
    environment = {"OCP_CONFIG": str(file), "OCP_PORT": "2222", "OCP_LOG_LEVEL": "warning"}
    settings = load_settings({"port": 3333}, environment)
    assert settings.process.port == 3333
    assert settings.process.log_level == "warning"
    assert settings.process.body_s == 7
    assert settings.process.host == "127.0.0.1"


def test_every_value_remembers_where_it_came_from(tmp_path: Path) -> None:
    file = tmp_path / "opencode.toml"
    file.write_text("body_s = 7\n")
    settings = load_settings({"port": 1}, {"OCP_CONFIG": str(file), "OCP_LOG_LEVEL": "error"})
    places = {value.name: value.place for value in settings.values}
    assert places["port"] == "--port"
    assert places["log_level"] == "OCP_LOG_LEVEL"
    assert places["body_s"] == f"body_s in {file}"
    assert places["host"] == "default"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("OCP_PORT", "eighty", "it must be a whole number"),
        ("OCP_PORT", "70000", "it must be from 0 to 65535"),
        ("OCP_LOG_LEVEL", "loud", "it must be one of debug, info, warning, error"),
        ("OCP_REGISTRATION", "everyone", "it must be one of auto, open, invite, closed"),
        ("OCP_DURABILITY", "none", "it must be one of process, power"),
        ("OCP_PUBLIC_URL", "code.example.org", "it must begin with https:// or http://"),
        ("OCP_PISTON_SERVERS", "http://one,two:2000", "it must begin with https:// or http://"),
        ("OCP_RUN_MEMORY_BYTES", "1", "it must be at least 1048576"),
        ("OCP_MODULES", "identity,chess", "it must be some of identity, collaboration, execution, interviews"),
    ],
)
def test_a_bad_setting_is_told_with_its_name_its_value_and_what_is_allowed(
    variable: str, value: str, told: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({}, {variable: value})
    [problem] = caught.value.problems
    assert variable in problem
    assert value in problem
    assert told in problem


def test_all_bad_settings_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"port": -1}, {"OCP_LOG_LEVEL": "loud", "OCP_ROOM_IDLE_S": "soon"})
    assert len(caught.value.problems) == 3


def test_an_unknown_name_in_the_file_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "opencode.toml"
    file.write_text("prot = 8000\n")
    with pytest.raises(SettingsError, match=f"prot in {file} is not a setting"):
        load_settings({}, {"OCP_CONFIG": str(file)})


@pytest.mark.parametrize(("content", "told"), [("port = = 1", "it is not TOML"), (None, "it cannot be read")])
def test_a_settings_file_that_cannot_be_used_stops_the_start(tmp_path: Path, content: str | None, told: str) -> None:
    file = tmp_path / "opencode.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match=told):
        load_settings({}, {"OCP_CONFIG": str(file)})


def test_a_number_may_not_be_given_as_something_else_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "opencode.toml"
    file.write_text("port = true\nbody_s = 2.5\n")
    with pytest.raises(SettingsError) as caught:
        load_settings({}, {"OCP_CONFIG": str(file)})
    assert len(caught.value.problems) == 2


def test_the_value_of_a_secret_is_not_shown_in_its_error(tmp_path: Path) -> None:
    done = run_ocp("serve", "--data", tmp_path, settings={"OCP_ADMIN_PASSWORD": "sesame"}, folder=tmp_path)
    assert done.status == 1
    assert "sesame" not in done.err + done.out
    assert "admin_email" in done.err


def test_the_catalogue_cannot_be_searched_in_a_postgres_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match="Set OCP_DATABASE_URL"):
        load_settings({}, {"OCP_MARKETPLACE_INDEX": "postgres"})
    url = "postgresql+asyncpg://ada@127.0.0.1/ada"
    loaded = load_settings({}, {"OCP_MARKETPLACE_INDEX": "postgres", "OCP_DATABASE_URL": url})
    assert loaded.marketplace.marketplace_index == "postgres"


def test_a_misspelt_variable_is_pointed_out_and_does_not_stop_anything() -> None:
    environment = {"OCP_PROT": "1", "OCP_PORT": "1", "OCP_CONFIG": "", "OTHER": "1"}
    assert unknown_variables(load_settings({}, {}), environment) == ["OCP_PROT"]


def test_a_bad_setting_stops_the_start_in_words(tmp_path: Path) -> None:
    done = run_ocp("serve", "--data", tmp_path, settings={"OCP_LOG_LEVEL": "loud"}, folder=tmp_path)
    assert done.status == 1
    assert "OCP_LOG_LEVEL is 'loud': it must be one of debug, info, warning, error" in done.err
    assert "Traceback" not in done.err


def test_a_misspelt_variable_is_pointed_out_at_the_start(tmp_path: Path) -> None:
    with serving(tmp_path / "data", settings={"OCP_PROT": "1"}) as server:
        assert "OCP_PROT is not a setting" in server.log.read_text()
