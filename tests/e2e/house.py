"""The server that browsers talk to, and the people's doings that a test takes for granted."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.ocp import PASSWORD, Server, serving

INTERVIEWER = "Grace Hopper"
EMAIL = "grace@example.org"
# One address stands for many people here, so what guards against guessing must not stop them.
MANY_PEOPLE = {
    "OCP_JOIN_ATTEMPTS_PER_MINUTE": "10000",
    "OCP_SIGN_IN_ATTEMPTS_PER_MINUTE": "10000",
    "OCP_REGISTRATION": "open",
    "OCP_WEBHOOKS_TO_PRIVATE_NETWORKS": "1",
}


@dataclass(slots=True)
class House:
    """A server that can be killed and started again on its port and its data."""

    data: Path
    settings: dict[str, str]
    server: Server = field(init=False)
    _running: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return self.server.url

    def start(self) -> None:
        """Start it, the second time on the port of the first."""
        port = httpx.URL(self.url).port or 0 if hasattr(self, "server") else 0
        self.server = self._running.enter_context(serving(self.data, settings=self.settings, port=port))

    def kill(self) -> None:
        """SIGKILL: no farewell, nothing flushed."""
        self._running.close()


@dataclass(slots=True)
class Office:
    """An interviewer who gets things done without a browser."""

    client: httpx.AsyncClient

    @classmethod
    async def opened(cls, url: str, email: str, name: str) -> "Office":
        """Make an account of its own."""
        office = cls(httpx.AsyncClient(base_url=url, headers={"origin": url}, timeout=30))
        await office.post("auth/register", email=email, password=PASSWORD, display_name=name)
        return office

    @property
    def session(self) -> str:
        return self.client.cookies["ocp_session"]

    async def post(self, path: str, **body: Any) -> Any:
        return _answer(await self.client.post(f"/api/v1/{path}", json=body))

    async def patch(self, path: str, **body: Any) -> Any:
        return _answer(await self.client.patch(f"/api/v1/{path}", json=body))

    async def get(self, path: str) -> Any:
        return _answer(await self.client.get(f"/api/v1/{path}"))

    async def interview(self, title: str = "Backend engineer", language: str = "python") -> dict[str, Any]:
        """A live interview."""
        created = await self.post("interviews", title=title, language=language)
        return await self.post(f"interviews/{created['id']}/start")

    async def candidate(self, interview: dict[str, Any], name: str, *, admitted: bool) -> dict[str, Any]:
        """A seat for somebody: `{interview_id, participant, token}`."""
        seat = await self.post("join", code=interview["code"], name=name)
        if admitted:
            await self.decide(seat, "admit")
        return seat

    async def decide(self, seat: dict[str, Any], verdict: str) -> None:
        await self.post(f"interviews/{seat['interview_id']}/participants/{seat['participant']['id']}/{verdict}")

    async def code(self, interview: dict[str, Any], language: str = "python") -> str:
        """The text that the server holds."""
        export = await self.export(interview)
        return export["code"][interview["code"]][language]["content"]

    async def export(self, interview: dict[str, Any]) -> dict[str, Any]:
        return await self.get(f"interviews/{interview['id']}/export")


def _answer(response: httpx.Response) -> Any:
    assert response.is_success, f"{response.request.url}: {response.status_code} {response.text}"
    return response.json() if response.content else None
