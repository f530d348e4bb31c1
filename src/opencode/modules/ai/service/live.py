"""
The configuration that is in force while the server runs, as one snapshot that is swapped whole.

Whoever answers a request takes `current` once and works with it to the end. A file that changes is looked at again
within a second; one with mistakes changes nothing and is told of.

Files are asked for their state a few times a second rather than watched: it costs some microseconds, and it works the
same for editors that replace files, for symbolic links that a cluster swaps, and on network drives that tell nobody.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from opencode.infra.observability import metrics
from opencode.infra.plugs import Parts
from opencode.modules.ai.adapters.files import Places, candidates
from opencode.modules.ai.domain.configuration.model import Configuration
from opencode.modules.ai.domain.models import Catalogue
from opencode.modules.ai.domain.registry import Registry, upstreams_of
from opencode.modules.ai.domain.setting import said_by, without_limits
from opencode.modules.ai.errors import ConfigurationNotFound
from opencode.modules.ai.service.configuring import Loaded, key_sources, load
from opencode.modules.ai.service.providers import Providers
from opencode.modules.ai.service.storing import NOTHING_STORED, StoredLayer, Storing

log = structlog.get_logger(__name__)

TOPIC = "ai:configuration"
"""Where servers tell each other that stored providers or limits have changed."""
MOST_TOLD = 100
"""Mistakes of one refused configuration that are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """
    One configuration, and all that follows from it. Nothing in it changes.

    Attributes:
        version: counts the snapshots of this process; 0 is the one before anything was loaded.
        digest: the same on all servers of a deployment that have the same configuration.
        answers_digest: the same for configurations that give the same answers: they differ in limits alone.
    """

    version: int
    digest: str
    answers_digest: str
    loaded: Loaded | None
    configuration: Configuration
    registry: Registry
    since: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """
    A configuration that changed nothing.

    Attributes:
        mistakes: each with its place, at most 100.
        count: of all of them.
    """

    mistakes: tuple[str, ...]
    count: int
    at: datetime


FileState = tuple[int, int, int] | None


class Live:
    def __init__(
        self, parts: Parts, places: Places, storing: Storing, providers: Providers, catalogue: Callable[[], Catalogue]
    ) -> None:
        self._parts = parts
        self.places = places
        self._storing = storing
        self._providers = providers
        self._catalogue = catalogue
        self._turn = asyncio.Lock()
        self._seen: dict[Path, FileState] = {}
        self._in_force: dict[Path, FileState] = {}
        self._stored: StoredLayer = NOTHING_STORED
        self._listening: asyncio.Task[None] | None = None
        self.refused: Refused | None = None
        nothing = Configuration()
        self.current = Snapshot(0, "", "", None, nothing, Registry(nothing, Catalogue(), {}), parts.clock.now())
        self.on_swap: Callable[[Snapshot], None] = lambda _snapshot: None
        providers.on_discovery = self._with_discovered

    async def start(self) -> None:
        """Load what there is. A configuration with mistakes keeps nobody from starting."""
        await self._storing.reseal()
        listening = asyncio.Event()
        self._listening = asyncio.create_task(self._listen(listening))
        await listening.wait()
        await self.reload()

    async def stop(self) -> None:
        if self._listening:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def look(self) -> None:
        """Load again if a file has changed, and is not changing still."""
        state = await asyncio.to_thread(self._state)
        is_steady, self._seen = state == self._seen, state
        if is_steady and state != self._in_force:
            await self.reload()

    async def look_at_stored(self) -> None:
        """Load again if what is stored has changed, for when nobody was heard to say so."""
        if await self._storing.stamp() != self._stored.stamp:
            await self.reload()

    async def tell_others(self) -> None:
        """Load again, here and on every other server."""
        await self.reload()
        await self._parts.pubsub.publish(TOPIC, b"")

    async def reload(self) -> None:
        """Load everything; what is good is in force afterwards, and what is not has changed nothing."""
        async with self._turn:
            # Before the files are read: a change while they are read is seen the next time.
            before = await asyncio.to_thread(self._state)
            self._stored = await self._storing.layer()
            try:
                stored = self._stored
                loaded = await asyncio.to_thread(load, self.places, stored.providers, said_by(stored.limits))
            except ConfigurationNotFound as error:
                self._seen = self._in_force = before
                self._refuse((error.detail,))
                return
            self._in_force = {**before, **{path: _state_of(path) for path in loaded.secret_files - before.keys()}}
            self._seen = self._in_force
            if loaded.checked.problems or loaded.checked.configuration is None:
                self._refuse(tuple(map(str, loaded.checked.problems)))
                return
            self.refused = None
            metrics.AI_RELOADS.labels("good").inc()
            if (digest := self._digest(loaded.checked.configuration)) != self.current.digest:
                self._publish(loaded, loaded.checked.configuration, digest)

    def notices(self) -> dict[str, str]:
        """What keeps AI from doing all that it is configured for."""
        told: dict[str, str] = {}
        if self.refused:
            still = "the one before stays in force" if self.current.version else "there is no AI until it is corrected"
            count = f"{self.refused.count} mistakes" if self.refused.count > 1 else "a mistake"
            # Places of mistakes are for administrators; anybody may read what a server says of its readiness.
            told["ai configuration"] = f"has {count}, and {still}; `ocp ai check` tells what to correct"
        for name in self._stored.unreadable:
            told[f"ai provider {name}"] = "its stored key cannot be opened; it has to be given again"
        for name in self.current.loaded.hidden if self.current.loaded else ():
            told[f"ai provider {name}"] = "is stored, and passed over: a file has a provider of this name"
        return {**self._providers.notices(), **told}

    async def _listen(self, listening: asyncio.Event) -> None:
        async with self._parts.pubsub.subscribe(TOPIC) as changes:
            listening.set()
            async for _ in changes:
                with contextlib.suppress(Exception):
                    await self.look_at_stored()

    def _refuse(self, mistakes: tuple[str, ...]) -> None:
        told = mistakes[:MOST_TOLD]
        if self.refused is None or self.refused.mistakes != told:
            log.error("ai configuration is refused", mistakes=list(told[:10]), count=len(mistakes))
        metrics.AI_RELOADS.labels("refused").inc()
        self.refused = Refused(told, len(mistakes), self._parts.clock.now())

    def _publish(self, loaded: Loaded, configuration: Configuration, digest: str) -> None:
        # What was found out about a provider that is another one now is forgotten before it gets into the snapshot.
        self._providers.follow(upstreams_of(configuration, key_sources(loaded)))
        registry = self._registry(loaded, configuration)
        of_answers = self._digest(without_limits(configuration))
        version = self.current.version + 1
        self._swap(Snapshot(version, digest, of_answers, loaded, configuration, registry, self._now()))
        if self.current.version == 1 and not configuration.providers:
            return
        log.info(
            "ai configuration is in force",
            version=self.current.version,
            digest=digest,
            providers=len(configuration.providers),
        )

    def _with_discovered(self) -> None:
        now = self.current
        if now.loaded is None:
            return
        registry = self._registry(now.loaded, now.configuration)
        self._swap(replace(now, version=now.version + 1, registry=registry, since=self._now()))

    def _swap(self, snapshot: Snapshot) -> None:
        self.current = snapshot
        self.on_swap(snapshot)

    def _registry(self, loaded: Loaded, configuration: Configuration) -> Registry:
        catalogue = self._catalogue() if configuration.providers else Catalogue()
        return Registry(configuration, catalogue, self._providers.discovered, key_sources(loaded))

    def _now(self) -> datetime:
        return self._parts.clock.now()

    def _digest(self, configuration: Configuration) -> str:
        raw = msgspec.json.encode(configuration, order="deterministic")
        # Keyed: a plain digest would tell whoever sees it when a guess at a short key is right.
        return self._parts.signer.derive(f"ai.configuration {hashlib.sha256(raw).hexdigest()}").hex()[:32]

    def _state(self) -> dict[Path, FileState]:
        extra: Collection[Path] = self._in_force.keys()
        return {path: _state_of(path) for path in (*candidates(self.places), *extra)}


def _state_of(path: Path) -> FileState:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
