"""
Finds the toolchains of this machine, and gives each a place inside the cells.

What lies under `/usr` is shown where it is. Anything else, such as a Python in somebody's home folder or a Node that
came with a Python package, is first put on the shelf.
"""

import asyncio
import contextlib
import importlib.util
import itertools
import os
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from opencode.kernel.versions import best_match
from opencode.modules.execution.adapters import answers, host, shelf
from opencode.modules.execution.adapters.surroundings import TOOLCHAINS, Surroundings
from opencode.modules.execution.domain.programs import Runtime, Toolchain, fill_in, version_key
from opencode.modules.execution.errors import RuntimeFileError

RUNTIME_FILES = Path(__file__).parent.parent / "runtimes"
WARM_FILES = RUNTIME_FILES / "warm"
_LOOKUPS_AT_ONCE = 4
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


def load(*folders: Path) -> tuple[Runtime, ...]:
    """
    Read the runtime files, by name; those that come with OpenCode when no folder is given.

    Raises:
        RuntimeFileError: a file does not say what it must, or two claim one name.
    """
    runtimes: list[Runtime] = []
    taken: dict[str, str] = {}
    for folder in folders:
        if not folder.is_dir():
            raise RuntimeFileError(f"{folder} is not a folder")
    for path in (path for folder in folders or (RUNTIME_FILES,) for path in sorted(folder.glob("*.toml"))):
        try:
            runtime = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Runtime)
            _check_words(runtime)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise RuntimeFileError(f"{path.name}: {error}") from error
        for name in (runtime.id, *runtime.aliases):
            if name in taken:
                raise RuntimeFileError(f"{path.name}: the name {name} is taken by {taken[name]}")
            taken[name] = path.name
        runtimes.append(runtime)
    return tuple(runtimes)


def _check_words(runtime: Runtime) -> None:
    toolchain = runtime.toolchain
    known = {*toolchain.programs, "toolchain"}
    prepared = runtime.prepare.words if runtime.prepare else {}
    inside = known | {"main", "sources", "class", "memory_mib", *toolchain.if_there, *prepared}
    for command, words in (
        *((each, known) for each in (toolchain.version, toolchain.prefix)),
        *((each, inside) for each in (runtime.compile, runtime.run)),
        *((each.command, inside) for each in (runtime.warm, runtime.warm_compile) if each),
        *((each, known) for each in (runtime.prepare.commands if runtime.prepare else ())),
        *((each.make, known) for each in (runtime.headers,) if each),
    ):
        for word in command:
            try:
                fill_in(word, dict.fromkeys(words, ""))
            except KeyError as error:
                raise msgspec.ValidationError(
                    f"{word!r} names {error}, which is neither a program nor a word"
                ) from error


@dataclass(slots=True)
class Toolchains:
    """
    What this machine has, looked up once for each runtime.

    Args:
        shelves: folders for toolchains outside `/usr`, the first that can be made is taken; `{uid}` is filled in.
    """

    runtimes: tuple[Runtime, ...]
    shelves: tuple[str, ...]

    _results: dict[str, tuple[Found, ...] | Missing] = field(default_factory=dict[str, "tuple[Found, ...] | Missing"])
    _locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def of(self, runtime: Runtime) -> tuple[Found, ...] | Missing:
        """The versions of a runtime, the one taken by default first."""
        async with self._locks[runtime.id]:
            if runtime.id not in self._results:
                self._results[runtime.id] = await find(runtime, self.shelves)
            return self._results[runtime.id]

    def known(self, runtime: Runtime) -> tuple[Found, ...]:
        """What was found of a runtime so far, without looking."""
        result = self._results.get(runtime.id, ())
        return () if isinstance(result, Missing) else result

    def improve(self, runtime: Runtime, found: Found) -> None:
        """Take this in place of what was found of the same version."""
        known = self.known(runtime)
        self._results[runtime.id] = tuple(found if one.version == found.version else one for one in known)

    async def all(self) -> dict[str, tuple[Found, ...] | Missing]:
        """Those of every runtime, by its id. A few at a time: a hundred compilers asked at once starve the server."""
        turns = asyncio.Semaphore(_LOOKUPS_AT_ONCE)

        async def look(runtime: Runtime) -> tuple[Found, ...] | Missing:
            async with turns:
                return await self.of(runtime)

        results = await asyncio.gather(*(look(runtime) for runtime in self.runtimes))
        return {runtime.id: result for runtime, result in zip(self.runtimes, results, strict=True)}


def choose(found: tuple[Found, ...], version: str | None) -> Found | None:
    """The version that a request means: the first without a wish, None when none matches."""
    if version is None:
        return found[0]
    best = best_match(version, [one.version for one in found])
    return next((one for one in found if one.version == best), None)


async def find(runtime: Runtime, shelves: tuple[str, ...]) -> tuple[Found, ...] | Missing:
    """Look for the versions of a runtime's toolchain, the one taken by default first."""
    first, minimum = runtime.toolchain.programs[0], runtime.toolchain.minimum
    versions = await _versions(runtime, shelves)
    if isinstance(versions, Missing):
        return versions
    good = [version for version in versions if version_key(version) >= version_key(minimum)]
    if not good:
        newest = max(versions, key=version_key)
        return Missing(f"{first} {newest} is too old; {minimum} is needed. {runtime.how_to_install}")
    if runtime.toolchain.newest:
        good.sort(key=version_key, reverse=True)
    found: list[Found] = []
    missing = ""
    for version in good:
        try:
            found.append(await _place(runtime, version, versions[version], shelves))
        except OSError as error:
            missing = f"{first} lies outside /usr and could not be put on the shelf ({error.strerror})."
    return tuple(found) or Missing(f"{missing} Install it system-wide.")


async def _versions(runtime: Runtime, shelves: tuple[str, ...]) -> dict[str, dict[str, Path]] | Missing:
    """The programs of each version, in the order in which they were found."""
    first = runtime.toolchain.programs[0]
    versions: dict[str, dict[str, Path]] = {}
    reason = f"{first} is not installed."
    for candidate in _main_candidates(runtime.toolchain, shelves):
        programs = _with_companions(runtime.toolchain, candidate, shelves)
        if isinstance(programs, str):
            reason = f"{programs} is not installed."
        elif version := await _version(runtime, programs, shelves):
            versions.setdefault(version, programs)
        else:
            reason = f"{first} is there, but did not answer as {runtime.name} should."
    return versions or Missing(f"{reason} {runtime.how_to_install}")


def _main_candidates(toolchain: Toolchain, shelves: tuple[str, ...]) -> Iterator[Path]:
    first = toolchain.programs[0]
    seen: set[Path] = set()
    for place in (*_candidates(first), *_under_other_names(toolchain), *_packaged(toolchain, first, shelves)):
        if place.resolve() not in seen:
            seen.add(place.resolve())
            yield place
    if toolchain.own_python:
        yield Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _with_companions(toolchain: Toolchain, main: Path, shelves: tuple[str, ...]) -> dict[str, Path] | str:
    """All programs of a toolchain whose first is `main`; or the name of one that is missing."""
    first, *others = toolchain.programs
    programs = {first: main}
    for name in others:
        beside = main.resolve().with_name(name)
        choices = itertools.chain([beside] if os.access(beside, os.X_OK) else [], _candidates(name))
        place = next(itertools.chain(choices, _packaged(toolchain, name, shelves)), None)
        if place is None:
            return name
        programs[name] = place
    return programs


def _candidates(program: str) -> Iterator[Path]:
    """
    Every program of that name, system-wide ones first.

    Outside the system only native programs count: scripts there (of a version manager, of a venv) start something by
    its full path, which a cell does not have.
    """
    for folder in _folders():
        place = Path(folder, program)
        if os.access(place, os.X_OK) and (_is_system(place) or _is_native(place)):
            yield place


def _folders() -> list[str]:
    return list(dict.fromkeys((*_SEARCH_FIRST, *os.environ.get("PATH", "").split(os.pathsep))))


def _under_other_names(toolchain: Toolchain) -> Iterator[Path]:
    for pattern in toolchain.also:
        root, _, inside = pattern.rpartition("/") if not pattern.startswith("/") else ("", "", pattern[1:])
        for folder in ["/"] if pattern.startswith("/") else _folders():
            for place in sorted(Path(folder, root).glob(inside)):
                if os.access(place, os.X_OK) and (_is_system(place) or _is_native(place)):
                    yield place


def _packaged(toolchain: Toolchain, program: str, shelves: tuple[str, ...]) -> Iterator[Path]:
    """Programs that came in a Python package, beside the server or on the shelf, or in an npm package on the shelf."""
    for wheel in toolchain.wheels:
        package, _, inside = wheel.partition("/")
        if wheel.rpartition("/")[2] != program:
            continue
        beside = importlib.util.find_spec(package)
        for location in (beside.submodule_search_locations or ()) if beside else ():
            if Path(location, inside).exists():
                yield Path(location, inside)
        yield from shelf.installed(shelf.PYPI, wheel, shelves)
    for module in toolchain.modules:
        if module.rpartition("/")[2] == program:
            yield from shelf.installed(shelf.NPM, f"node_modules/{module}", shelves)


def _is_system(place: Path) -> bool:
    return all(_shown_in_cells(path) for path in (place.absolute(), place.resolve()))


def _shown_in_cells(path: Path) -> bool:
    under_usr = path.is_relative_to("/usr") and not path.is_relative_to("/usr/local")
    return under_usr or path.parts[1:2] in {("bin",), ("sbin",), ("lib",)}


def _is_native(place: Path) -> bool:
    with contextlib.suppress(OSError), place.open("rb") as file:
        return file.read(len(_ELF)) == _ELF
    return False


async def _version(runtime: Runtime, programs: dict[str, Path], shelves: tuple[str, ...]) -> str | None:
    home = shelf.home_of(programs[runtime.toolchain.programs[0]], shelves)
    words = {**programs, "toolchain": home or ""}
    said = await _ask([fill_in(word, words) for word in runtime.toolchain.version], shelves)
    found = re.search(runtime.toolchain.version_pattern, said)
    return found[1] if found else None


async def _ask(command: list[str], shelves: tuple[str, ...]) -> str:
    """What a program of this machine says to a question; nothing when it fails."""
    answer = answers.recall(command, shelves)
    if answer is None and (answer := await host.ask(command)):
        answers.remember(command, answer, shelves)
    return answer


def _words_if_there(runtime: Runtime) -> dict[str, str]:
    # Compilers look for their helpers in places of their own. The system's are sure to find each other.
    return {
        name: word
        for name, (program, word) in runtime.toolchain.if_there.items()
        if any(os.access(Path(folder, program), os.X_OK) for folder in _SEARCH_FIRST)
    }


async def _place(runtime: Runtime, version: str, programs: dict[str, Path], shelves: tuple[str, ...]) -> Found:
    places = {name: str(place) for name, place in programs.items()} | {"toolchain": ""}
    shown: dict[Path, str] = {}  # folders of the host, and where the cell shows them
    first = runtime.toolchain.programs[0]
    for name, place in programs.items():
        if _is_system(place):
            continue
        folder, inside_it = await _folder_to_show(runtime, version, programs, name, shelves)
        inside = shown.setdefault(folder, f"{TOOLCHAINS}/{runtime.id if name == first else name}")
        places[name] = f"{inside}/{inside_it}"
        if name == first:
            places["toolchain"] = inside
    environment = dict(runtime.environment)
    if shown:
        environment["PATH"] = ":".join([*(f"{inside}/bin" for inside in shown.values()), "/usr/bin", "/bin"])
        # Shared libraries of its own are found by the loader's cache outside, which does not know the new place.
        environment["LD_LIBRARY_PATH"] = ":".join(f"{inside}/lib" for inside in shown.values())
    surroundings = Surroundings.of(etc=runtime.etc, environment=environment, line_buffered=runtime.line_buffered)
    binds = [*_var_folders(runtime), *((str(folder), inside) for folder, inside in shown.items())]
    surroundings = replace(surroundings, binds=(*surroundings.binds, *binds))
    return Found(version, places | _words_if_there(runtime), surroundings, is_prepared=runtime.prepare is None)


def _var_folders(runtime: Runtime) -> Iterator[tuple[str, str]]:
    for pattern in runtime.var:
        for path in sorted(Path("/var/lib").glob(pattern)):
            yield str(path), str(path)


async def _folder_to_show(
    runtime: Runtime, version: str, programs: dict[str, Path], name: str, shelves: tuple[str, ...]
) -> tuple[Path, str]:
    """The folder that a cell shows for a program from outside the system, and the program's place in it."""
    place = programs[name]
    if home := shelf.home_of(place, shelves):
        return home, str(place.relative_to(home))
    first = runtime.toolchain.programs[0]
    prefix = await _prefix(runtime, programs, place, shelves)
    if name == first or _real(place).is_relative_to(await _prefix(runtime, programs, programs[first], shelves)):
        label, wanted = f"{first}-{version}", _wanted(runtime, prefix)
    else:
        label, wanted = name, iter([place.resolve()])
    question = ("where it stands", label, str(prefix), str(place.resolve()))
    # Looking at every file of a Python takes seconds, and its program changes when they do.
    known = _standing(question, shelves)
    if known is None:
        known = await asyncio.to_thread(shelf.put, label, prefix, wanted, shelves)
        answers.remember(question, str(known), shelves)
    return known, _within(prefix, place)


def _standing(question: tuple[str, ...], shelves: tuple[str, ...]) -> Path | None:
    said = answers.recall(question, shelves)
    return Path(said) if said and Path(said).is_dir() else None


async def _prefix(runtime: Runtime, programs: dict[str, Path], place: Path, shelves: tuple[str, ...]) -> Path:
    if runtime.toolchain.prefix and place == programs[runtime.toolchain.programs[0]]:
        said = await _ask([fill_in(word, programs) for word in runtime.toolchain.prefix], shelves)
        if said.strip():
            return Path(said.strip())
    return _real(place).parent.parent


def _real(place: Path) -> Path:
    return place.resolve()


def _within(prefix: Path, place: Path) -> str:
    real = _real(place)
    # A launcher such as rustup's is not part of the toolchain, but the program that it starts is, under the same name.
    return str(real.relative_to(prefix)) if real.is_relative_to(prefix) else f"bin/{place.name}"


def _wanted(runtime: Runtime, prefix: Path) -> Iterator[Path]:
    excluded = set(runtime.toolchain.exclude)
    for pattern in runtime.toolchain.include:
        for path in sorted(prefix.glob(pattern)):
            if path.is_file() and not excluded.intersection(path.relative_to(prefix).parts):
                yield path
