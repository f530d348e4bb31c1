"""Reading settings: the nearest source wins, and every problem is told with its name, source and allowed values."""

import dataclasses
import math
import types
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from opencode.infra.settings.setting import KEY, Description

C = TypeVar("C")

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class Origin(StrEnum):
    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class SettingValue:
    """One setting as it is in force."""

    name: str
    value: Any
    origin: Origin
    place: str
    description: Description


class SettingsError(Exception):
    """One or more settings are wrong; `problems` has a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Sources:
    """Where settings come from, the nearest first: flags, `OCP_*` variables, the file's top-level keys."""

    flags: Mapping[str, Any]
    environment: Mapping[str, str]
    file: Mapping[str, Any]
    file_path: Path | None

    def find(self, name: str) -> tuple[Any, Origin, str] | None:
        if self.flags.get(name) is not None:
            return self.flags[name], Origin.FLAG, f"--{name.replace('_', '-')}"
        variable = variable_of(name)
        if variable in self.environment:
            return self.environment[variable], Origin.ENVIRONMENT, variable
        if name in self.file:
            return self.file[name], Origin.FILE, f"{name} in {self.file_path}"
        return None


def variable_of(name: str) -> str:
    return f"OCP_{name.upper()}"


def load_section(section: type[C], sources: Sources) -> tuple[C, list[SettingValue]]:
    """
    Fill a frozen dataclass of settings.

    Raises:
        SettingsError: with a sentence for every wrong value.
    """
    hints = get_type_hints(section)
    values: list[SettingValue] = []
    problems: list[str] = []
    for item in dataclasses.fields(section):  # pyright: ignore[reportArgumentType]
        description: Description = item.metadata[KEY]
        found = sources.find(item.name)
        if found is None:
            values.append(SettingValue(item.name, item.default, Origin.DEFAULT, "default", description))
            continue
        raw, origin, place = found
        try:
            value = _convert(raw, hints[item.name])
            _check(value, description)
            values.append(SettingValue(item.name, value, origin, place, description))
        except ValueError as error:
            shown = "(hidden)" if description.secret else repr(raw)
            problems.append(f"{place} is {shown}: {error}. It sets: {description.doc}")
    if problems:
        raise SettingsError(problems)
    return section(**{value.name: value.value for value in values}), values


def _convert(raw: Any, kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        if raw == "":
            return None
        kind = next(option for option in get_args(kind) if option is not type(None))
    if get_origin(kind) is tuple:
        parts = raw.split(",") if isinstance(raw, str) else raw
        return tuple(str(part).strip() for part in parts if str(part).strip())
    converter = {bool: _bool, int: _int, float: _float, Path: _path}.get(kind)
    return converter(raw) if converter else str(raw)


def _path(raw: Any) -> Path:
    return Path(str(raw)).expanduser()


def _bool(raw: Any) -> bool:
    word = str(raw).strip().lower()
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise ValueError("it must be true or false")


def _int(raw: Any) -> int:
    try:
        return int(str(raw).replace("_", ""))
    except ValueError:
        raise ValueError("it must be a whole number") from None


def _float(raw: Any) -> float:
    try:
        number = float(str(raw))
    except ValueError:
        number = math.nan
    # `nan` is neither below a minimum nor above a maximum: it would pass every check.
    if not math.isfinite(number):
        raise ValueError("it must be a number")
    return number


def _check(value: Any, description: Description) -> None:
    is_list = isinstance(value, tuple)
    chosen: set[Any] = set(value) if is_list else {value}
    if description.choices and not chosen <= set(description.choices):
        raise ValueError(f"it must be {'some' if is_list else 'one'} of {', '.join(description.choices)}")
    if description.prefixes and not all(str(each).startswith(description.prefixes) for each in chosen if each):
        raise ValueError(f"it must begin with {' or '.join(description.prefixes)}")
    low, high = description.minimum, description.maximum
    too_low = value is not None and low is not None and value < low
    too_high = value is not None and high is not None and value > high
    if too_low or too_high:
        raise ValueError(f"it must be {_span(low, high)}")


def _span(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:.15g}"
    return f"at least {low:.15g}" if high is None else f"from {low:.15g} to {high:.15g}"
