"""Reading settings: the nearest source wins, and every mistake is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opencode.infra.settings import Origin, SettingsError, Sources, load_section, setting


@dataclass(frozen=True, slots=True)
class Example:
    port: int = setting(8000, "the port", minimum=0, maximum=65535)
    ratio: float = setting(0.5, "the ratio", minimum=0)
    quick: bool = setting(False, "be quick")
    level: str = setting("info", "how much", choices=("info", "debug"))
    folder: Path = setting(Path("data"), "the folder")
    modules: tuple[str, ...] = setting((), "which modules")
    limit: int | None = setting(None, "a limit, or none", minimum=1)
    password: str = setting("", "the password", secret=True)


def sources(flags: Any = None, environment: Any = None, file: Any = None) -> Sources:
    return Sources(flags or {}, environment or {}, file or {}, Path("ocp.toml"))


def test_without_any_source_the_defaults_are_in_force() -> None:
    example, values = load_section(Example, sources())
    assert example == Example()
    assert {value.origin for value in values} == {Origin.DEFAULT}


def test_a_flag_wins_over_the_environment_and_that_over_the_file() -> None:
    everything = sources({"port": 1}, {"OCP_PORT": "2", "OCP_LEVEL": "debug"}, {"port": 3, "level": "info", "ratio": 1})
    example, values = load_section(Example, everything)
    assert (example.port, example.level, example.ratio) == (1, "debug", 1.0)
    places = {value.name: (value.origin, value.place) for value in values}
    assert places["port"] == (Origin.FLAG, "--port")
    assert places["level"] == (Origin.ENVIRONMENT, "OCP_LEVEL")
    assert places["ratio"] == (Origin.FILE, "ratio in ocp.toml")


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("OCP_PORT", "9_000", "port", 9000),
        ("OCP_QUICK", "Yes", "quick", True),
        ("OCP_QUICK", "0", "quick", False),
        ("OCP_MODULES", " identity, ,execution,", "modules", ("identity", "execution")),
        ("OCP_MODULES", "", "modules", ()),
        ("OCP_LIMIT", "", "limit", None),
        ("OCP_LIMIT", "5", "limit", 5),
        ("OCP_FOLDER", "/srv/x", "folder", Path("/srv/x")),
    ],
)
def test_text_becomes_what_the_setting_is(variable: str, text: str, name: str, value: object) -> None:
    example, _ = load_section(Example, sources(environment={variable: text}))
    assert getattr(example, name) == value


@pytest.mark.parametrize(
    ("variable", "text", "told"),
    [
        ("OCP_PORT", "many", "it must be a whole number"),
        ("OCP_PORT", "70000", "it must be from 0 to 65535"),
        ("OCP_RATIO", "-1", "it must be at least 0"),
        ("OCP_RATIO", "nan", "it must be a number"),
        ("OCP_RATIO", "inf", "it must be a number"),
        ("OCP_QUICK", "perhaps", "it must be true or false"),
        ("OCP_LEVEL", "loud", "it must be one of info, debug"),
        ("OCP_LIMIT", "0", "it must be at least 1"),
    ],
)
def test_a_wrong_value_is_told_with_its_place_and_what_is_allowed(variable: str, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        load_section(Example, sources(environment={variable: text}))
    (problem,) = wrong.value.problems
    assert problem.startswith(f"{variable} is {text!r}: {told}. It sets: ")


def test_all_wrong_values_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as wrong:
        load_section(Example, sources({"port": "x"}, {"OCP_LEVEL": "loud"}, {"quick": "?"}))
    assert [problem.partition(" is ")[0] for problem in wrong.value.problems] == [
        "--port",
        "quick in ocp.toml",
        "OCP_LEVEL",
    ]


def test_a_wrong_secret_is_not_shown() -> None:
    @dataclass(frozen=True, slots=True)
    class Secretive:
        key: int = setting(0, "the key", secret=True)

    with pytest.raises(SettingsError) as wrong:
        load_section(Secretive, sources(environment={"OCP_KEY": "hunter2"}))
    assert "hunter2" not in str(wrong.value)
    assert "(hidden)" in str(wrong.value)
