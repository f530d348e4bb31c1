"""Toolchains that are installed in memory."""

from dataclasses import replace

from opencode.contracts.execution import InstallFailed, LanguageUnknown
from opencode.kernel.versions import best_match
from tests.doubles.runner import ScriptedRunner


class InstallerInMemory:
    """`contracts.execution.Installer` that changes what a `ScriptedRunner` knows."""

    def __init__(self, runner: ScriptedRunner, versions: dict[str, tuple[str, ...]]) -> None:
        self._runner = runner
        self._versions = versions

    async def install(self, language: str, version: str) -> str:
        chosen = self._chosen(language, version)
        if chosen in self._installed(language):
            raise InstallFailed("Already installed")
        self._change(language, (*self._installed(language), chosen))
        return chosen

    async def uninstall(self, language: str, version: str) -> str:
        chosen = self._chosen(language, version)
        if chosen not in self._installed(language):
            raise InstallFailed("Not installed")
        self._change(language, tuple(each for each in self._installed(language) if each != chosen))
        return chosen

    def _chosen(self, language: str, version: str) -> str:
        chosen = best_match(version, self._versions.get(language, ()))
        if chosen is None:
            raise LanguageUnknown(f"There is no {language} {version}.")
        return chosen

    def _installed(self, language: str) -> tuple[str, ...]:
        return next(known.versions for known in self._runner.known if known.id == language)

    def _change(self, language: str, versions: tuple[str, ...]) -> None:
        self._runner.known = tuple(
            replace(known, versions=versions, version=versions[0] if versions else None, available=bool(versions))
            if known.id == language
            else known
            for known in self._runner.known
        )
