"""The configuration as it is in force: loaded, shown, explained, compared."""

from collections.abc import Iterator
from dataclasses import dataclass

from opencode.modules.ai.adapters.files import Found, Owner, Places, found, read_secret
from opencode.modules.ai.domain.configuration.checking import Checked, check
from opencode.modules.ai.domain.configuration.jsonc import Node, Path, plain, shown, walk
from opencode.modules.ai.domain.configuration.problems import Place

MASK = "••••••"
_SECRET_KEYS = frozenset({"api_key", "headers"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    Attributes:
        layers: all that were found, the lowest first; only those of ours are in force.
    """

    layers: tuple[Found, ...]
    checked: Checked

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


def load(places: Places) -> Loaded:
    """
    Read everything and check it.

    Raises:
        ConfigurationNotFound
    """
    layers = tuple(found(places))
    ours = [each.source for each in layers if each.owner is Owner.OURS]
    return Loaded(layers, check(ours, places.variables, read_secret))


def explain(loaded: Loaded, key: str) -> list[Explained]:
    """Where each value under a key comes from; of a single value, the one place. Empty where there is nothing."""
    layer_of = {each.source.name: each.layer for each in loaded.layers}
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
    """Keys and headers always; anything that came from a file or variable, since that is what these are for."""
    return bool(_SECRET_KEYS & set(map(str, path))) or shown(path) in loaded.checked.secret
