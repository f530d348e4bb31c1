"""
Real Yjs updates (v1), made before the clock starts, and the few bytes of their encoding that the measurement reads.

A typed chain is what a person writes who types one letter after the other: each update inserts one letter, so the
k-th update of a client carries clock k. Reading the clocks of what arrives therefore tells which of the sent updates
it holds, also when a server merges several of them into one frame or encodes them anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from pycrdt import Doc, Text, TransactionEvent

from benchmarks.collaboration.wire import Reader, update_frame

ROOT = "python"  # a document's text of a language is the root Y.Text of that name (docs/protocol.md)
CODE = "for step in range(10):\n    print(step)\n"
LINE = "    total = total + weight(step) * {:6d}\n"
STRUCT_BYTES = 6  # what encoding adds to a line: kind, right neighbour (client, clock), length
LINES_PER_UPDATE = 2_000  # about 100 KiB an update: well under the 256 KiB that a client's frame may have

HAS_LEFT, HAS_RIGHT, HAS_KEY = 0x80, 0x40, 0x20  # flags of a struct's first byte
GARBAGE, STRING, SKIP = 0, 4, 10  # the kinds of struct that typing text can leave

Write = Callable[["Doc[Text]", Text], None]


@dataclass(frozen=True)
class Chain:
    """Frames of one typist, in order; frame k inserts the letter with clock k."""

    client_id: int
    frames: tuple[bytes, ...]


@cache
def typed_chain(client_id: int, length: int) -> Chain:
    """One letter a frame, each after the one before. The same chain serves any number of rooms."""
    return Chain(client_id, tuple(update_frame(update) for update in _record(client_id, _typing(length))))


@dataclass(frozen=True)
class BigDocument:
    """Frames that build one document, and how many letters its text has then."""

    frames: tuple[bytes, ...]
    letters: int


@cache
def big_document(size_bytes: int) -> BigDocument:
    """
    A document whose encoded state has about `size_bytes`.

    Each line goes in front of the one before, so the lines stay separate structs: a server that encodes the state
    for each person who joins walks them all, as it would for a text that people really wrote.
    """
    letters = len(LINE.format(0))
    lines = size_bytes // (letters + STRUCT_BYTES)
    frames = tuple(update_frame(update) for update in _record(1, _prepending(lines)))
    return BigDocument(frames, lines * letters)


@cache
def written_text(text: str) -> bytes:
    """One frame that inserts a whole text."""

    def write(document: Doc[Text], root: Text) -> None:
        root.insert(0, text)

    return update_frame(_record(1, write)[0])


def length_of_text(update: bytes) -> int:
    """How many letters the document has that this update makes."""
    document: Doc[Text] = Doc()
    document.apply_update(update)
    return len(str(document.get(ROOT, type=Text)))


def clocks_reached(update: bytes) -> list[tuple[int, int]]:
    """
    (client id, clock after its last letter) for each client in an update.

    Raises:
        ValueError: the update holds something that typing text does not make.
    """
    reader = Reader(update)
    reached: list[tuple[int, int]] = []
    for _ in range(reader.var_uint()):
        structs, client_id, clock = reader.var_uint(), reader.var_uint(), reader.var_uint()
        for _ in range(structs):
            clock += _struct_length(reader)
        reached.append((client_id, clock))
    return reached


def _struct_length(reader: Reader) -> int:
    """Step over one struct; how many clocks it takes. Our letters are ASCII: bytes are letters."""
    info = reader.byte()
    kind = info & 0x1F
    if kind in (GARBAGE, SKIP):
        return reader.var_uint()
    if kind != STRING:
        raise ValueError(f"a struct of kind {kind} is not typed text")
    for flag in (HAS_LEFT, HAS_RIGHT):
        if info & flag:
            reader.skip_id()
    if not info & (HAS_LEFT | HAS_RIGHT):
        _skip_parent(reader, with_key=bool(info & HAS_KEY))
    return len(reader.var_bytes())


def _skip_parent(reader: Reader, *, with_key: bool) -> None:
    if reader.var_uint() == 1:
        reader.var_bytes()
    else:
        reader.skip_id()
    if with_key:
        reader.var_bytes()


def _typing(length: int) -> Write:
    def write(document: Doc[Text], root: Text) -> None:
        for position in range(length):
            root.insert(position, CODE[position % len(CODE)])

    return write


def _prepending(lines: int) -> Write:
    def write(document: Doc[Text], root: Text) -> None:
        for start in range(0, lines, LINES_PER_UPDATE):
            with document.transaction():
                for number in range(start, min(start + LINES_PER_UPDATE, lines)):
                    root.insert(0, LINE.format(number))

    return write


def _record(client_id: int, write: Write) -> list[bytes]:
    """The updates that a document announces while `write` changes its text."""
    document: Doc[Text] = Doc(client_id=client_id)
    root = document.get(ROOT, type=Text)
    updates: list[bytes] = []

    def keep(event: TransactionEvent) -> None:
        updates.append(event.update)

    subscription = document.observe(keep)
    write(document, root)
    document.unobserve(subscription)
    return updates
