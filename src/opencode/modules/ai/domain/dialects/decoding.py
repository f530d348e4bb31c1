"""
JSON that others wrote, checked.

Exceptions: `RequestNotUnderstoodError`, `CannotBeSaidError`, `AnswerNotUnderstoodError`. None of them leaves the
gateway as it is: each becomes an answer in the client's dialect (`failures.failure_of`).
"""

import re
from functools import cache
from typing import Any, TypeVar

import msgspec

from opencode.modules.ai.domain.dialects.canonical import Failure, FailureKind, Json

MOST_FRAME_BYTES = 8 * 1024 * 1024
"""Of one event of a stream. An embedded picture fits; what is longer is no event but an attack on memory."""
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$?(?P<place>[^`]*)`)?$", re.DOTALL)

T = TypeVar("T")


class RequestNotUnderstoodError(Exception):
    """A request is not what its dialect allows. `field` is a path such as `messages[0].content`, or empty."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field


class CannotBeSaidError(Exception):
    """The provider's dialect has no words for something in the request."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class AnswerNotUnderstoodError(Exception):
    """What a provider answered is an error, or nothing that its dialect allows."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class NotJsonError(ValueError):
    """Some bytes are no JSON, or not of the shape that was wanted. `place` is the path to the trouble."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.place = place


def decoded(body: bytes, kind: type[T]) -> T:
    """
    Raises:
        NotJsonError: it is not that.
    """
    try:
        return _decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        raise _told(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotJsonError("The body is not valid JSON.") from error
    except RecursionError as error:
        raise NotJsonError("The JSON is nested too deeply.") from error


def encoded(value: object) -> bytes:
    """
    Raises:
        CannotBeSaidError: it is nested too deeply, or holds text that is no text.
    """
    try:
        return msgspec.json.encode(value)
    except (RecursionError, UnicodeEncodeError, msgspec.EncodeError) as error:
        raise CannotBeSaidError("The request holds something that JSON cannot say, or is nested too deeply.") from error


def request_as(kind: type[T], body: bytes) -> tuple[T, Json]:
    """
    A request as a struct, and its fields that the struct does not know.

    Raises:
        RequestNotUnderstoodError: naming the field.
    """
    try:
        fields = decoded(body, dict[str, Any])
        known = msgspec.convert(fields, kind)
    except NotJsonError as error:
        raise RequestNotUnderstoodError(str(error), error.place) from error
    except msgspec.ValidationError as error:
        told = _told(error)
        raise RequestNotUnderstoodError(str(told), told.place) from error
    except RecursionError as error:
        raise RequestNotUnderstoodError("The JSON is nested too deeply.") from error
    names = _names(kind)
    return known, {name: value for name, value in fields.items() if name not in names}


def part_as(kind: type[T], value: object, field: str) -> T:
    """
    A part of a request, which stands at `field`, as a struct or a union of them.

    Raises:
        RequestNotUnderstoodError: naming the field inside of it.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        told = _told(error)
        place = f"{field}{told.place}" if told.place.startswith("[") else f"{field}.{told.place}".removesuffix(".")
        raise RequestNotUnderstoodError(str(told), place) from error


def answer_as(kind: type[T], body: bytes) -> T:
    """
    Raises:
        AnswerNotUnderstoodError: it is not that.
    """
    try:
        return decoded(body, kind)
    except NotJsonError as error:
        where = f" (at {error.place})" if error.place else ""
        message = f"The provider's answer could not be understood: {error}{where}"
        raise AnswerNotUnderstoodError(Failure(FailureKind.UPSTREAM_FAILED, message)) from error


def given(**fields: object) -> Json:
    """Those fields that have a value: None, and what is empty, is left out. False and 0 are values."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [], {}, ())}


@cache
def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(kind)


@cache
def _names(kind: type[Any]) -> frozenset[str]:
    return frozenset(field.encode_name for field in msgspec.structs.fields(kind))


def _told(error: msgspec.ValidationError) -> NotJsonError:
    found = _PLACE.match(str(error))
    what, place = (found["what"], found["place"] or "") if found else (str(error), "")
    return NotJsonError(f"{what}.", place.removeprefix("."))
