"""Whether a configuration has the shape that the model gives it, and what to tell where it has not."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, cast

import msgspec

from opencode.modules.ai.domain.configuration.jsonc import Node, Path, Scalar, shown
from opencode.modules.ai.domain.configuration.model import Configuration, json_schema
from opencode.modules.ai.domain.configuration.problems import Place, Problem, likely

Json = dict[str, Any]

_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object { … }",
    "array": "a list [ … ]",
    "null": "null",
}
_NO_MATCH = {
    "base_url": "must be an address such as http://127.0.0.1:11434, without user name, query or blanks",
    "entry_point": "must name a Python object as package.module:name",
}


@dataclass(frozen=True, slots=True)
class Misshapen:
    """
    A value that does not have its shape.

    Attributes:
        path: of what has to go for the rest to be good.
    """

    problem: Problem
    path: tuple[str | int, ...]


def well_formed(value: object) -> Configuration | None:
    """
    The configuration, where all of it plainly has its shape. None says nothing yet: `misshapen` tells.

    Nearly every configuration is a good one, and a server that reads such a one does without the library that knows
    what is wrong with the others. The schema is made from the same model, and its regular expressions are the one thing
    that Python reads in another way: what `\\s` and `\\w` stand for, and whether `$` passes over a last line break.
    """
    try:
        configuration = msgspec.convert(value, Configuration)
    except msgspec.ValidationError:
        return None
    matched = (text for each in configuration.providers.values() for text in (each.base_url, each.entry_point) if text)
    return configuration if all(text.isascii() and text.isprintable() for text in matched) else None


def misshapen(node: Node, value: object) -> list[Misshapen]:
    """
    Everything that does not have its shape.

    Args:
        value: the node without its places.
    """
    found: list[Misshapen] = []
    for error in _validator().iter_errors(value):
        found += _told(error, node)
    return found


def wanted_kinds(path: Path) -> set[str]:
    """The kinds of value, in JSON Schema's words, that may stand at a path."""
    schemas = _branches(_schema_at(path))
    return {str(each["type"]) for each in schemas if isinstance(each.get("type"), str)}


def as_wanted(text: str, kinds: set[str]) -> Scalar:
    """A text that was filled in, as the number or truth that is wanted in its place."""
    if "string" in kinds:
        return text
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    try:
        return int(text) if "integer" in kinds else float(text) if "number" in kinds else text
    except ValueError:
        return text


def node_at(node: Node, path: Path) -> Node:
    """The value at a path, or the last one on the way that is there."""
    for step in path:
        value = node.value
        if isinstance(value, dict) and step in value:
            node = value[str(step)].node
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            node = value[step]
        else:
            break
    return node


@cache
def _schema() -> Json:
    return json_schema()


@cache
def _validator() -> Any:
    # Loaded only here: it has nine megabytes, and every command of ocp would wait for it.
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(_schema())


def _told(error: Any, node: Node) -> Iterator[Misshapen]:
    path: Path = list(error.instance_path)
    kind = cast("Json", error.kind.as_dict())
    name = str(error.kind.name)
    if name == "anyOf":
        branches = cast("list[list[Any]]", error.kind.context)
        yield from _of_branches(branches, path, node)
    elif name == "additionalProperties":
        for unexpected in cast("list[str]", kind.get("unexpected", kind.get("value", []))):
            yield _unknown_key(unexpected, path, node)
    else:
        at = node_at(node, path)
        message, suggestion = _message(name, kind, at, path)
        yield Misshapen(Problem(at.place, shown(path), message, suggestion), tuple(path))


def _of_branches(branches: list[list[Any]], path: Path, node: Node) -> Iterator[Misshapen]:
    """Of several shapes, the one that was meant is the one whose kind the value has."""
    for errors in branches:
        if not any(error.kind.name == "type" and list(error.instance_path) == list(path) for error in errors):
            for error in errors:
                yield from _told(error, node)
            return
    at = node_at(node, path)
    yield Misshapen(Problem(at.place, shown(path), _of_another_kind(at, path)), tuple(path))


def _unknown_key(name: str, path: Path, node: Node) -> Misshapen:
    within = node_at(node, path)
    place: Place = within.value[name].key if isinstance(within.value, dict) else within.place
    known = {key for each in _branches(_schema_at(path)) for key in each.get("properties", {})}
    where = f" in {shown(path)}" if path else ""
    suggestion = likely(name, known)
    keys = "" if suggestion else f" There is {', '.join(sorted(known))}."
    message = f"{name!r} is not a key{where}.{keys}"
    return Misshapen(Problem(place, shown([*path, name]), message, suggestion), (*path, name))


def _message(name: str, kind: Json, at: Node, path: Path) -> tuple[str, str]:
    """What is wrong, and the likely right word."""
    last, value = _last(path), at.value
    limit = kind.get("limit", kind.get("value"))
    if name == "type":
        return _of_another_kind(at, path), ""
    if name == "enum":
        options = [str(each) for each in kind["options"]] if isinstance(kind["options"], list) else []
        return f"{last} must be one of {', '.join(options)}, not {_written(value)}.", likely(str(value), options)
    messages = {
        "required": f"{kind.get('property')!r} is missing in {shown(path) or 'the configuration'}.",
        "minimum": f"{last} must be at least {limit}, not {value}.",
        "exclusiveMinimum": f"{last} must be more than {limit}, not {value}.",
        "maximum": f"{last} must be at most {limit}, not {value}.",
        "minLength": f"{last} must not be empty.",
        "maxLength": f"{last} must have at most {limit} characters.",
        "minItems": f"{last} must not be empty.",
        "maxItems": f"{last} must have at most {limit} entries.",
        "pattern": f"{last} {_NO_MATCH.get(str(path[-1]) if path else '', 'is not written as it must be')}.",
    }
    return messages.get(name, f"{last} is not good ({name})."), ""


def _of_another_kind(at: Node, path: Path) -> str:
    wanted = wanted_kinds(path)
    kinds = " or ".join(words for kind, words in _KINDS.items() if kind in wanted and kind != "null")
    return f"{_last(path)} must be {kinds}, not {_kind_of(at)}."


def _last(path: Path) -> str:
    return shown(path) or "the configuration"


def _kind_of(node: Node) -> str:
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return f"the text {_written(value)}" if isinstance(value, str) else f"the number {value}"


def _written(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _schema_at(path: Path) -> Json:
    """What the schema says of the value at a path; nothing where it knows no such path."""
    # Lists have one schema for all that is in them: hundreds of models share what is remembered.
    return _schema_of(tuple(0 if isinstance(step, int) else step for step in path))


@lru_cache(maxsize=4_096)
def _schema_of(path: tuple[str | int, ...]) -> Json:
    schema: Json = _schema()
    for step in path:
        for each in _branches(schema):
            inner = each.get("items") if isinstance(step, int) else _property(each, step)
            if isinstance(inner, dict):
                schema = cast("Json", inner)
                break
        else:
            return {}
    return schema


def _property(schema: Json, name: str) -> object:
    return schema.get("properties", {}).get(name) or schema.get("additionalProperties")


def _branches(schema: Json) -> list[Json]:
    """A schema with its references followed and its alternatives apart."""
    if "$ref" in schema:
        return _branches(_schema()["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    if "anyOf" in schema:
        return [each for one in schema["anyOf"] for each in _branches(one)]
    return [schema]
