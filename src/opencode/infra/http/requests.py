"""Request bodies: JSON, strict about types, and every wrong field is named at once."""

from typing import Any, get_args

import msgspec
from litestar import Request

from opencode.kernel.errors import FieldProblem, Invalid


class Body(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of every request body. Unknown fields are refused by name."""


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
    listed = ", ".join(problem.pointer.lstrip("/") or "the body" for problem in problems)
    raise Invalid(
        f"The request has problems with: {listed}.",
        action="Correct what errors lists; /docs describes each field.",
        problems=problems,
    )


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
    inner = _struct_within(field_type)
    if inner and isinstance(value, dict):
        return _problems(value, inner, at)
    if inner and isinstance(value, list):
        each = (_problems_of_field(item, inner, f"{at}/{index}") for index, item in enumerate(value))
        found = tuple(problem for problems in each for problem in problems)
        return found or (FieldProblem(at, detail),)
    return (FieldProblem(at, detail),)


def _struct_within(field_type: Any) -> type[msgspec.Struct] | None:
    """The struct that a field holds: by itself, as one of several, or in an array; None when there is none."""
    if isinstance(field_type, type) and issubclass(field_type, msgspec.Struct):
        return field_type
    return next((found for part in get_args(field_type) if (found := _struct_within(part))), None)


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
