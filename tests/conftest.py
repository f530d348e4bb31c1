"""What every test can ask for: real databases, a real Redis, a clock that stands still, the parts of a module."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer

from opencode.app.migrate import migrate
from opencode.infra.cache import Cache
from opencode.infra.db import Database
from opencode.infra.plugs import Parts
from opencode.infra.pubsub import MemoryPubSub
from opencode.infra.security import MemoryRateLimiter, Signer
from opencode.kernel.clock import ManualClock
from tests.databases import PostgresDatabases, statements_of_all_tests
from tests.http import applications_of_one_test
from tests.servers import RedisServer, running_postgres, running_redis
from tests.sharing import GroupScheduling, in_order_of_start

# Plain lines: drawing a failure with frames and colours takes longer than most tests.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])

# How long an example takes says how busy the machine is, and nothing about what is tested.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

PUBLIC_URL = "http://opencode.test"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling:
    config.option.loadscopereorder = False  # the order is that of `in_order_of_start`
    return GroupScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items[:] = in_order_of_start(items)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresDatabases]:
    """The databases of the run's PostgreSQL, which is started by the first test that asks."""
    with running_postgres() as server:
        databases = PostgresDatabases(server)
        _in_own_loop(databases.prepare())
        yield databases


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The run's Redis. A test that stops it must start it again."""
    with running_redis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of the run's Redis, `unix://…`. It is shared: take topics and keys that nobody else takes."""
    return redis_server.url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    _in_own_loop(_migrated(f"sqlite+aiosqlite:///{folder / 'opencode.db'}"))
    return folder / "opencode.db"


@pytest.fixture(params=["sqlite", "postgres"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Runs a test once on each database. Override it in a module to pin one: `@pytest.fixture def database_kind`."""
    return request.param


@pytest.fixture
async def database(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A fresh database with the whole schema."""
    if database_kind == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "opencode.db")
        database = Database.in_folder(tmp_path)
        with statements_of_all_tests(database):
            yield database
        await database.close()
    else:
        databases: PostgresDatabases = request.getfixturevalue("postgres")
        database = Database(await databases.migrated())
        with statements_of_all_tests(database):
            yield database
        await database.close()
        await databases.give_back(database.url)


@pytest.fixture(autouse=True)
def applications_go_on_to_the_next() -> Iterator[None]:
    with applications_of_one_test():
        yield


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def parts(database: Database, clock: ManualClock) -> Parts:
    """What `build` of a module takes, with everything in this process."""
    pubsub = MemoryPubSub()
    return Parts(
        database=database,
        clock=clock,
        pubsub=pubsub,
        cache=Cache(clock, pubsub),
        limiter=MemoryRateLimiter(clock),
        signer=Signer(b"a key of thirty-two bytes, no less"),
        wake_relay=lambda: None,
        public_url=lambda: PUBLIC_URL,
    )


async def _migrated(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()


def _in_own_loop(work: Coroutine[Any, Any, None]) -> None:
    # Fixtures of the whole run have no event loop of their own, and must not touch that of a test.
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, work).result()
