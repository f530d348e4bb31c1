"""Vectors as providers send them, checked."""

import base64
import struct
from collections.abc import Sequence
from math import isfinite

from opencode.modules.ai.domain.dialects.canonical import Failure, FailureKind
from opencode.modules.ai.domain.dialects.decoding import AnswerNotUnderstoodError

Vector = tuple[float, ...]
_FLOAT_BYTES = 4


def checked(vectors: Sequence[Vector], wanted: int) -> tuple[Vector, ...]:
    """
    Args:
        wanted: how many texts were sent.

    Raises:
        AnswerNotUnderstoodError: there are more or fewer than were wanted, or they are empty or of different lengths:
            whoever stored them could not compare them.
    """
    if len(vectors) != wanted:
        raise not_understood(f"it has {len(vectors)} vectors for {wanted} texts")
    if len({len(vector) for vector in vectors}) > 1 or not all(vectors):
        raise not_understood("its vectors are empty or of different lengths")
    return tuple(vectors)


def from_base64(text: str) -> Vector:
    """
    Little-endian float32 in base64.

    Raises:
        AnswerNotUnderstoodError: it is not that.
    """
    try:
        data = base64.b64decode(text, validate=True)
        vector = struct.unpack(f"<{len(data) // _FLOAT_BYTES}f", data)
    except (ValueError, struct.error) as error:
        raise not_understood("a vector is not float32 in base64") from error
    if not all(map(isfinite, vector)):
        raise not_understood("a vector holds something that is no number")
    return vector


def to_base64(vector: Vector) -> str:
    """
    Raises:
        AnswerNotUnderstoodError: a number is too large for float32.
    """
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except OverflowError as error:
        raise not_understood("a vector holds a number too large for float32") from error


def not_understood(why: str) -> AnswerNotUnderstoodError:
    """The error to raise."""
    message = f"The provider's answer could not be understood: {why}."
    return AnswerNotUnderstoodError(Failure(FailureKind.UPSTREAM_FAILED, message))
