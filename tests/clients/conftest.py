"""A Node process with stock Yjs clients, and a server that they speak to."""

import time
from collections.abc import Iterator

import pytest

from tests.clients.piped import PipedClients, running_clients
from tests.scenarios.processes import ServerProcess, running_server

STAY_S = 60.0


@pytest.fixture(scope="session")
def node_clients() -> Iterator[PipedClients]:
    with running_clients("documents.mjs") as clients:
        yield clients


@pytest.fixture(scope="session")
def document_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("documents")) as server:
        yield server


@pytest.fixture(scope="session")
def lonely_since(node_clients: PipedClients, document_server: ServerProcess) -> float:
    """Two people have been alone in a document each since then; the rest of the run goes on meanwhile."""
    for version in (2, 3):
        room = document_server.create()
        ticket = document_server.ticket(room, f"usr_lonely{version}")
        name, url = f"lonely {version}", document_server.sockets_url
        node_clients("open", name=name, version=version, url=url, room=room, ticket=ticket)
        node_clients("synced", name=name)
    return time.monotonic()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who waits a minute waits last, when most of the minute has passed anyway."""
    items.sort(key=lambda item: "lonely" in item.name)
