"""
The files that a configuration is made of, and the environment on top of them.

A coding agent has files of the same name. So a file that lies where both look is ours only when it carries our
`$schema`; a file that somebody names is ours unless it carries another one.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from opencode.modules.ai.domain.configuration.jsonc import Source, read
from opencode.modules.ai.domain.configuration.model import SCHEMA_ID
from opencode.modules.ai.errors import ConfigurationNotFound

FILE = "opencode.json"
VARIABLE = "OCP_AI_CONFIG"
PREFIX = "OCP_AI__"
MOST_BYTES = 16_000_000
_PROJECT_MARKS = (".git", ".hg")


class Layer(StrEnum):
    """Where a part of the configuration comes from, the lowest first."""

    SYSTEM = "system"
    USER = "user"
    PROJECT = "project"
    NAMED = "named"
    ENVIRONMENT = "environment"


class Owner(StrEnum):
    OURS = "ours"
    AGENT = "the coding agent"
    """Of the agent that has files of the same name."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """A file, or the environment, that may be a layer."""

    layer: Layer
    source: Source
    owner: Owner


@dataclass(frozen=True, slots=True)
class Places:
    """
    Where to look.

    Attributes:
        named: by `--config` or `OCP_AI_CONFIG`; it must be there.
    """

    system: Path
    user: Path
    working: Path
    named: Path | None
    variables: Mapping[str, str]

    @classmethod
    def of_process(cls, named: Path | None = None) -> "Places":
        """Those of this process."""
        home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        named_by_variable = os.environ.get(VARIABLE)
        return cls(
            system=Path("/etc/opencode") / FILE,
            user=Path(home) / "opencode-platform" / FILE,
            working=Path.cwd(),
            named=named or (Path(named_by_variable) if named_by_variable else None),
            variables=dict(os.environ),
        )


def found(places: Places) -> list[Found]:
    """
    All layers, the lowest first, with files that are not ours among them.

    Raises:
        ConfigurationNotFound: the named file cannot be read, or another one that is there.
    """
    named = places.named.resolve() if places.named else None
    layers: list[Found] = []
    for layer, path in (
        (Layer.SYSTEM, places.system),
        (Layer.USER, places.user),
        (Layer.PROJECT, _of_project(places.working)),
    ):
        if path is not None and path.is_file() and path.resolve() != named:
            source = _read(path)
            layers.append(Found(layer, source, _owner(source)))
    if places.named is not None:
        source = _read(places.named)
        owner = _owner(source)
        layers.append(Found(Layer.NAMED, source, Owner.OURS if owner is Owner.UNKNOWN else owner))
    if (environment := _environment(places.variables)) is not None:
        layers.append(Found(Layer.ENVIRONMENT, environment, Owner.OURS))
    return layers


def read_secret(source: str, path: str) -> str:
    """
    What a file says that a configuration names with `{file:…}`.

    Args:
        source: the path of the configuration, whose folder relative paths start from.

    Raises:
        OSError, UnicodeDecodeError: it cannot be read.
    """
    return (Path(source).parent / Path(path).expanduser()).read_text(encoding="utf-8")


def _of_project(working: Path) -> Path | None:
    """The nearest file of the name, no higher than the project's own folder."""
    for folder in (working, *working.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        if any((folder / mark).exists() for mark in _PROJECT_MARKS):
            break
    return None


def _read(path: Path) -> Source:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigurationNotFound(path, f"it has more than {MOST_BYTES:,} bytes")
        return Source(str(path), path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigurationNotFound(path, f"byte {error.start} of it is not UTF-8") from None
    except OSError as error:
        raise ConfigurationNotFound(path, error.strerror or "it cannot be read") from None


def _owner(source: Source) -> Owner:
    node, _ = read(source)
    if node is None or not isinstance(node.value, dict):
        # What cannot be read is told of rather than passed over when it speaks of us at all.
        return Owner.OURS if SCHEMA_ID in source.text else Owner.UNKNOWN
    signature = node.value.get("$schema")
    if signature is None:
        return Owner.AGENT if node.value.keys() & {"provider", "agent", "mcp", "keybinds"} else Owner.UNKNOWN
    written = signature.node.value
    return Owner.OURS if isinstance(written, str) and "opencode.invalid" in written else Owner.AGENT


def _environment(variables: Mapping[str, str]) -> Source | None:
    """`OCP_AI__PROVIDERS__LOCAL__WEIGHT=2` as `{"providers": {"local": {"weight": 2}}}`."""
    whole: dict[str, object] = {}
    for name, value in sorted(variables.items()):
        if name.startswith(PREFIX):
            steps = [step.lower() for step in name.removeprefix(PREFIX).split("__")]
            _put(whole, steps, _value(value))
    return Source(Layer.ENVIRONMENT, json.dumps(whole), has_lines=False) if whole else None


def _put(whole: dict[str, object], steps: Iterable[str], value: object) -> None:
    *outer, last = steps
    for step in outer:
        inner = whole.setdefault(step, {})
        if not isinstance(inner, dict):
            inner = whole[step] = {}
        whole = inner
    whole[last] = value


def _value(text: str) -> object:
    """JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
