"""The languages of this server as Piston lists them: one runtime for each language and version."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from difflib import get_close_matches

import msgspec
from msgspec import UNSET, UnsetType

from opencode.contracts.execution import CodeRunner, Language
from opencode.kernel.versions import best_match, full_version

FRESH_S = 1.0
"""For so long the languages are not asked for again: `execute` looks them up at each call."""
_LONGEST_NAME = 50  # characters that are compared when a name is not known


class RuntimeView(msgspec.Struct, frozen=True):
    """`runtime` names the toolchain where it serves several languages, and is left out elsewhere."""

    language: str
    version: str
    aliases: tuple[str, ...]
    runtime: str | UnsetType = UNSET


class PackageView(msgspec.Struct, frozen=True):
    """`language_version` is `*` where nothing is installed: whatever there is to be had."""

    language: str
    language_version: str
    installed: bool


@dataclass(frozen=True, slots=True)
class Runtime:
    """A language in one of its versions, which has three numbers as Piston's clients expect."""

    language: Language
    version: str


class Catalogue:
    """
    What can be run here. Made once, and again when the languages have changed.

    Attributes:
        languages: what it was made of.
        listing: the answer to `GET runtimes`, encoded.
    """

    def __init__(self, languages: tuple[Language, ...]) -> None:
        self.languages = languages
        self._by_name: dict[str, dict[str, Runtime]] = defaultdict(dict)
        runtimes = [
            Runtime(language, version)
            for language in languages
            if language.available
            for version in _full_versions(language)
        ]
        for runtime in runtimes:
            for name in (runtime.language.id, *runtime.language.aliases):
                self._by_name[name].setdefault(runtime.version, runtime)
        self.listing = msgspec.json.encode([_view(runtime) for runtime in runtimes])

    def find(self, name: str, wanted: str) -> Runtime | None:
        """The highest version within a range of whatever has this name or alias."""
        versions = self._by_name.get(name)
        best = best_match(wanted, versions) if versions else None
        return versions[best] if versions and best else None

    def versions(self, name: str) -> tuple[str, ...]:
        return tuple(self._by_name.get(name, ()))

    def nearest(self, name: str) -> tuple[str, ...]:
        """Up to three names and aliases that look like this one, the most alike first."""
        return tuple(get_close_matches(name[:_LONGEST_NAME].casefold(), self._by_name, n=3, cutoff=0.5))

    def language(self, name: str) -> Language | None:
        """A language by its id or an alias, installed or not."""
        return next((each for each in self.languages if name in (each.id, *each.aliases)), None)

    def packages(self) -> bytes:
        """The answer to `GET packages`, encoded."""
        views: list[PackageView] = []
        for language in self.languages:
            installed = _full_versions(language) if language.available else ()
            views += [PackageView(language.id, version, installed=True) for version in installed]
            if not installed:
                views.append(PackageView(language.id, "*", installed=False))
        return msgspec.json.encode(views)


class CurrentCatalogue:
    """The catalogue as it is now."""

    def __init__(self, runner: CodeRunner) -> None:
        self._runner = runner
        self._catalogue: Catalogue | None = None
        self._fresh_until = 0.0

    async def __call__(self) -> Catalogue:
        now = asyncio.get_running_loop().time()
        if self._catalogue is None or now >= self._fresh_until:
            languages = await self._runner.languages()
            if self._catalogue is None or languages != self._catalogue.languages:
                self._catalogue = Catalogue(languages)
            self._fresh_until = now + FRESH_S
        return self._catalogue

    def forget(self) -> None:
        """Ask again the next time: what is installed has changed."""
        self._fresh_until = 0.0


def _full_versions(language: Language) -> tuple[str, ...]:
    texts = language.versions or ((language.version,) if language.version else ())
    return tuple(dict.fromkeys(full for text in texts if (full := full_version(text))))


def _view(runtime: Runtime) -> RuntimeView:
    language = runtime.language
    return RuntimeView(language.id, runtime.version, language.aliases, language.package or UNSET)
