"""
The files that a configuration is made of, and the environment on top of them.

A coding agent has files of the same name. So a file that lies where both look is ours only when it carries our
`$schema`; a file that somebody names is ours unless it carries another one.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from opencode.modules.ai.domain.configuration.jsonc import Node, Read, Source, read
from opencode.modules.ai.domain.configuration.model import SCHEMA_ID
from opencode.modules.ai.errors import ConfigurationNotFound
from opencode.modules.ai.settings import VALUE_PREFIX

FILE = "opencode.json"
MOST_BYTES = 16_000_000
_PROJECT_MARKS = (".git", ".hg")


class Layer(StrEnum):
    """Where a part of the configuration comes from, the lowest first."""

    SYSTEM = "system"
    USER = "user"
    PROJECT = "project"
    NAMED = "named"
    DATABASE = "database"
    """Providers and limits that administrators set while the server runs."""
    ENVIRONMENT = "environment"


class Owner(StrEnum):
    OURS = "ours"
    AGENT = "the coding agent"
    """Of the agent that has files of the same name."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """A file, or something else, that may be a layer, and what it says."""

    layer: Layer
    source: Source
    owner: Owner
    read: Read


@dataclass(frozen=True, slots=True)
class Places:
    """
    Where to look.

    Attributes:
        named: by `--config` or the setting `ai_config`; it must be there.
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
        return cls(
            system=Path("/etc/opencode") / FILE,
            user=Path(home) / "opencode-platform" / FILE,
            working=Path.cwd(),
            named=named,
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
            layers.append(_found(layer, _read(path)))
    if places.named is not None:
        named_file = _found(Layer.NAMED, _read(places.named))
        layers.append(replace(named_file, owner=Owner.OURS) if named_file.owner is Owner.UNKNOWN else named_file)
    if (environment := _environment(places.variables)) is not None:
        layers.append(Found(Layer.ENVIRONMENT, environment, Owner.OURS, read(environment)))
    return layers


def candidates(places: Places) -> list[Path]:
    """Every file that is a layer, or would be one if it were there."""
    folders = list(_project_folders(places.working))
    paths = [places.system, places.user, *(folder / FILE for folder in folders)]
    return [*paths, places.named] if places.named else paths


def read_secret(source: str, path: str) -> str:
    """
    What a file says that a configuration names with `{file:…}`.

    Args:
        source: the path of the configuration, whose folder relative paths start from.

    Raises:
        OSError, UnicodeDecodeError: it cannot be read.
    """
    return secret_path(source, path).read_text(encoding="utf-8")


def secret_path(source: str, path: str) -> Path:
    """The file that `{file:…}` names."""
    return Path(source).parent / Path(path).expanduser()


def _of_project(working: Path) -> Path | None:
    """The nearest file of the name, no higher than the project's own folder."""
    return next((folder / FILE for folder in _project_folders(working) if (folder / FILE).is_file()), None)


def _project_folders(working: Path) -> Iterator[Path]:
    for folder in (working, *working.parents):
        yield folder
        if any((folder / mark).exists() for mark in _PROJECT_MARKS):
            break


def _read(path: Path) -> Source:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigurationNotFound(path, f"it has more than {MOST_BYTES:,} bytes")
        return Source(str(path), path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigurationNotFound(path, f"byte {error.start} of it is not UTF-8") from None
    except OSError as error:
        raise ConfigurationNotFound(path, error.strerror or "it cannot be read") from None


def _found(layer: Layer, source: Source) -> Found:
    said = read(source)
    return Found(layer, source, _owner(source, said[0]), said)


def _owner(source: Source, node: Node | None) -> Owner:
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
        if name.startswith(VALUE_PREFIX):
            steps = [step.lower() for step in name.removeprefix(VALUE_PREFIX).split("__")]
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
