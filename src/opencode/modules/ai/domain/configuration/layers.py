"""
Configurations on top of each other.

Objects are merged key by key; anything else replaces what is below it; `null` takes away what is below it. So one rule
holds for all keys, and a list says all that it holds.
"""

from collections.abc import Iterable

from opencode.modules.ai.domain.configuration.jsonc import Member, Node, Source

NOTHING = Node({}, Source("built-in", "{}", has_lines=False), 0)


def merged(layers: Iterable[Node]) -> Node:
    """All layers as one, the last on top. Every value keeps the place that it comes from."""
    whole = NOTHING
    for layer in layers:
        whole = _onto(whole, layer)
    return _without_nulls(whole)


def _onto(below: Node, above: Node) -> Node:
    if not (isinstance(below.value, dict) and isinstance(above.value, dict)):
        return above
    if not below.value:
        return above
    members = dict(below.value)
    for name, member in above.value.items():
        old = members.get(name)
        members[name] = Member(_onto(old.node, member.node), member.source, member.offset) if old else member
    return Node(members, above.source, above.offset)


def _without_nulls(node: Node) -> Node:
    if not isinstance(node.value, dict):
        return node
    kept: dict[str, Member] = {}
    changed = False
    for name, member in node.value.items():
        inner = _without_nulls(member.node)
        changed = changed or inner is not member.node or inner.value is None
        if inner.value is not None:
            kept[name] = member if inner is member.node else Member(inner, member.source, member.offset)
    return Node(kept, node.source, node.offset) if changed else node
