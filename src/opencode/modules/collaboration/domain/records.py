"""Records of the update log, and how a batch of them is kept as bytes."""

from enum import IntEnum

import msgspec

from opencode.kernel.ids import DocumentId


class RecordKind(IntEnum):
    EDIT = 0
    SEED = 1
    """The first content of a text, written by the server; `author` is the text's name."""


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """
    One update of one document.

    Attributes:
        sequence: counts from 1 within the document, without gaps.
        at_ms: when the server took it, in milliseconds since 1970, UTC.
        author: whose connection it came from, `usr_…` or `par_…`.
        update: Yjs v1 encoding.
    """

    document_id: DocumentId
    sequence: int
    at_ms: int
    kind: RecordKind
    author: str
    update: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Record])


def encode_records(records: list[Record]) -> bytes:
    """A batch as msgpack arrays."""
    return _encoder.encode(records)


def decode_records(raw: bytes) -> list[Record]:
    """
    Raises:
        msgspec.MsgspecError: the bytes are not what `encode_records` made.
    """
    return _decoder.decode(raw)
