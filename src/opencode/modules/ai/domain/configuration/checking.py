"""From texts to one checked configuration, or to all that is wrong with them."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec

from opencode.modules.ai.domain.configuration.jsonc import Node, Path, Read, plain, shown, walk
from opencode.modules.ai.domain.configuration.layers import NOTHING, merged
from opencode.modules.ai.domain.configuration.meaning import meaning_problems
from opencode.modules.ai.domain.configuration.model import SCHEMA_ID, Configuration, ProviderType
from opencode.modules.ai.domain.configuration.problems import Problem, likely
from opencode.modules.ai.domain.configuration.shape import Misshapen, misshapen, well_formed
from opencode.modules.ai.domain.configuration.substitution import ReadFile, Substitution

MASK = "••••••"
_SECRET_KEYS = frozenset({"api_key", "headers"})


@dataclass(frozen=True, slots=True)
class Checked:
    """
    Attributes:
        configuration: None while there are problems.
        whole: all layers as one, filled in; every value has the place that it comes from.
        secret: the paths of values that came from variables or files.
    """

    configuration: Configuration | None
    whole: Node
    secret: frozenset[str]
    problems: tuple[Problem, ...]


def check(layers: Sequence[Read], variables: Mapping[str, str], read_file: ReadFile) -> Checked:
    """
    Merge, fill in and check.

    Args:
        layers: what was read, the lowest first. Each is a file of ours: other files are left out before.
        variables: the environment.
    """
    # Most servers have no provider: they do without the library that checks shapes, too.
    if not layers:
        return Checked(Configuration(), NOTHING, frozenset(), ())
    problems: list[Problem] = []
    nodes: list[Node] = []
    for node, wrong in layers:
        problems += wrong
        if node is not None and isinstance(node.value, dict):
            problems += _signature(node)
            nodes.append(node)
        elif node is not None:
            problems.append(Problem(node.place, "", "A configuration is an object: it begins with { and ends with }."))
    substitution = Substitution(variables, read_file)
    whole = substitution.fill(merged(nodes))
    problems += substitution.problems
    unfilled = {problem.path for problem in substitution.problems}
    configuration = _understood(whole, problems, unfilled)
    found = tuple(sorted({_discreet(problem, whole, substitution.secret) for problem in problems}))
    return Checked(None if found else configuration, whole, frozenset(substitution.secret), found)


def _discreet(problem: Problem, whole: Node, secret: Collection[str]) -> Problem:
    """The same without the value, where that is secret: a message goes into logs."""
    for path, node in walk(whole):
        if shown(path) == problem.path and is_secret(path, secret) and isinstance(node.value, str | int | float):
            told = problem.message
            for written in (json.dumps(node.value, ensure_ascii=False), repr(node.value), str(node.value)):
                # A long one is told by its beginning.
                for part in (written, f"{written[:57]}…"):
                    told = told.replace(part, MASK) if written else told
            return replace(problem, message=told)
    return problem


def is_secret(path: Path, secret: Collection[str]) -> bool:
    """
    Whether a value is not to be shown: keys and headers always, and what came from a file or variable, since that is
    what these are for.

    Args:
        secret: as in `Checked`.
    """
    return bool(_SECRET_KEYS & set(map(str, path))) or shown(path) in secret


def _understood(whole: Node, problems: list[Problem], unfilled: set[str]) -> Configuration | None:
    """The configuration, without what is wrong in it; all of that is added to the problems."""
    value = plain(whole)
    wrong: list[Misshapen] = []
    if (configuration := well_formed(value)) is None:
        wrong = misshapen(whole, value)
        problems += [each.problem for each in wrong if each.problem.path not in unfilled]
        configuration = _without_what_is_wrong(value, wrong, whole, problems)
    if configuration is None:
        return None
    unclear = {str(each.path[1]) for each in wrong if each.path[:1] == ("providers",) and len(each.path) > 1}
    unclear |= {path.split(".")[1] for path in unfilled if path.startswith("providers.")}
    problems += meaning_problems(configuration, whole, unclear)
    return configuration


def _without_what_is_wrong(
    value: Any, wrong: Sequence[Misshapen], whole: Node, problems: list[Problem]
) -> Configuration | None:
    for path in sorted({each.path for each in wrong}, key=_from_behind, reverse=True):
        value = _without(value, path)
    try:
        return msgspec.convert(value, Configuration)
    except msgspec.ValidationError as error:
        if not problems:  # the schema is made from the same model: this is for what it cannot say
            problems.append(Problem(whole.place, "", f"{error}."))
        return None


def _from_behind(path: Path) -> tuple[str, ...]:
    """Sorts later entries of a list behind earlier ones."""
    return tuple(f"{step:09}" if isinstance(step, int) else step for step in path)


def _without(value: Any, path: Path) -> Any:
    """A value without one part. A provider without its type is one of the type that asks for nothing."""
    if not path:
        return {}
    step, rest = path[0], path[1:]
    if isinstance(value, dict) and step in value:
        inner = cast("dict[str, Any]", value)
        if rest or step == "type":
            return {**inner, str(step): _without(inner[str(step)], rest) if rest else ProviderType.CUSTOM}
        return {name: each for name, each in inner.items() if name != step}
    if isinstance(value, list) and isinstance(step, int):
        items = cast("list[Any]", value)
        return [*items[:step], *([_without(items[step], rest)] if rest else []), *items[step + 1 :]]
    return value


def _signature(node: Node) -> list[Problem]:
    assert isinstance(node.value, dict)
    member = node.value.get("$schema")
    if member is None or member.node.value == SCHEMA_ID:
        return []
    written = member.node.value
    suggestion = SCHEMA_ID if isinstance(written, str) and likely(written, [SCHEMA_ID]) else ""
    return [Problem(member.node.place, "$schema", f"The $schema of this file is not {SCHEMA_ID}.", suggestion)]
