"""Clients that run in a process of their own, mostly in Node, and are spoken to through a pipe."""

import asyncio
import itertools
import json
import os
import subprocess
import threading
from collections.abc import Generator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.scenarios.processes import ROOT, node

HERE = Path(__file__).parent
PATIENCE_S = 60.0


class ClientFailed(Exception):
    """
    What a client threw.

    Attributes:
        name: of the error's class.
        status: of the answer, where there was one.
        kind: what the dialect calls the type of a failure.
        code: likewise.
    """

    def __init__(
        self, name: str, message: str, status: int | None = None, kind: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.status, self.kind, self.code = name, status, kind, code


class PipedClients:
    """Calls the operations of a script; many may be under way at once."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        assert process.stdout
        self._to, self._from = process.stdin, process.stdout
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def __call__(self, op: str, **parameters: Any) -> Any:
        """
        Call an operation and wait for its answer.

        Raises:
            ClientFailed
        """
        return self._begin(op, parameters)[1].result(PATIENCE_S)

    async def call(self, op: str, **parameters: Any) -> Any:
        """The same for who waits for other things as well; to cancel it gives the call up there, too."""
        number, future = self._begin(op, parameters)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), PATIENCE_S)
        except asyncio.CancelledError:
            self._send({"leave": number})
            raise

    def _begin(self, op: str, parameters: dict[str, Any]) -> tuple[int, Future[Any]]:
        number = next(self._numbers)
        future = self._waiting[number] = Future[Any]()
        self._send({"id": number, "op": op, **parameters})
        return number, future

    def _send(self, message: dict[str, Any]) -> None:
        self._to.write(json.dumps(message) + "\n")
        self._to.flush()

    def _read(self) -> None:
        for line in self._from:
            answer = json.loads(line)
            future = self._waiting.pop(answer["id"])
            # Who has given a call up waits no more, and this keeps it from being given up from here on.
            if not future.set_running_or_notify_cancel():
                continue
            if "error" in answer:
                future.set_exception(ClientFailed(**answer["error"]))
            else:
                future.set_result(answer["result"])
        for future in self._waiting.values():
            future.set_exception(RuntimeError("the process of the clients has ended"))


@contextmanager
def running_clients(script: str) -> Generator[PipedClients]:
    """
    Args:
        script: its name in this folder.
    """
    subprocess.run(["make", "--silent", "tests/clients/node_modules/installed"], cwd=ROOT, check=True)
    with speaking_to(node(), HERE / script) as clients:
        yield clients


@contextmanager
def speaking_to(*words: str | Path, environment: Mapping[str, str] | None = None) -> Generator[PipedClients]:
    """
    Args:
        words: a program that speaks as `pipe.mjs` does.
        environment: beyond that of this process.
    """
    pipe, env = subprocess.PIPE, {**os.environ, **(environment or {})}
    with subprocess.Popen(words, cwd=HERE, env=env, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield PipedClients(process)
        finally:
            process.kill()
