"""The languages of another server, under the names that they have here."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cmp_to_key

from opencode.contracts.execution import Language
from opencode.kernel.versions import best_match, full_version, version_of
from opencode.modules.execution.adapters.piston.answers import RemoteRuntime
from opencode.modules.execution.domain.programs import Runtime

_MAIN_FILE = "main"
"""Of a language that is not known here: Piston adds the ending that it needs."""


@dataclass(frozen=True, slots=True)
class Place:
    """What to ask the server for."""

    language: str
    version: str


@dataclass(slots=True)
class _Entry:
    own: Runtime | None
    name: str
    aliases: dict[str, None] = field(default_factory=dict[str, None])
    places: dict[str, Place] = field(default_factory=dict[str, Place])
    package: str | None = None


class Catalogue:
    """
    Made once of each list that a server sends.

    Attributes:
        languages: by name; versions newest first.
    """

    def __init__(self, listed: Iterable[RemoteRuntime] = (), own: Sequence[Runtime] = ()) -> None:
        entries: dict[str, _Entry] = {}
        for runtime in listed:
            full = full_version(runtime.version)
            if full is None or not runtime.language:
                continue
            known = _own(runtime, own)
            entry = entries.setdefault(known.id if known else runtime.language, _Entry(known, runtime.language))
            entry.aliases.update(dict.fromkeys((runtime.language, *runtime.aliases)))
            entry.places.setdefault(full, Place(runtime.language, runtime.version))
            entry.package = entry.package or runtime.runtime
        self._places: dict[str, dict[str, Place]] = defaultdict(dict)
        # Ids before aliases: a name that both an id and an alias claim means the id.
        for name, entry in entries.items():
            self._places[name] = entry.places
        for entry in entries.values():
            for alias in (*(entry.own.aliases if entry.own else ()), *entry.aliases):
                self._places.setdefault(alias, entry.places)
        languages = [_language(name, entry) for name, entry in entries.items()]
        self.languages = tuple(sorted(languages, key=lambda language: language.name.casefold()))

    def find(self, language: str, version: str | None) -> Place | None:
        """The highest version within a range of what has this id or alias; without a range the newest."""
        places = self._places.get(language)
        if not places:
            return None
        best = _newest_first(places)[0] if version is None else best_match(version, places)
        return places[best] if best else None

    def versions(self, language: str) -> tuple[str, ...]:
        return _newest_first(self._places.get(language, ()))


def _own(runtime: RemoteRuntime, own: Sequence[Runtime]) -> Runtime | None:
    """Which of our languages this is: by its name, else by an alias that is one of our ids."""
    for one in own:
        if runtime.language in (one.id, *one.aliases):
            return one
    return next((one for one in own if one.id in runtime.aliases), None)


def _language(name: str, entry: _Entry) -> Language:
    own, versions = entry.own, _newest_first(entry.places)
    aliases = own.aliases if own else tuple(alias for alias in entry.aliases if alias != name)
    return Language(
        id=name,
        name=own.name if own else name,
        aliases=aliases,
        version=versions[0],
        available=True,
        reason=None,
        file_name=own.file_name if own else _MAIN_FILE,
        template=own.template if own else "",
        versions=versions,
        package=own.package if own else entry.package,
    )


def _newest_first(versions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(versions, key=cmp_to_key(_compare), reverse=True))


def _compare(one: str, other: str) -> int:
    first, second = version_of(one), version_of(other)
    if first is None or second is None:
        return (first is not None) - (second is not None)
    return (first > second) - (first < second)
