"""From texts to one checked configuration, or to all that is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from opencode.modules.ai.domain.configuration.jsonc import Node, Source, plain, read
from opencode.modules.ai.domain.configuration.layers import merged
from opencode.modules.ai.domain.configuration.meaning import meaning_problems
from opencode.modules.ai.domain.configuration.model import SCHEMA_ID, Configuration
from opencode.modules.ai.domain.configuration.problems import Problem, likely
from opencode.modules.ai.domain.configuration.shape import shape_problems
from opencode.modules.ai.domain.configuration.substitution import ReadFile, Substitution


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


def check(layers: Sequence[Source], variables: Mapping[str, str], read_file: ReadFile) -> Checked:
    """
    Read, merge, fill in and check.

    Args:
        layers: the lowest first. Each is a file of ours: other files are left out before.
        variables: the environment.
    """
    problems: list[Problem] = []
    nodes: list[Node] = []
    for source in layers:
        node, wrong = read(source)
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
    problems += [problem for problem in shape_problems(whole) if problem.path not in unfilled]
    configuration = None
    try:
        configuration = msgspec.convert(plain(whole), Configuration)
    except msgspec.ValidationError as error:
        if not problems:  # the schema is made from the same model: this is for what it cannot say
            problems.append(Problem(whole.place, "", f"{error}."))
    else:
        problems += meaning_problems(configuration, whole)
    found = tuple(sorted(set(problems)))
    return Checked(None if found else configuration, whole, frozenset(substitution.secret), found)


def _signature(node: Node) -> list[Problem]:
    assert isinstance(node.value, dict)
    member = node.value.get("$schema")
    if member is None or member.node.value == SCHEMA_ID:
        return []
    written = member.node.value
    suggestion = SCHEMA_ID if isinstance(written, str) and likely(written, [SCHEMA_ID]) else ""
    return [Problem(member.node.place, "$schema", f"The $schema of this file is not {SCHEMA_ID}.", suggestion)]
