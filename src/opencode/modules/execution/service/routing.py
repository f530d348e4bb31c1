"""Which runs go where: to the sandboxes of this process, or to one of several other servers."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from opencode.contracts.execution import (
    CaseEvent,
    CaseInput,
    CodeRunner,
    ExecutionBusy,
    Language,
    RunEvent,
    RunRequest,
    SandboxUnavailable,
    Terminal,
)
from opencode.kernel.versions import best_match, full_version
from opencode.modules.execution.errors import ServerUnreachable

E = TypeVar("E")

CHECK_EVERY_S = 15.0
IN_USE_S = 60.0
"""Servers are looked at while somebody has used them within so many seconds."""


class Server(CodeRunner, Protocol):
    """A runner elsewhere, which may be out of reach."""

    @property
    def name(self) -> str: ...

    @property
    def trouble(self) -> str | None:
        """Why it does not serve, in words; None when it does, as far as is known."""
        ...

    async def check(self) -> None:
        """Find out whether it serves, and what it has. Raises nothing."""
        ...

    def seen(self) -> tuple[Language, ...]:
        """What it had when it was looked at last."""
        ...

    def has(self, language: str, version: str | None) -> bool: ...


@dataclass(slots=True)
class RoutedRunner:
    """
    A `CodeRunner` over several. Make one for each event loop, and `close` it; that leaves `cells` open.

    Args:
        cells: the sandboxes of this process. They come first, with all versions that they have.
        servers: take turns with what the cells do not have.
        chosen: ids or aliases of languages that the servers come first with; no others then go there.
    """

    cells: CodeRunner
    servers: Sequence[Server]
    chosen: frozenset[str] = frozenset()

    _rounds: int = 0
    _used_at: float = 0.0
    _watching: asyncio.Task[None] | None = None
    _has_looked: bool = False
    _looked: asyncio.Event = field(default_factory=asyncio.Event)

    # ---------------------------------------------------------------------------------------------------- CodeRunner

    async def languages(self) -> tuple[Language, ...]:
        """See `CodeRunner.languages`: those of all that serve, told apart by nothing."""
        self._in_use()
        own = await self.cells.languages()
        if not self._has_looked:
            await self._looked.wait()
        elsewhere = [language for server in self._healthy() for language in server.seen()]
        return merged(own, elsewhere, self.chosen)

    def run(self, request: RunRequest) -> AsyncGenerator[RunEvent, None]:
        """See `CodeRunner.run`."""
        return self._by_whoever_takes_it(request, lambda runner: runner.run(request))

    def batch(
        self, request: RunRequest, inputs: Sequence[CaseInput], *, parallel: int = 1
    ) -> AsyncGenerator[CaseEvent, None]:
        """See `CodeRunner.batch`. All cases go to the same place."""
        return self._by_whoever_takes_it(request, lambda runner: runner.batch(request, inputs, parallel=parallel))

    async def stop(self, run_id: str) -> bool:
        """See `CodeRunner.stop`."""
        return any([await runner.stop(run_id) for runner in self._runners()])

    async def write(self, run_id: str, data: bytes) -> bool:
        """See `CodeRunner.write`."""
        return any([await runner.write(run_id, data) for runner in self._runners()])

    async def end_input(self, run_id: str) -> bool:
        """See `CodeRunner.end_input`."""
        return any([await runner.end_input(run_id) for runner in self._runners()])

    async def signal(self, run_id: str, name: str) -> bool:
        """See `CodeRunner.signal`."""
        return any([await runner.signal(run_id, name) for runner in self._runners()])

    async def resize(self, run_id: str, terminal: Terminal) -> bool:
        """See `CodeRunner.resize`."""
        return any([await runner.resize(run_id, terminal) for runner in self._runners()])

    def expect(self, language: str) -> None:
        """See `CodeRunner.expect`."""
        if not self.chosen & {language}:
            self.cells.expect(language)

    # ------------------------------------------------------------------------------------------------ for the operator

    async def look(self) -> None:
        """Look at every server now."""
        await asyncio.gather(*(server.check() for server in self.servers))
        self._has_looked = True
        self._looked.set()

    def troubles(self) -> dict[str, str]:
        """Servers that do not serve, as far as is known, and why."""
        return {server.name: server.trouble for server in self.servers if server.trouble is not None}

    async def close(self) -> None:
        """Look no further."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    # -------------------------------------------------------------------------------------------------------- routing

    async def _by_whoever_takes_it(
        self, request: RunRequest, start: Callable[[CodeRunner], AsyncGenerator[E, None]]
    ) -> AsyncGenerator[E, None]:
        """The next one is asked only where nothing was run and nobody has heard anything."""
        *others, last = await self._places(request)
        for runner in others:
            has_begun = False
            try:
                async with aclosing(start(runner)) as events:
                    async for event in events:
                        has_begun = True
                        yield event
                return
            except (ServerUnreachable, ExecutionBusy):
                if has_begun:
                    raise
        async with aclosing(start(last)) as events:
            async for event in events:
                yield event

    async def _places(self, request: RunRequest) -> list[CodeRunner]:
        """Who may run this, the first choice first; there is at least one."""
        self._in_use()
        own = _named(await self.cells.languages(), request.language)
        is_here = own is not None and _has(own, request.version)
        is_chosen = self._is_chosen(request.language, own)
        if not is_chosen and (is_here or self.chosen):
            return [self.cells]
        await self._looked.wait()
        able = [server for server in self.servers if server.has(request.language, request.version)]
        serving: list[CodeRunner] = [server for server in self._in_turn(able) if server.trouble is None]
        if is_here:
            return [*serving, self.cells]
        if able and not serving:
            reasons = " ".join(server.trouble or "" for server in able)
            raise SandboxUnavailable(
                f"No server that has {request.language:.50} serves. {reasons}", action="Try again in a moment."
            )
        # Nobody has it: the cells know best how to say so.
        return serving or [self.cells]

    def _is_chosen(self, name: str, own: Language | None) -> bool:
        names = {name, own.id, *own.aliases} if own else {name}
        for server in self.servers if not own else ():
            if known := _named(server.seen(), name):
                names |= {known.id, *known.aliases}
        return bool(self.chosen & names)

    def _in_turn(self, servers: Sequence[Server]) -> list[Server]:
        if not servers:
            return []
        self._rounds += 1
        first = self._rounds % len(servers)
        return [*servers[first:], *servers[:first]]

    def _healthy(self) -> list[Server]:
        return [server for server in self.servers if server.trouble is None]

    def _runners(self) -> tuple[CodeRunner, ...]:
        return (self.cells, *self.servers)

    # -------------------------------------------------------------------------------------------------------- looking

    def _in_use(self) -> None:
        self._used_at = time.monotonic()
        if self._watching is None or self._watching.done():
            # What was seen before a pause may be long past.
            self._looked.clear()
            self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while time.monotonic() - self._used_at < IN_USE_S:
            await self.look()
            await asyncio.sleep(CHECK_EVERY_S)


def merged(own: Iterable[Language], elsewhere: Iterable[Language], chosen: frozenset[str]) -> tuple[Language, ...]:
    """
    One list of what can be run here and elsewhere, in the order of `CodeRunner.languages`. Versions of here come first;
    of languages that are chosen to be run elsewhere, last.
    """
    languages = {language.id: language for language in own}
    for language in elsewhere:
        is_chosen = bool(chosen & {language.id, *language.aliases})
        if chosen and not is_chosen:
            continue
        here = languages.get(language.id)
        if here is None or not here.available:
            languages[language.id] = language
        else:
            first, then = (language, here) if is_chosen else (here, language)
            languages[language.id] = _with_versions(here, (*first.versions, *then.versions))
    return tuple(sorted(languages.values(), key=lambda language: (not language.available, language.name.casefold())))


def _with_versions(language: Language, versions: Iterable[str]) -> Language:
    # `5.36` and `5.36.0` are one version.
    distinct: dict[str, str] = {}
    for version in versions:
        distinct.setdefault(full_version(version) or version, version)
    kept = tuple(distinct.values())
    return replace(language, version=kept[0], versions=kept)


def _named(languages: Iterable[Language], name: str) -> Language | None:
    return next((language for language in languages if name in (language.id, *language.aliases)), None)


def _has(language: Language, version: str | None) -> bool:
    return language.available and (version is None or best_match(version, language.versions) is not None)
