"""One server for all tests that only ask it something."""

from collections.abc import Iterator

import httpx
import pytest

from tests.ocp import Server, register, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on an empty folder, with somebody registered. A body may take a second to arrive."""
    settings = {"OCP_BODY_S": "1", "OCP_SIGN_IN_ATTEMPTS_PER_MINUTE": "1000", "OCP_LOG_FORMAT": "json"}
    with serving(tmp_path_factory.mktemp("server") / "data", settings=settings) as running:
        with running.client() as first:
            assert register(first).status_code == 201
        yield running


@pytest.fixture
def person(server: Server) -> Iterator[httpx.Client]:
    """Somebody who is not signed in."""
    with server.client() as client:
        yield client
