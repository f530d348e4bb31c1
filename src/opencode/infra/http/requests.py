"""Request bodies: JSON, strict about types, and every wrong field is named at once."""

from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from litestar import Request
from litestar.params import HeaderParameter

from opencode.kernel.errors import FieldProblem, Invalid

MOST_PROBLEMS_OF_ITEMS = 100


IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]*$",
        description="the same request with the same key makes nothing new for 24 hours",
    ),
]


class Body(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of every request body. Unknown fields are refused by name."""

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        """
        What is wrong, by rules that a type cannot tell, with those fields of a refused body that have the right shape:
        a body that has both kinds of problems hears of all of them at once.
        """
        del fields
        return ()


class ApiRequest(Request[Any, Any, Any]):
    """A request whose JSON is checked against the type of the handler's `data` before anything else sees it."""

    async def json(self) -> Any:
        data = self.route_handler.parsed_fn_signature.parameters.get("data")
        raw = await self.body()
        return decode_body(raw, data.annotation) if data else parse_json(raw)


def parse_json(raw: bytes) -> Any:
    """
    Raises:
        Invalid: the bytes are not JSON.
    """
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"The body is not JSON: {error}.", action="Send a JSON object, encoded as UTF-8.") from None


def decode_body(raw: bytes, body_type: Any) -> Any:
    """
    Decode a body into its struct.

    Raises:
        Invalid: not JSON, not an object, or with wrong fields; `problems` names all of them.
    """
    value = parse_json(raw)
    try:
        return msgspec.convert(value, body_type)
    except msgspec.ValidationError as error:
        problems = _problems(value, body_type) or (FieldProblem("", str(error)),)
        problems += _broken_rules(value, body_type, problems)
    listed = ", ".join(problem.pointer.lstrip("/") or "the body" for problem in problems)
    raise Invalid(
        f"The request has problems with: {listed}.",
        action="Correct what errors lists; /docs describes each field.",
        problems=problems,
    )


def _broken_rules(value: Any, body_type: Any, problems: tuple[FieldProblem, ...]) -> tuple[FieldProblem, ...]:
    if not isinstance(value, dict) or not (isinstance(body_type, type) and issubclass(body_type, Body)):
        return ()
    wrong = {problem.pointer.split("/")[1] for problem in problems if problem.pointer}
    well_formed = {name: field for name, field in value.items() if _pointer(name)[1:] not in wrong}
    return tuple(body_type.broken_rules(well_formed))


def _problems(value: Any, body_type: Any, at: str = "") -> tuple[FieldProblem, ...]:
    if not isinstance(value, dict):
        return (FieldProblem(at, f"must be a JSON object, not {_kind(value)}"),)
    fields = {field.encode_name: field for field in msgspec.structs.fields(body_type)}
    unknown = [
        FieldProblem(at + _pointer(name), f"is not a field of this request; it knows {', '.join(sorted(fields))}")
        for name in value
        if name not in fields
    ]
    missing = [
        FieldProblem(at + _pointer(name), "is required")
        for name, field in fields.items()
        if field.required and name not in value
    ]
    wrong = [
        problem
        for name, field in fields.items()
        if name in value
        for problem in _problems_of_field(value[name], field.type, at + _pointer(name))
    ]
    return (*unknown, *missing, *wrong)


def _problems_of_field(value: Any, field_type: Any, at: str) -> tuple[FieldProblem, ...]:
    if (detail := _wrong(value, field_type)) is None:
        return ()
    found: tuple[FieldProblem, ...] = ()
    for part in _parts_of(field_type):
        if isinstance(value, dict) and isinstance(part, type) and issubclass(part, msgspec.Struct):
            found = _problems(value, part, at)
        elif isinstance(value, list) and get_origin(part) is list:
            found = _problems_of_items(value, get_args(part)[0], at)
    return found or (FieldProblem(at, detail),)


def _problems_of_items(items: list[Any], item_type: Any, at: str) -> tuple[FieldProblem, ...]:
    found: list[FieldProblem] = []
    for index, item in enumerate(items):
        found += _problems_of_field(item, item_type, f"{at}/{index}")
        # A request of a few bytes an item must not get an answer of a hundred for each.
        if len(found) >= MOST_PROBLEMS_OF_ITEMS:
            break
    return tuple(found)


def _parts_of(field_type: Any) -> tuple[Any, ...]:
    """What a field may hold: the alternatives of a union, without what `Annotated` says about them."""
    if get_origin(field_type) is Annotated:
        return _parts_of(get_args(field_type)[0])
    if get_origin(field_type) in (Union, UnionType):
        return tuple(part for alternative in get_args(field_type) for part in _parts_of(alternative))
    return (field_type,)


def _wrong(value: Any, field_type: Any) -> str | None:
    try:
        msgspec.convert(value, field_type)
    except msgspec.ValidationError as error:
        return str(error)[:1].lower() + str(error)[1:]
    return None


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _kind(value: Any) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
