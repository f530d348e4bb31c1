"""The configuration as it is in force: loaded, shown, explained, compared."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from opencode.modules.ai.adapters.files import Found, Layer, Owner, Places, found, read_secret, secret_path
from opencode.modules.ai.domain.configuration.checking import MASK, Checked, check, is_secret
from opencode.modules.ai.domain.configuration.jsonc import Member, Node, Path, Source, plain, read, shown, walk
from opencode.modules.ai.domain.configuration.layers import merged
from opencode.modules.ai.domain.configuration.problems import Place
from opencode.modules.ai.domain.setting import Whose, as_configuration

_FROM_ELSEWHERE = re.compile(r"\$\{(?P<variable>\w+)|\{file:(?P<file>[^{}\n]*)\}")

Stored = Mapping[str, Mapping[str, object]]
"""Providers of the database by name, as a configuration would say them."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    Attributes:
        layers: all that were found, the lowest first; only those of ours are in force.
        secret_files: what `{file:…}` names.
        hidden: stored providers that a file has taken the name of.
    """

    layers: tuple[Found, ...]
    checked: Checked
    secret_files: frozenset[FilePath] = frozenset()
    hidden: tuple[str, ...] = ()

    @property
    def passed_over(self) -> list[Found]:
        """Files of the same name that are somebody else's."""
        return [each for each in self.layers if each.owner is not Owner.OURS]


@dataclass(frozen=True, slots=True)
class Explained:
    """A value, masked where it is secret, with the place that it comes from."""

    path: str
    value: object
    layer: str
    place: Place


@dataclass(frozen=True, slots=True)
class Difference:
    """What a value is in one configuration and in another; None where it is not there."""

    path: str
    before: object
    after: object


def load(
    places: Places, stored: Stored | None = None, limits: Mapping[Whose, Mapping[str, object]] | None = None
) -> Loaded:
    """
    Read everything and check it.

    Args:
        stored: providers of the database. They lie above all files and below the environment. One whose name a file
            has is left out whole: a key that was given for one address must not go to another.
        limits: of the database. Each holds where neither a file nor the environment says anything of it, and those of
            a team as long as one of them names the team.

    Raises:
        ConfigurationNotFound
    """
    layers = found(places)
    of_files = {name for each in layers if each.layer is not Layer.ENVIRONMENT for name in _provider_names(each)}
    free = {name: each for name, each in (stored or {}).items() if name not in of_files}
    free_limits = _free_limits(layers, limits or {})
    if free or free_limits:
        at = next((n for n, each in enumerate(layers) if each.layer is Layer.ENVIRONMENT), len(layers))
        layers.insert(at, _layer_of({**({"providers": free} if free else {}), **free_limits}))
    secret_files: set[FilePath] = set()

    def read_file(source: str, path: str) -> str:
        secret_files.add(secret_path(source, path))
        return read_secret(source, path)

    checked = check([each.read for each in layers if each.owner is Owner.OURS], places.variables, read_file)
    hidden = tuple(sorted(name for name in stored or {} if name in of_files))
    return Loaded(tuple(layers), checked, frozenset(secret_files), hidden)


def _free_limits(layers: Sequence[Found], limits: Mapping[Whose, Mapping[str, object]]) -> dict[str, object]:
    """Stored limits of which nobody else says anything, at their places in a configuration."""
    if not limits:
        return {}
    said = merged(each.read[0] for each in layers if each.owner is Owner.OURS and each.read[0])
    teams = _inside(said, ("teams",))
    free: dict[Whose, dict[str, object]] = {}
    for whose, own in limits.items():
        if whose.path[0] == "teams" and whose.path[1] not in teams:
            continue
        taken = _inside(said, whose.path)
        free[whose] = {name: value for name, value in own.items() if name not in taken}
    return as_configuration(free)


def _inside(node: Node, path: Path) -> Mapping[str, Member]:
    """What an object says; nothing where there is none at the path."""
    for step in path:
        member = node.value.get(str(step)) if isinstance(node.value, dict) else None
        if member is None:
            return {}
        node = member.node
    return node.value if isinstance(node.value, dict) else {}


def _layer_of(said: Mapping[str, object]) -> Found:
    text = json.dumps(said)
    # What administrators write must not read the server's variables and files.
    source = Source(Layer.DATABASE, text, has_lines=False, is_literal=True)
    return Found(Layer.DATABASE, source, Owner.OURS, read(source))


def _provider_names(layer: Found) -> set[str]:
    node = layer.read[0]
    if layer.owner is not Owner.OURS or node is None or not isinstance(node.value, dict):
        return set()
    providers = node.value.get("providers")
    return set(providers.node.value) if providers and isinstance(providers.node.value, dict) else set()


def layer_of_provider(loaded: Loaded, name: str) -> tuple[str, Place] | None:
    """The layer and place of a provider's name; of several, the topmost."""
    providers = loaded.checked.whole.value
    named = providers.get("providers") if isinstance(providers, dict) else None
    member = named.node.value.get(name) if named and isinstance(named.node.value, dict) else None
    if member is None:
        return None
    return _layer_names(loaded).get(member.source.name, "built-in"), member.key


def limit_sources(loaded: Loaded, whose: Whose, address: str = "") -> dict[str, tuple[str, Place]]:
    """
    The layer and place of each limit that is set for somebody alone.

    Args:
        address: of a person, where a file may name them by it.
    """
    names, sources = _layer_names(loaded), dict[str, tuple[str, Place]]()
    people = _inside(loaded.checked.whole, ("people",)) if address else {}
    by_address = [name for name in people if name.strip().lower() == address.strip().lower()]
    for path in (whose.path, *(("people", name) for name in by_address)):
        for name, member in _inside(loaded.checked.whole, path).items():
            sources[name] = names.get(member.source.name, "built-in"), member.key
    return sources


def key_sources(loaded: Loaded) -> dict[str, str]:
    """Where each provider's key comes from, in words: never what it is."""
    sources: dict[str, str] = {}
    for path, node in _leaves(loaded.checked.whole):
        match path:
            case ("providers", str(name), "api_key"):
                sources[name] = _written_source(node)
            case _:
                pass
    return sources


def _written_source(node: Node) -> str:
    if node.source.is_literal:
        return "the database"
    try:
        written = json.JSONDecoder().raw_decode(node.source.text, node.offset)[0] if node.source.has_lines else ""
    except ValueError:
        written = ""
    match = _FROM_ELSEWHERE.search(written) if isinstance(written, str) else None
    if match is None:
        return str(node.place)
    return f"${{{match['variable']}}}" if match["variable"] else f"the file {match['file']}"


def _layer_names(loaded: Loaded) -> dict[str, str]:
    return {each.source.name: each.layer for each in loaded.layers}


def explain(loaded: Loaded, key: str) -> list[Explained]:
    """Where each value under a key comes from; of a single value, the one place. Empty where there is nothing."""
    layer_of = _layer_names(loaded)
    explained: list[Explained] = []
    for path, node in _leaves(loaded.checked.whole):
        name = shown(path)
        if name == key or name.startswith((f"{key}.", f"{key}[")) or not key:
            layer = layer_of.get(node.source.name, "built-in")
            explained.append(Explained(name, _masked(loaded, path, node), layer, node.place))
    return explained


def show(loaded: Loaded) -> object:
    """The whole configuration as plain values, with secrets masked."""
    return _shown(loaded, loaded.checked.whole, ())


def compare(before: Loaded, after: Loaded) -> list[Difference]:
    """What changes from one to the other. A secret that changes says only that it does."""
    old, new = (dict(_plain_leaves(each)) for each in (before, after))
    differences: list[Difference] = []
    for path in sorted({*old, *new}, key=shown):
        if old.get(path) != new.get(path):
            is_secret = _is_secret(before, path) or _is_secret(after, path)
            values = [(MASK if is_secret else each[path]) if path in each else None for each in (old, new)]
            differences.append(Difference(shown(path), *values))
    return differences


def _plain_leaves(loaded: Loaded) -> Iterator[tuple[Path, object]]:
    for path, node in _leaves(loaded.checked.whole):
        yield path, plain(node)


def _leaves(node: Node) -> Iterator[tuple[Path, Node]]:
    """Values that have none inside them."""
    return ((path, each) for path, each in walk(node) if not (isinstance(each.value, (dict, list)) and each.value))


def _shown(loaded: Loaded, node: Node, path: Path) -> object:
    if isinstance(node.value, dict):
        return {name: _shown(loaded, member.node, (*path, name)) for name, member in node.value.items()}
    if isinstance(node.value, list):
        return [_shown(loaded, each, (*path, number)) for number, each in enumerate(node.value)]
    return _masked(loaded, path, node)


def _masked(loaded: Loaded, path: Path, node: Node) -> object:
    return MASK if _is_secret(loaded, path) and node.value else plain(node)


def _is_secret(loaded: Loaded, path: Path) -> bool:
    return is_secret(path, loaded.checked.secret)
