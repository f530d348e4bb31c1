"""A Node process with stock Yjs clients, and a server that they speak to."""

import itertools
import json
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.processes import ROOT, ServerProcess, node, running_server

HERE = Path(__file__).parent
STAY_S = 60.0


class NodeClients:
    """Calls an operation of `clients.mjs` and waits for its answer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._numbers = itertools.count(1)

    def __call__(self, op: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"id": number, "op": op, **parameters}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer["id"] == number:
                assert "error" not in answer, f"{op} {parameters}: {answer['error']}"
                return answer["result"]
        raise AssertionError("the Node process has ended")


@contextmanager
def running_clients() -> Generator[NodeClients]:
    subprocess.run(["make", "--silent", "tests/clients/node_modules/installed"], cwd=ROOT, check=True)
    words = [node(), HERE / "clients.mjs"]
    with subprocess.Popen(words, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield NodeClients(process)
        finally:
            process.kill()


@pytest.fixture(scope="session")
def node_clients() -> Iterator[NodeClients]:
    with running_clients() as clients:
        yield clients


@pytest.fixture(scope="session")
def document_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("documents")) as server:
        yield server


@pytest.fixture(scope="session")
def lonely_since(node_clients: NodeClients, document_server: ServerProcess) -> float:
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
