"""
The same catalogue behind a real server: requests come when they come, whether earlier ones are answered or not, and
each is timed from the moment at which it was due.
"""

import asyncio
import json
import random
import re
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlencode

import httpx

from benchmarks.collaboration.ours import API, Ours
from benchmarks.collaboration.statistics import Figures, percentile
from benchmarks.execution.wire import Connection, connected, encoded
from benchmarks.marketplace.catalogue import SEED
from benchmarks.marketplace.kept import Kept
from benchmarks.marketplace.queries import labels_of, mixed
from opencode.modules.marketplace.domain.catalog import Listing, Search
from opencode.modules.marketplace.domain.project import MAX_SUMMARY
from opencode.modules.marketplace.domain.ranking import STAR_WEIGHT

SEARCHES_PER_S = 200
ACTS_PER_S = 3_000
CONNECTIONS = 64
_LINES = 100_000  # of one import
_PROJECTS = f"{API}/projects"
_POLL_S = 0.2
_SOON_S = 0.05
_BETWEEN_READS_S = 0.01
_READS_ALONE = 300
_NOT_IN_TAGS = re.compile(r"[^a-z0-9]+")


class Served(Ours):
    """Ours, filled by its bulk door; with a folder that is kept, only when that is not filled yet."""

    def __init__(self, kept: Kept | None = None) -> None:
        super().__init__()
        self._kept = kept
        self._published: list[str] = []

    @property
    def folder(self) -> Path:
        return self._kept.folder if self._kept else super().folder

    def command(self) -> tuple[list[str | Path], dict[str, str]]:
        command, environment = super().command()
        return [*command], {
            **environment,
            "OCP_MODULES": "identity,marketplace",
            "OCP_PROJECT_WRITES_PER_MINUTE": "100000",
        }

    async def open(self, listings: Sequence[Listing]) -> float | None:
        """Start it with all of these to be found; how long it took to import them, or None when they were there."""
        kept = self._kept
        if kept:
            if not kept.is_filled:
                kept.begin()
            self._password = kept.password
            await asyncio.to_thread(self._migrate)
        await self.start(pinned=False)
        if kept and kept.is_filled:
            await asyncio.to_thread(self._read_through)
            await self._until_searchable()
            return None
        filled_s = await self._fill(listings)
        if kept:
            kept.finish(filled_s)
        return filled_s

    def _migrate(self) -> None:
        """By a command of its own: among a million projects it may take longer than a start has."""
        program = Path(sys.executable).parent / "ocp"
        subprocess.run([program, "migrate", "--data", self.folder / "data"], check=True, stdout=subprocess.DEVNULL)

    def _read_through(self) -> None:
        """Read the database once: of a folder that nobody has used for a while the kernel has nothing in memory."""
        with (self.folder / "data" / "opencode.db").open("rb") as file:
            while file.read(1 << 24):
                pass

    async def publish(self, title: str, **fields: object) -> str:
        """A project that is there until `tidy`; its slug."""
        body = {"title": title, "status": "published", **fields}
        slug = (await self.call("POST", _PROJECTS, body))["slug"]
        self._published.append(slug)
        return slug

    async def tidy(self) -> None:
        """Delete what was published for measuring, so that a kept catalogue is the next time what it was."""
        while self._published:
            await self.call("DELETE", f"{_PROJECTS}/{self._published.pop()}")

    async def restart(self) -> float:
        """Stop it and start it again; how long it takes from the start until a search is answered, in seconds."""
        await self.stop()
        began = time.perf_counter()
        await self.start(pinned=False)
        await self._until_searchable()
        return time.perf_counter() - began

    async def _until_searchable(self) -> None:
        while True:
            try:
                await self.call("GET", f"{_PROJECTS}?limit=1")
            except httpx.HTTPStatusError as error:
                if error.response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                    raise
                await asyncio.sleep(_SOON_S)
            else:
                return

    async def _fill(self, listings: Sequence[Listing]) -> float:
        """Import them all; how long it took, in seconds."""
        began = time.perf_counter()
        for start in range(0, len(listings), _LINES):
            lines = b"\n".join(json.dumps(_line(each)).encode() for each in listings[start : start + _LINES])
            assert self._interviewer is not None, "start() comes first"
            sent = await self._interviewer.post(f"{_PROJECTS}/import", content=lines)
            sent.raise_for_status()
            job = sent.json()
            while job["state"] == "running":
                await asyncio.sleep(_POLL_S)
                job = await self.call("GET", f"{_PROJECTS}/import/{job['id']}")
            if job["state"] != "done" or job["refused"]:
                raise RuntimeError(f"the import was not taken: {job | {'refusals': job['refusals'][:3]}}")
        return time.perf_counter() - began


async def searching(server: Served, listings: Sequence[Listing], seconds: float) -> Figures:
    """
    The mixed load at `SEARCHES_PER_S`, and what anybody else waits meanwhile for a plain answer; processor and memory
    of the server with all of its processes.
    """
    chance = random.Random(SEED + 4)
    count = int(seconds * SEARCHES_PER_S)
    requests = [encoded("GET", f"{_PROJECTS}?{_query(mixed(chance, listings))}") for _ in range(count)]
    plain = encoded("GET", "/health")
    async with _pool(server.port) as free, connected(server.port) as bystander:
        await _paced(free, requests[: SEARCHES_PER_S * 2], SEARCHES_PER_S)
        used_ns = server.running.cpu_ns()
        searches = asyncio.ensure_future(_paced(free, requests, SEARCHES_PER_S))
        beside: list[float] = []
        while not searches.done():
            await asyncio.sleep(_BETWEEN_READS_S)
            beside.append(await _timed(bystander, plain))
    return {
        "per_s": SEARCHES_PER_S,
        **_spread(await searches),
        "processor_mean_ms": (server.running.cpu_ns() - used_ns) / count / 1e6,
        **{f"others_{name}": value for name, value in _spread(beside).items()},
        "resident_mb": server.running.resident_bytes() / 1e6,
    }


async def hot(server: Served, seconds: float) -> Figures:
    """
    One project that everybody stars, looks at and downloads: how much of that there can be, and what reading another
    project costs beside `ACTS_PER_S` of it.
    """
    repository = "https://git.example.org/bench/one"
    slugs = [await server.publish(title, repository_url=repository) for title in ("Hot", "Quiet")]
    before = await server.call("GET", f"{_PROJECTS}/{slugs[0]}")
    with ProcessPoolExecutor(1, get_context("spawn")) as crowd:

        def acting(per_s: int | None) -> asyncio.Future[int]:
            loop = asyncio.get_running_loop()
            return loop.run_in_executor(crowd, _crowd, server.port, slugs[0], seconds, per_s)

        most = await acting(None)
        alone, beside, paced = await _read_beside(server.port, slugs[1], acting)
    after = await server.call("GET", f"{_PROJECTS}/{slugs[0]}")
    counted = sum(after[name] - before[name] for name in ("downloads", "views"))
    return {
        "most_acts_per_s": most / seconds,
        "acts_per_s": paced / seconds,
        "lost": most + paced - counted,
        "read_alone_ms": percentile(alone, 50) * 1e3,
        "read_beside_ms": percentile(beside, 50) * 1e3,
        "reads_times": percentile(beside, 50) / percentile(alone, 50),
    }


async def _read_beside(
    port: int, slug: str, acting: Callable[[int], asyncio.Future[int]]
) -> tuple[list[float], list[float], int]:
    """
    Reads of one project before others act on another one, and meanwhile; and how much those did. Both at the same pace:
    what is read without a pause is quicker by a third, since nothing has to be woken up for it.
    """
    quiet = encoded("GET", f"{_PROJECTS}/{slug}", headers={"User-Agent": "reader"})
    async with connected(port) as reader:

        async def read() -> float:
            await asyncio.sleep(_BETWEEN_READS_S)
            return await _timed(reader, quiet)

        alone = [await read() for _ in range(_READS_ALONE)]
        crowd = acting(ACTS_PER_S)
        beside: list[float] = []
        while not crowd.done():
            beside.append(await read())
    return alone, beside, crowd.result()


def _crowd(port: int, slug: str, seconds: float, per_s: int | None) -> int:
    """`_everybody` in a process of its own: what it takes to be a crowd is no waiting of others."""
    return asyncio.run(_everybody(port, slug, seconds, per_s=per_s))


async def visible(server: Served, times: int) -> Figures:
    """From sending a publication until another visitor's search finds it."""
    durations: list[float] = []
    async with connected(server.port) as visitor:
        for number in range(times):
            # By chance: in a folder that is kept, one of an earlier run that broke off would be found too early.
            name = f"zq{number}x{secrets.token_hex(5)}"
            began = time.perf_counter()
            await server.publish(name)
            while not (await visitor.ask(encoded("GET", f"{_PROJECTS}?q={name}")))["total"]:
                await asyncio.sleep(0.005)
            durations.append(time.perf_counter() - began)
    return _spread(durations)


async def _everybody(port: int, slug: str, seconds: float, *, per_s: int | None) -> int:
    """
    Downloads and looks of different people; how many were answered.

    Args:
        per_s: so many in all, evenly spread; without it as many as there can be.
    """
    began = time.perf_counter()
    answered = 0

    async def person(number: int) -> None:
        nonlocal answered
        async with connected(port) as connection:
            at = 0
            while time.perf_counter() < began + seconds:
                if per_s:
                    due = began + (at * CONNECTIONS + number) / per_s
                    await asyncio.sleep(due - time.perf_counter())
                at += 1
                if at % 2:
                    key = {"Idempotency-Key": f"{began}-{number}-{at}"}
                    await connection.ask(encoded("POST", f"{_PROJECTS}/{slug}/downloads", headers=key))
                else:
                    agent = {"User-Agent": f"person {began} {number} {at}"}
                    await connection.ask(encoded("GET", f"{_PROJECTS}/{slug}", headers=agent))
                answered += 1

    await asyncio.gather(*(person(number) for number in range(CONNECTIONS)))
    return answered


@asynccontextmanager
async def _pool(port: int) -> AsyncGenerator[asyncio.Queue[Connection]]:
    free: asyncio.Queue[Connection] = asyncio.Queue()
    opened = [connected(port) for _ in range(CONNECTIONS)]
    for each in opened:
        free.put_nowait(await each.__aenter__())
    try:
        yield free
    finally:
        for each in opened:
            await each.__aexit__(None, None, None)


async def _paced(free: asyncio.Queue[Connection], requests: Sequence[bytes], per_s: int) -> list[float]:
    began = time.perf_counter()

    async def one(number: int) -> float:
        due = began + number / per_s
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        connection = await free.get()
        try:
            await connection.ask(requests[number])
        finally:
            free.put_nowait(connection)
        return time.perf_counter() - due

    return list(await asyncio.gather(*(one(number) for number in range(len(requests)))))


async def _timed(connection: Connection, request: bytes) -> float:
    began = time.perf_counter()
    await connection.ask(request)
    return time.perf_counter() - began


def _spread(durations: Sequence[float]) -> Figures:
    return {f"p{percent}_ms": percentile(list(durations), percent) * 1e3 for percent in (50, 95, 99)}


def _query(search: Search) -> str:
    asked = [("q", search.text), ("sort", search.order.value), ("limit", str(search.limit))]
    return urlencode(asked + labels_of(search))


def _line(listing: Listing) -> dict[str, object]:
    popularity = listing.standing.popularity if listing.standing else 0.0
    stars = int(popularity // STAR_WEIGHT // 100)
    return {
        "title": listing.title,
        "summary": listing.summary[:MAX_SUMMARY],
        "owner": listing.owner,
        "technologies": listing.technologies,
        "tags": [_NOT_IN_TAGS.sub("-", tag.lower()).strip("-") for tag in listing.tags],
        "license": listing.license or None,
        "price": None if listing.is_free else {"amount_minor": 900, "currency": "EUR"},
        "stars": stars,
        "downloads": int(popularity - STAR_WEIGHT * stars),
        "created_at": datetime.fromtimestamp(listing.created_at / 1e6, UTC).isoformat(),
        "updated_at": min(datetime.fromtimestamp(listing.updated_at / 1e6, UTC), datetime.now(UTC)).isoformat(),
    }
