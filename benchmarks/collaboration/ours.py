"""
OpenCode as a contender: the only file of the benchmark that knows our API (docs/api.md, docs/protocol.md).

Measured is what `ocp serve` does by default: accounts, tickets, and an acknowledgement (`ocp.v1`) after each commit to
the database. Only the limits on guessing are raised, since all people come from one address.
"""

import json
import secrets
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from benchmarks.collaboration.contenders import Contender, Door
from benchmarks.collaboration.processes import HOST
from benchmarks.installing import NotInstalled

API = "/api/v1"
SUBPROTOCOL = "ocp.v1"
MANY = "100000"  # attempts a minute
EMAIL = "bench@example.org"
NOBODY = ""
REQUEST_LIMIT_S = 60.0

Json = dict[str, Any]


class Ours(Contender):
    """One server process on an empty data folder; one interviewer, who arranges all interviews."""

    name = "opencode"
    ready_path = "/ready"

    def __init__(self) -> None:
        super().__init__()
        self._password = secrets.token_urlsafe(16)
        self._interviewer: httpx.AsyncClient | None = None  # holds the session cookie
        self._anyone: httpx.AsyncClient | None = None

    def command(self) -> tuple[Sequence[str | Path], dict[str, str]]:
        program = Path(sys.executable).parent / "ocp"
        arguments = [program, "serve", "--host", HOST, "--port", str(self.port), "--data", self.folder / "data"]
        return arguments, {
            "OCP_ADMIN_EMAIL": EMAIL,
            "OCP_ADMIN_PASSWORD": self._password,
            "OCP_JOIN_ATTEMPTS_PER_MINUTE": MANY,
            "OCP_SIGN_IN_ATTEMPTS_PER_MINUTE": MANY,
        }

    async def prepare(self) -> None:
        if find_spec("opencode.app") is None:
            raise NotInstalled("the server is not part of this source tree")

    async def start(self, *, pinned: bool = True) -> float:
        seconds = await super().start(pinned=pinned)
        origin = f"http://{HOST}:{self.port}"
        self._interviewer, self._anyone = (
            httpx.AsyncClient(base_url=origin, headers={"Origin": origin}, timeout=REQUEST_LIMIT_S) for _ in range(2)
        )
        await self.call("POST", f"{API}/auth/login", {"email": EMAIL, "password": self._password})
        return seconds

    async def stop(self) -> None:
        for client in (self._interviewer, self._anyone):
            if client is not None:
                await client.aclose()
        self._interviewer = self._anyone = None
        await super().stop()

    async def rooms(self, count: int) -> Sequence["Interview"]:
        return [await self.interview(number) for number in range(count)]

    async def interview(self, number: int) -> "Interview":
        """A live interview with an empty Python document."""
        made = await self.call("POST", f"{API}/interviews", {"title": f"Interview {number}", "language": "python"})
        await self.call("POST", f"{API}/interviews/{made['id']}/start")
        return Interview(self, made["id"], made["document_id"], made["code"])

    async def call(self, method: str, path: str, body: Json | None = None, token: str | None = None) -> Json:
        """
        One request, as the interviewer, or with a token as its owner; an empty token belongs to nobody.

        Raises:
            httpx.HTTPStatusError: the answer is not a success; its text is added to the message.
        """
        client = self._interviewer if token is None else self._anyone
        assert client is not None, "start() comes first"
        headers = {"Authorization": f"Bearer {token}"} if token else None
        answer = await client.request(method, path, json=body, headers=headers)
        if answer.is_error:
            raise httpx.HTTPStatusError(
                f"{method} {path}: {answer.status_code} {answer.text[:300]}", request=answer.request, response=answer
            )
        return answer.json() if answer.content else {}

    @asynccontextmanager
    async def events(self, interview_id: str) -> AsyncGenerator[AsyncIterator[tuple[float, Json]]]:
        """The interview's event stream: (time of arrival, data) of each event."""
        assert self._interviewer is not None, "start() comes first"
        async with self._interviewer.stream("GET", f"{API}/interviews/{interview_id}/events") as answer:
            answer.raise_for_status()
            yield _events(answer)


@dataclass(frozen=True)
class Interview:
    """A room of ours. The first person is the interviewer, everyone else a candidate, who joins and is let in."""

    server: Ours
    id: str
    document_id: str
    code: str

    async def door(self, person: int) -> Door:
        token = await self._admitted_candidate() if person else None
        made = await self.server.call("POST", f"{API}/documents/{self.document_id}/tickets", token=token)
        path = f"{API}/documents/{self.document_id}?ticket={made['ticket']}"
        return Door(f"ws://{HOST}:{self.server.port}{path}", SUBPROTOCOL)

    async def run(self) -> str:
        """Run the document's text; the run's id."""
        return (await self.server.call("POST", f"{API}/interviews/{self.id}/runs", {}))["id"]

    async def _admitted_candidate(self) -> str:
        """The token of a candidate who has joined by code and been let in."""
        joined = await self.server.call("POST", f"{API}/join", {"code": self.code, "name": "Candidate"}, NOBODY)
        participant = joined["participant"]["id"]
        await self.server.call("POST", f"{API}/interviews/{self.id}/participants/{participant}/admit")
        return joined["token"]


async def _events(answer: httpx.Response) -> AsyncIterator[tuple[float, Json]]:
    async for line in answer.aiter_lines():
        if line.startswith("data:"):
            yield time.perf_counter(), json.loads(line.removeprefix("data:"))
