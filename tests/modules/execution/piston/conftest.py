"""The Piston API, once for people with tokens and once open to everybody."""

from collections.abc import AsyncGenerator

import pytest

from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.execution.settings import PistonSettings

from .kit import World, on_a_port, piston_world


@pytest.fixture
def database_kind() -> str:
    """The API keeps nothing: one database is enough."""
    return "sqlite"


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> None:
    """No sandbox is made here, but by `test_engine`: there is nothing to look for after each test."""


@pytest.fixture
async def world(parts: Parts, clock: ManualClock) -> AsyncGenerator[World]:
    """Only for those who may run programs."""
    async with piston_world(parts, clock, PistonSettings()) as world:
        yield world


@pytest.fixture
async def open_world(parts: Parts, clock: ManualClock) -> AsyncGenerator[World]:
    """Open to everybody, without a limit."""
    async with piston_world(parts, clock, PistonSettings(piston_open=True, piston_open_runs_per_minute=0)) as world:
        yield world


@pytest.fixture
async def socket_world(open_world: World) -> AsyncGenerator[World]:
    """Open to everybody, on a port, with sockets."""
    async with on_a_port(open_world) as world:
        yield world
