"""The index kept in a folder between two starts of a server."""

import asyncio
import fcntl
import hashlib
import os
import secrets
import sys
import threading
import time
import unicodedata
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
import structlog

from opencode import __version__
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.adapters.catalog import snapshot_file
from opencode.modules.marketplace.adapters.catalog.at_once import AtOnce
from opencode.modules.marketplace.adapters.catalog.columns import hash_of_name
from opencode.modules.marketplace.adapters.catalog.content import Array, Content, arrays_of, segment_of
from opencode.modules.marketplace.adapters.catalog.embedded import EmbeddedCatalog
from opencode.modules.marketplace.adapters.catalog.labels import Labels
from opencode.modules.marketplace.adapters.catalog.neighbours import Filter, hashes_of_beginnings
from opencode.modules.marketplace.adapters.catalog.snapshot_file import Reader, Unreadable
from opencode.modules.marketplace.adapters.catalog.within import WithinCatalog
from opencode.modules.marketplace.domain.catalog import CatalogIndex, Listing
from opencode.modules.marketplace.domain.contents import impacts_of
from opencode.modules.marketplace.domain.digest import digest_of, labels_of
from opencode.modules.marketplace.domain.words import joined

log = structlog.get_logger(__name__)

FORMAT = 1
"""Another one for each change of what is in the file, or of what it means."""
DUE_SHARE = 0.01
"""Of all projects: when so many have changed, catching up takes as long as a second or two among a million."""
DUE_LEAST = 1_000
_FEW = 1_000  # projects, which are read faster than anybody notices
_MOST_GONE_SHARE = 0.34
"""Of all numbers: a filled index has none that is gone, and is smaller and faster."""
_NAME, _LOCK, _PART = "index", "lock", ".part"
_SEPARATOR = "/"


class _About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Attributes:
        version: of this program; `words` of how it takes texts apart, `unicode` of the tables that it does so by.
        count: numbers, those of projects that are gone included.
        segments: first number, and how many.
        orders: from which number on each steady order is not sorted.
    """

    format: int
    version: str
    unicode: str
    words: str
    byte_order: str
    count: int
    segments: list[tuple[int, int]]
    labels: list[tuple[str, str]]
    orders: dict[str, int]


@dataclass(slots=True, eq=False)
class _Saved:
    """
    What was written or read last.

    Attributes:
        index: gives the index, as long as there is one: a rebuild throws it away.
        changes, stood: how much had changed in it by then.
    """

    index: Callable[[], EmbeddedCatalog | None] = lambda: None
    changes: int = 0
    stood: int = 0

    @classmethod
    def of(cls, index: EmbeddedCatalog) -> Self:
        return cls(weakref.ref(index), index.changes, index.stood)


class FolderSnapshots:
    """
    See `domain.snapshots.Snapshots`. Several processes may keep theirs in one folder: each is as good as the others.

    Args:
        folder: made at the first time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / _NAME
        self._writing = threading.Lock()
        self._saved = _Saved()

    def count(self) -> int:
        """How many projects were kept, those included that are gone; 0 where there is nothing that can be read."""
        with suppress(OSError, Unreadable, msgspec.MsgspecError), self._path.open("rb", buffering=0) as file:
            return msgspec.json.decode(Reader(self._path, file).about, type=_About).count
        return 0

    async def load(self) -> WithinCatalog | None:
        try:
            return WithinCatalog(await asyncio.to_thread(self._read))
        except FileNotFoundError:
            log.info("catalogue has no snapshot and is read from the database")
        except Unreadable as why:
            log.warning("catalogue's snapshot is not used; all is read from the database", why=str(why))
        except Exception as error:
            # Whatever is wrong with it, there is another way.
            why = f"{type(error).__name__}: {error}"
            log.warning("catalogue's snapshot is not used; all is read from the database", why=why)
        return None

    async def save(self, index: CatalogIndex, *, only_if_due: bool = False) -> None:
        if not isinstance(index, AtOnce) or not isinstance(index.index, EmbeddedCatalog):
            return
        embedded = index.index
        if self._is_due(embedded) if only_if_due else self._has_changed(embedded):
            saved = _Saved.of(embedded)
            await asyncio.to_thread(self._write, embedded.content(), saved)

    def _has_changed(self, index: EmbeddedCatalog) -> bool:
        saved = self._saved
        if saved.index() is not index:
            # One that came from elsewhere has not changed since, and is not here yet.
            return bool(len(index) or index.changes)
        return (saved.changes, saved.stood) != (index.changes, index.stood)

    def _is_due(self, index: EmbeddedCatalog) -> bool:
        if self._saved.index() is not index:
            return len(index) >= _FEW
        return index.changes - self._saved.changes > max(DUE_LEAST, len(index) * DUE_SHARE)

    # --------------------------------------------------------------------------------------------------- in a thread

    def _read(self) -> EmbeddedCatalog:
        began = time.monotonic()
        with self._path.open("rb", buffering=0) as file:
            reader = Reader(self._path, file)
            about = msgspec.json.decode(reader.about, type=_About)
            _require_same(about)
            content = _content_of(about, reader.arrays())
        gone = content.count - np.count_nonzero(content.columns["alive"])
        if gone > max(_FEW, content.count * _MOST_GONE_SHARE):
            raise Unreadable("much of it is gone, and a filled index is smaller")
        index = EmbeddedCatalog.of(content)
        self._saved = _Saved.of(index)
        log.info("catalogue's snapshot is loaded", projects=len(index), seconds=round(time.monotonic() - began, 2))
        return index

    def _write(self, content: Content, saved: _Saved) -> None:
        began = time.monotonic()
        part = self._folder / f"{_NAME}.{secrets.token_hex(8)}{_PART}"
        try:
            with self._writing, self._alone() as is_alone:
                if not is_alone:
                    return
                with part.open("xb") as file:
                    snapshot_file.write(file, _about(content), _arrays(content))
                size_bytes = part.stat().st_size
                part.replace(self._path)
                _make_safe(self._folder)
                self._saved = saved
        except OSError as error:
            log.warning("catalogue's snapshot could not be written; the one before stays", why=str(error))
        else:
            seconds = round(time.monotonic() - began, 2)
            log.info("catalogue's snapshot is written", numbers=content.count, bytes=size_bytes, seconds=seconds)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Generator[bool]:
        """Whether no other process writes one. What is left of those that were killed is cleared away."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            is_alone = _locked(descriptor)
            if is_alone:
                for left in self._folder.glob(f"{_NAME}.*{_PART}"):
                    left.unlink(missing_ok=True)
            yield is_alone
        finally:
            os.close(descriptor)


def _about(content: Content) -> bytes:
    about = _About(
        format=FORMAT,
        version=__version__,
        unicode=unicodedata.unidata_version,
        words=_how_words_are_made(),
        byte_order=sys.byteorder,
        count=content.count,
        segments=[(segment.base, segment.count) for segment in content.segments],
        labels=content.labels,
        orders={name: covered for name, (_, covered) in content.orders.items()},
    )
    return msgspec.json.encode(about)


def _require_same(about: _About) -> None:
    """
    Raises:
        Unreadable: it was written by a program that does it otherwise.
    """
    own = msgspec.json.decode(_about(_NOTHING), type=_About)
    for name in ("format", "version", "unicode", "words", "byte_order"):
        if (its := getattr(about, name)) != (ours := getattr(own, name)):
            raise Unreadable(f"its {name} is {its}, not {ours}")


_NOTHING = Content(0, {}, (), [], {})


def _arrays(content: Content) -> Iterator[tuple[str, Array]]:
    for name, column in content.columns.items():
        yield _named("columns", name), column
    for name, (numbers, _) in content.orders.items():
        yield _named("orders", name), numbers
    for at, segment in enumerate(content.segments):
        for name, values in arrays_of(segment).items():
            yield _named(str(at), name), values


def _content_of(about: _About, arrays: Mapping[str, Array]) -> Content:
    """
    Raises:
        ValueError: it does not fit together.
        LookupError: something is missing.
    """
    groups: dict[str, dict[str, Array]] = {}
    for name, values in arrays.items():
        group, _, own = name.partition(_SEPARATOR)
        groups.setdefault(group, {})[own] = values
    begin = 0
    for base, count in about.segments:
        if base != begin:
            raise ValueError("its segments have a gap")
        begin += count
    if begin != about.count:
        raise ValueError("its segments have more or fewer projects than it")
    segments = tuple(segment_of(*each, groups[str(at)]) for at, each in enumerate(about.segments))
    orders = {name: (groups["orders"][name], covered) for name, covered in about.orders.items()}
    return Content(about.count, groups["columns"], segments, about.labels, orders)


def _named(group: str, name: str) -> str:
    return f"{group}{_SEPARATOR}{name}"


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make_safe(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@lru_cache(maxsize=1)
def _how_words_are_made() -> str:
    """What becomes of a few texts: another value as soon as they are taken apart in another way."""
    labels, taken = Labels(), hashlib.sha256()
    for text in _TEXTS:
        listing = Listing(
            id=ProjectId(""),
            name=text[:40],
            title=text,
            summary=text[::-1],
            owner=text.split()[0],
            created_at=1,
            updated_at=2,
            description=text * 40,
            technologies=tuple(text.split()),
            tags=(text[:12],),
            license="MIT",
        )
        made = impacts_of(listing, [labels.label(*each) for each in labels_of(listing)])
        taken.update(repr((sorted(made.items()), digest_of(listing), hash_of_name(joined(text)))).encode())
    bits = Filter.of(64, hashes_of_beginnings(_TEXTS)).bits
    return hashlib.sha256(taken.digest() + bits.tobytes()).hexdigest()


_TEXTS = (
    "Fast-API client_library 2.0 for HTTP/2 servers",
    "C++ and C# beside node.js, .NET, F# and Objective-C",
    "Größe ÄÖÜ ﬁne naïve İstanbul ΣΑΣ ﷺ １２３",
    "日本語のライブラリ 中文搜索 한국어 ไทย עברית العربية",
    "parsers parsing parsed running runs libraries camelCaseName HTTPServer2Go",
    "emoji 🦀 rocks — “quotes” it's don't a.b.c user@example.org https://example.org/path?x=1",
)
