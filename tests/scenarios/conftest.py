"""What is promised here is kept on the event loop that the product runs on."""

from collections.abc import AsyncIterator, Iterator

import pytest
import uvloop

from tests.scenarios.client import Desk
from tests.scenarios.processes import ServerProcess, running_server


def pytest_asyncio_loop_factories() -> dict[str, object]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of documents in a process of its own, shared by the tests of a file."""
    with running_server(tmp_path_factory.mktemp("documents"), "--room-idle-s", "1", "--ticket-s", "5") as server:
        yield server


@pytest.fixture
async def desk(server: ServerProcess) -> AsyncIterator[Desk]:
    desk = Desk(server.port)
    yield desk
    await desk.close()
