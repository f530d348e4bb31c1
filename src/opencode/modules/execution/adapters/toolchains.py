"""
Finds the toolchains of this machine, and gives each a place inside the cells.

What lies under `/usr` is shown where it is. Anything else, such as a Python in somebody's home folder or a Node that
came with a Python package, is first put on a shelf: hard links or copies below a neutral folder. A bind mount tells its
source in /proc/self/mountinfo, and a folder such as /root cannot even be entered by the user that a cell runs as.
"""

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from opencode.modules.execution.adapters import host, shelf
from opencode.modules.execution.adapters.surroundings import TOOLCHAINS, Surroundings
from opencode.modules.execution.domain import Runtime, version_key
from opencode.modules.execution.errors import RuntimeFileError

RUNTIME_FILES = Path(__file__).parent.parent / "runtimes"
WARM_FILES = RUNTIME_FILES / "warm"
_LARGEST_COPY_BYTES = 2 << 30
_SEARCH_FIRST = ("/usr/bin", "/bin")
_ELF = b"\x7fELF"


@dataclass(frozen=True, slots=True)
class Found:
    """
    A runtime of which this machine has the toolchain.

    Attributes:
        places: where each program stands inside the cell, and other words for commands.
        is_prepared: what makes it quicker is there (see `prepared`).
    """

    version: str
    places: dict[str, str]
    surroundings: Surroundings
    is_prepared: bool = True

    @property
    def is_of_system(self) -> bool:
        """Its programs stand inside the cells where they stand on this machine."""
        return not any(place.startswith(TOOLCHAINS) for place in self.places.values())


@dataclass(frozen=True, slots=True)
class Missing:
    """A runtime that cannot be had: why, and what to do, as two sentences."""

    reason: str


def load(folder: Path = RUNTIME_FILES) -> tuple[Runtime, ...]:
    """
    Read the runtime files, by name.

    Raises:
        RuntimeFileError: a file does not say what it must, or two claim one name.
    """
    runtimes: list[Runtime] = []
    taken: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            runtime = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Runtime)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise RuntimeFileError(f"{path.name}: {error}") from error
        for name in (runtime.id, *runtime.aliases):
            if name in taken:
                raise RuntimeFileError(f"{path.name}: the name {name} is taken by {taken[name]}")
            taken[name] = path.name
        runtimes.append(runtime)
    return tuple(runtimes)


async def find(runtime: Runtime, shelves: tuple[str, ...]) -> Found | Missing:
    """
    Look for a runtime's toolchain.

    Args:
        shelves: folders for toolchains outside `/usr`, the first that can be made is taken; `{uid}` is filled in.
    """
    first, *others = runtime.toolchain.programs
    rest: dict[str, Path] = {}
    for program in others:
        place = next(_candidates(program), None)
        if place is None:
            return Missing(f"{program} is not installed. {runtime.toolchain.install}")
        rest[program] = place
    best: tuple[str, Path] | None = None
    for candidate in _main_candidates(runtime, first):
        version = await _version(runtime, {first: candidate, **rest})
        if version and (best is None or version_key(version) > version_key(best[0])):
            best = version, candidate
            enough = version_key(version) >= version_key(runtime.toolchain.minimum)
            if enough and not runtime.toolchain.newest:
                break
    if best is None:
        return Missing(f"{first} is not installed. {runtime.toolchain.install}")
    if version_key(best[0]) < version_key(runtime.toolchain.minimum):
        return Missing(
            f"{first} {best[0]} is too old; {runtime.toolchain.minimum} is needed. {runtime.toolchain.install}"
        )
    try:
        found = await _place(runtime, best[0], {first: best[1], **rest}, shelves)
    except OSError as error:
        return Missing(
            f"{first} lies outside /usr and could not be put on the shelf ({error.strerror}). Install it system-wide."
        )
    return replace(found, places=found.places | _words_if_there(runtime), is_prepared=runtime.prepare is None)


def _main_candidates(runtime: Runtime, program: str) -> Iterator[Path]:
    yield from _candidates(program)
    if runtime.toolchain.wheel:
        package, _, inside = runtime.toolchain.wheel.partition("/")
        found = importlib.util.find_spec(package)
        for location in (found.submodule_search_locations or ()) if found else ():
            yield Path(location, inside)
    if runtime.toolchain.own_python:
        yield Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _candidates(program: str) -> Iterator[Path]:
    """
    Every program of that name, system-wide ones first.

    Outside the system only native programs count: scripts there (of a version manager, of a venv) start something by
    its full path, which a cell does not have.
    """
    seen: set[Path] = set()
    for folder in (*_SEARCH_FIRST, *os.environ.get("PATH", "").split(os.pathsep)):
        place = Path(folder, program)
        if not os.access(place, os.X_OK) or place.resolve() in seen:
            continue
        seen.add(place.resolve())
        if _is_system(place) or _is_native(place):
            yield place


def _words_if_there(runtime: Runtime) -> dict[str, str]:
    # Compilers look for their helpers in places of their own. The system's are sure to find each other.
    return {
        name: word
        for name, (program, word) in runtime.toolchain.if_there.items()
        if any(os.access(Path(folder, program), os.X_OK) for folder in _SEARCH_FIRST)
    }


def _is_system(place: Path) -> bool:
    return all(_shown_in_cells(path) for path in (place.absolute(), place.resolve()))


def _shown_in_cells(path: Path) -> bool:
    under_usr = path.is_relative_to("/usr") and not path.is_relative_to("/usr/local")
    return under_usr or path.parts[1:2] in {("bin",), ("sbin",), ("lib",)}


def _is_native(place: Path) -> bool:
    with contextlib.suppress(OSError), place.open("rb") as file:
        return file.read(len(_ELF)) == _ELF
    return False


async def _version(runtime: Runtime, programs: dict[str, Path]) -> str | None:
    said = await host.ask([word.format(**programs) for word in runtime.toolchain.version])
    found = re.search(runtime.toolchain.version_pattern, said)
    return found[1] if found else None


async def _place(runtime: Runtime, version: str, programs: dict[str, Path], shelves: tuple[str, ...]) -> Found:
    outside = [place for place in programs.values() if not _is_system(place)]
    places = {name: str(place) for name, place in programs.items()}
    shown: tuple[Path, str] | None = None
    environment = dict(runtime.environment)
    if outside:
        prefix = await _prefix(runtime, programs, outside[0])
        inside = f"{TOOLCHAINS}/{runtime.id}"
        shown = await asyncio.to_thread(_put_on_shelf, runtime, version, prefix, shelves), inside
        for name, place in programs.items():
            if place in outside:
                places[name] = f"{inside}/{_within(prefix, place)}"
        environment["PATH"] = f"{inside}/bin:/usr/bin:/bin"
        # Shared libraries of its own are found by the loader's cache outside, which does not know the new place.
        environment["LD_LIBRARY_PATH"] = f"{inside}/lib"
    surroundings = Surroundings.of(
        etc=runtime.etc, toolchain=shown, environment=environment, line_buffered=runtime.line_buffered
    )
    return Found(version, places, surroundings)


async def _prefix(runtime: Runtime, programs: dict[str, Path], place: Path) -> Path:
    if runtime.toolchain.prefix:
        said = await host.ask([word.format(**programs) for word in runtime.toolchain.prefix])
        if said.strip():
            return Path(said.strip())
    return _real(place).parent.parent


def _real(place: Path) -> Path:
    return place.resolve()


def _within(prefix: Path, place: Path) -> str:
    real = _real(place)
    # A launcher such as rustup's is not part of the toolchain, but the program that it starts is, under the same name.
    return str(real.relative_to(prefix)) if real.is_relative_to(prefix) else f"bin/{place.name}"


# ------------------------------------------------------------------------------------------------------------- shelf


def _put_on_shelf(runtime: Runtime, version: str, prefix: Path, shelves: tuple[str, ...]) -> Path:
    """
    Put what a cell needs of a toolchain under a neutral name, once for every state of it.

    Raises:
        OSError: no shelf can be made, or the toolchain does not fit.
    """
    wanted = list(_wanted(runtime, prefix))
    state = hashlib.sha256()
    for path in wanted:
        status = path.stat()
        state.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    target = shelf.first_of(shelves) / f"{runtime.toolchain.programs[0]}-{version}-{state.hexdigest()[:16]}"
    if not target.is_dir():
        with shelf.unfinished(target) as unfinished:
            _copy_all(wanted, prefix, unfinished)
    return target


def _wanted(runtime: Runtime, prefix: Path) -> Iterator[Path]:
    excluded = set(runtime.toolchain.exclude)
    for pattern in runtime.toolchain.include:
        for path in sorted(prefix.glob(pattern)):
            if path.is_file() and not excluded.intersection(path.relative_to(prefix).parts):
                yield path


def _copy_all(paths: list[Path], prefix: Path, target: Path) -> None:
    copied = 0
    for path in paths:
        place = target / path.relative_to(prefix)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path.resolve(), place)
        except OSError:
            copied += path.stat().st_size
            if copied > _LARGEST_COPY_BYTES:
                raise OSError(27, "the toolchain is too large to copy") from None  # EFBIG
            shutil.copy2(path, place)
