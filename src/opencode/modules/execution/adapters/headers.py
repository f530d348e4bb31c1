"""
Headers that are compiled before a program asks for them.

Reading `<iostream>` takes a C++ compiler longer than everything else in most programs. What is made here comes from
names of the compiler's own headers and nothing else, so it may be made outside of cells.
"""

import asyncio
import errno
import hashlib
import os
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from opencode.modules.execution.adapters import host, shelf
from opencode.modules.execution.adapters.surroundings import HEADERS
from opencode.modules.execution.adapters.toolchains import Found
from opencode.modules.execution.domain.programs import Include, Runtime, fill_in
from opencode.modules.execution.settings import ExecutionSettings

log = structlog.get_logger(__name__)

_NAME = "prefix.hpp"
_MOST = 64  # prefixes on the shelf
_LONGEST_LINE = 8  # prefixes that wait to be made; who comes later is asked for again
_LONGEST_PREFIX = 40  # headers
_NOT_USED_S = 600.0  # what was used later is not removed: a compiler may be about to open it
_TOUCH_EVERY_S = 60.0
_REST = (
    4  # times as long as a making took, until the next: whoever invents prefixes gets no more than a fifth of a core
)
_SEARCHED = re.compile(r"^#include <\.\.\.>.*\n((?: .*\n)+)", re.MULTILINE)
_OF_CPP = re.compile(r"[a-z][a-z0-9_]*")
_OF_C = (
    "assert.h complex.h ctype.h errno.h fcntl.h fenv.h float.h inttypes.h iso646.h limits.h locale.h math.h pthread.h "
    "setjmp.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h tgmath.h "
    "time.h uchar.h unistd.h wchar.h wctype.h"
)
_EVERYTHING = "bits/stdc++.h"


@dataclass(slots=True, eq=False)
class HeaderShelf:
    """
    The compiled headers of one compiler.

    Args:
        folder: where they are kept; cells show it in `/opt/headers`.
        state: whatever changes when the compiler or its headers do.
        command: makes one in the folder it is started in, from the file `prefix.hpp`.
        searched: folders in which the compiler looks for headers, C++ first.
        file_name: of the programs that begin with these headers.
        most_bytes: of all on disk.
    """

    folder: Path
    state: str
    command: tuple[str, ...]
    searched: tuple[Path, ...]
    file_name: str
    most_bytes: int

    _wanted: dict[str, str] = field(default_factory=dict[str, str])
    _hopeless: set[str] = field(default_factory=set[str])
    _maker: asyncio.Task[None] | None = None
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    def options_for(self, includes: tuple[Include, ...]) -> tuple[str, ...]:
        """
        What a compiler is to be told so that it need not read the headers that a program begins with. Nothing when they
        are not there yet: then they are made for the next time, if they can be.
        """
        prefix = self._prefix(includes)
        if not prefix:
            return ()
        key = self._key(prefix)
        if self._use(key):
            return ("-include", f"{HEADERS}/{key}/{_NAME}")
        if key not in self._hopeless and len(self._wanted) < _LONGEST_LINE:
            self._wanted[key] = prefix
            if self._maker is None:
                self._maker = asyncio.get_running_loop().create_task(self._make_wanted())
        return ()

    async def make(self, includes: tuple[Include, ...]) -> None:
        """Have them at hand."""
        prefix = self._prefix(includes)
        if prefix and not self._use(self._key(prefix)):
            await self._make(self._key(prefix), prefix)

    async def close(self) -> None:
        """Give up what is being made."""
        if self._maker:
            self._maker.cancel()
            await asyncio.gather(self._maker, return_exceptions=True)

    # ------------------------------------------------------------------------------------------------------ what it is

    def _prefix(self, includes: tuple[Include, ...]) -> str:
        """
        The headers as a file. Each claims to be included where it is in the program, since a compiler tells the way to
        an error. Empty when one of the names is not a header of the compiler.
        """
        if not includes or len(includes) > _LONGEST_PREFIX or not all(self._is_ours(one.name) for one in includes):
            return ""
        return "".join(f'# {one.line} "{self.file_name}"\n#include <{one.name}>\n' for one in includes)

    def _is_ours(self, name: str) -> bool:
        is_standard = name == _EVERYTHING or name in _OF_C.split() or _OF_CPP.fullmatch(name)
        return bool(is_standard) and any((folder / name).is_file() for folder in self.searched)

    def _key(self, prefix: str) -> str:
        return hashlib.sha256(f"{self.state}\0{prefix}".encode()).hexdigest()[:20]

    def _use(self, key: str) -> bool:
        place = self.folder / key
        try:
            if time.time() - place.stat().st_mtime > _TOUCH_EVERY_S:
                os.utime(place)
        except FileNotFoundError:
            return False
        return True

    # ---------------------------------------------------------------------------------------------------------- making

    async def _make_wanted(self) -> None:
        try:
            while self._wanted:
                key, prefix = next(iter(self._wanted.items()))
                began = time.monotonic()
                await self._make(key, prefix)
                del self._wanted[key]
                await asyncio.sleep(_REST * (time.monotonic() - began))
        finally:
            self._maker = None

    async def _make(self, key: str, prefix: str) -> None:
        async with self._making:
            try:
                await asyncio.to_thread(self._make_room)
                with shelf.unfinished(self.folder / key) as folder:
                    (folder / _NAME).write_text(prefix)
                    good, said = await host.make(self.command, folder)
                    # A warning would be heard now, and not by those whose program it is about.
                    if not good or said:
                        raise OSError(errno.EINVAL, said)
                    shelf.show(folder)
            except OSError as error:
                if len(self._hopeless) < _MOST:
                    self._hopeless.add(key)
                log.info("headers could not be compiled ahead", reason=str(error)[:200])

    def _make_room(self) -> None:
        """
        Remove the oldest, so that one more is within the limits.

        Raises:
            OSError: all are in use.
        """
        kept = sorted(self.folder.glob("[0-9a-f]*"), key=lambda place: place.stat().st_mtime)
        sizes = {place: sum(path.stat().st_size for path in place.iterdir()) for place in kept}
        largest = max(sizes.values(), default=0)
        for place in kept:
            if len(sizes) < _MOST and sum(sizes.values()) + largest <= self.most_bytes:
                return
            if time.time() - place.stat().st_mtime < _NOT_USED_S:
                raise OSError(errno.ENOSPC, "the headers that are in use take all the room")
            shutil.rmtree(place, ignore_errors=True)
            del sizes[place]


async def open_shelf(runtime: Runtime, found: Found, settings: ExecutionSettings) -> HeaderShelf | None:
    """The shelf of a runtime whose headers can be compiled ahead; None when it has none, or no place for it."""
    if runtime.headers is None or not settings.header_bytes or not found.is_of_system:
        return None
    command = tuple(fill_in(word, found.places) for word in runtime.headers.make)
    searched = _folders(await host.ask((command[0], "-E", "-v", "-x", "c++", os.devnull)))
    try:
        folder = shelf.first_usable(settings.toolchain_folders) / f"{runtime.id}-headers"
        folder.mkdir(mode=0o755, exist_ok=True)
    except OSError as error:
        log.warning("there is no place for compiled headers", reason=str(error))
        return None
    state = _state(command, searched)
    return HeaderShelf(folder, state, command, searched, runtime.file_name, settings.header_bytes)


def _folders(said: str) -> tuple[Path, ...]:
    found = _SEARCHED.search(said)
    return tuple(Path(line.strip()).resolve() for line in found[1].splitlines()) if found else ()


def _state(command: tuple[str, ...], searched: tuple[Path, ...]) -> str:
    state = hashlib.sha256(repr(command).encode())
    # A package that is upgraded puts its files in place by renaming, which the folder remembers.
    for place in (Path(command[0]).resolve(), *searched, *(folder / "bits" for folder in searched)):
        if place.exists():
            status = place.stat()
            state.update(f"{place}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return state.hexdigest()
