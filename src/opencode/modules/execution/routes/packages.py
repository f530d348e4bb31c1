"""What is installed, and what could be."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from opencode.contracts.execution import Installer, LanguageUnknown
from opencode.contracts.identity import Identity
from opencode.kernel.errors import FieldProblem
from opencode.modules.execution.errors import JobRefused
from opencode.modules.execution.policy import Door
from opencode.modules.execution.routes.dialect import Answer, Call, Handler
from opencode.modules.execution.schemas.catalogue import CurrentCatalogue


class PackageAnswer(msgspec.Struct, frozen=True):
    language: str
    version: str


@dataclass(frozen=True, slots=True)
class PackageRoutes:
    """What operators do with toolchains."""

    installer: Installer
    catalogue: CurrentCatalogue
    door: Door
    identity: Identity

    @property
    def handlers(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("GET", "/packages"): self.list_packages,
            ("POST", "/packages"): self.install,
            ("DELETE", "/packages"): self.uninstall,
        }

    async def list_packages(self, call: Call) -> Answer:
        await self.door.admit_reader(call.visitor())
        return Answer((await self.catalogue()).packages())

    async def install(self, call: Call) -> Answer:
        return await self._change(call, self.installer.install, "runtime.installed")

    async def uninstall(self, call: Call) -> Answer:
        return await self._change(call, self.installer.uninstall, "runtime.uninstalled")

    async def _change(self, call: Call, change: Callable[[str, str], Awaitable[str]], kind: str) -> Answer:
        manager = await self.door.admit_manager(call.visitor())
        name, wanted = _package(await call.json())
        language = (await self.catalogue()).language(name)
        try:
            if language is None:
                raise LanguageUnknown(f"There is no language {name!r}.")
            version = await change(language.id, wanted)
        except LanguageUnknown:
            return Answer.message(404, f"Requested package {name}-{wanted} does not exist")
        self.catalogue.forget()
        await self.identity.record(kind, actor=manager, subject_id=language.id, detail=version)
        return Answer(msgspec.json.encode(PackageAnswer(language.id, version)))


def _package(body: Any) -> tuple[str, str]:
    """
    Raises:
        JobRefused: the language or the version is missing.
    """
    fields = body if isinstance(body, dict) else {}
    problems = tuple(
        FieldProblem(f"/{name}", f"{name} is required as a string")
        for name in ("language", "version")
        if not isinstance(fields.get(name), str) or not fields[name]
    )
    if problems:
        raise JobRefused(problems)
    return fields["language"], fields["version"]
