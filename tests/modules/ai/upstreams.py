"""A provider on loopback that speaks all three dialects, and fails in the ways that providers do."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.modules.ai.saying import (
    WORDS,
    anthropic_answer,
    anthropic_pieces,
    ollama_answer,
    ollama_pieces,
    openai_answer,
    openai_pieces,
    said_to,
)

KEY = "sk-of-the-mock"
MODELS = ("small", "large")


class Mode(StrEnum):
    FINE = "fine"
    REFUSES_KEY = "401"
    HANGS = "takes the connection and says nothing"
    FAILS = "500"
    BUSY = "429 with Retry-After"
    NOT_JSON = "a page for people"
    ENDLESS = "an answer without an end"
    REDIRECTS = "sends callers elsewhere"
    CUTS = "breaks off in the middle of a stream"
    BABBLES = "says one word again and again"


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class MockUpstream:
    """
    Attributes:
        mode: may be changed at any time.
        wants_key: whether calls without the right key get 401.
        prefix: what stands before the paths of OpenAI's dialect.
        models: those that it lists, in every dialect.
        pause: awaited before each piece of a stream.
        left: a caller went away before it was answered.
        vector: of a text, in OpenAI's dialect.
        words: what it says, where no JSON is wanted.
    """

    mode: Mode = Mode.FINE
    wants_key: bool = False
    prefix: str = "/v1"
    models: list[str] = field(default_factory=lambda: list(MODELS))
    seen: list[Seen] = field(default_factory=list[Seen])
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    pause: Callable[[], Any] = lambda: asyncio.sleep(0)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    vector: Callable[[str], list[float]] = lambda _text: [0.5, -0.25]
    words: tuple[str, ...] = WORDS
    port: int = 0

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        return self.root + self.prefix

    def count(self, path: str) -> int:
        return sum(each.path == path for each in self.seen)

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._noticing, self._in_its_mode])
        p = self.prefix
        app.add_routes(
            [
                web.get(f"{p}/models", self._openai_models),
                web.post(f"{p}/chat/completions", self._openai_chat),
                web.post(f"{p}/embeddings", self._openai_embeddings),
                web.post("/v1/messages", self._anthropic_messages),
                web.get("/api/tags", self._ollama_tags),
                web.post("/api/show", self._ollama_show),
                web.post("/api/chat", self._ollama_chat),
                web.post("/api/generate", self._ollama_generate),
                web.post("/api/embed", self._ollama_embed),
                web.post("/api/pull", self._ollama_pull),
                web.delete("/api/delete", self._ollama_delete),
            ]
        )
        return app

    @web.middleware
    async def _noticing(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except asyncio.CancelledError:
            self.left.set()
            raise

    @web.middleware
    async def _in_its_mode(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        raw = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(Seen(request.method, request.path, headers, json.loads(raw) if raw else None))
        self.arrived.set()
        match self.mode:
            case Mode.HANGS:
                await asyncio.Event().wait()
            case Mode.FAILS:
                return web.json_response({"error": {"message": "it broke"}}, status=500)
            case Mode.BUSY:
                return web.json_response({"error": {"message": "slower"}}, status=429, headers={"retry-after": "1"})
            case Mode.NOT_JSON:
                return web.Response(text="<html>Welcome</html>", content_type="text/html")
            case Mode.ENDLESS:
                return await self._endless(request)
            case Mode.REDIRECTS:
                return web.Response(status=302, headers={"location": f"{self.root}/elsewhere"})
            case _:
                pass
        if self.mode is Mode.REFUSES_KEY or (self.wants_key and not self._has_key(headers)):
            return web.json_response({"error": {"message": "no such key", "type": "invalid_api_key"}}, status=401)
        return await handler(request)

    def _has_key(self, headers: dict[str, str]) -> bool:
        return KEY in (headers.get("x-api-key"), headers.get("authorization", "").removeprefix("Bearer "))

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 1_000_000)

    async def _stream(self, request: web.Request, content_type: str, pieces: list[bytes]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": content_type})
        await response.prepare(request)
        for number, piece in enumerate(pieces):
            if self.mode is Mode.CUTS and number == len(pieces) // 2:
                assert request.transport
                request.transport.abort()
                return response
            await self.pause()
            await response.write(piece)
            while self.mode is Mode.BABBLES and number == len(pieces) // 2:
                await response.write(piece)
        return response

    # OpenAI.

    async def _openai_models(self, request: web.Request) -> web.Response:
        if "anthropic-version" in request.headers:
            data = [{"type": "model", "id": each, "display_name": each} for each in self.models]
            return web.json_response({"data": data, "has_more": False})
        data = [{"id": each, "object": "model", "created": 1, "owned_by": "mock"} for each in self.models]
        return web.json_response({"object": "list", "data": data})

    async def _openai_chat(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        model, said = asked["model"], said_to(asked, self.words)
        if not asked.get("stream"):
            return web.json_response(openai_answer(model, said))
        with_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
        return await self._stream(request, "text/event-stream", openai_pieces(model, said, with_usage=with_usage))

    async def _openai_embeddings(self, request: web.Request) -> web.Response:
        asked = await request.json()
        texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        data = [{"object": "embedding", "index": n, "embedding": self.vector(text)} for n, text in enumerate(texts)]
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        return web.json_response({"object": "list", "data": data, "model": asked["model"], "usage": usage})

    # Anthropic.

    async def _anthropic_messages(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        model, said = asked["model"], said_to(asked, self.words)
        if not asked.get("stream"):
            return web.json_response(anthropic_answer(model, said))
        return await self._stream(request, "text/event-stream", anthropic_pieces(model, said))

    # Ollama.

    async def _ollama_tags(self, request: web.Request) -> web.Response:
        models = [{"name": f"{each}:latest", "model": f"{each}:latest", "digest": f"d-{each}"} for each in self.models]
        return web.json_response({"models": models})

    async def _ollama_show(self, request: web.Request) -> web.Response:
        info = {"general.architecture": "llama", "llama.context_length": 131_072}
        return web.json_response({"model_info": info, "capabilities": ["completion", "tools", "insert"]})

    async def _ollama_chat(self, request: web.Request) -> web.StreamResponse:
        return await self._ollama_says(request, generate=False)

    async def _ollama_generate(self, request: web.Request) -> web.StreamResponse:
        return await self._ollama_says(request, generate=True)

    async def _ollama_says(self, request: web.Request, *, generate: bool) -> web.StreamResponse:
        asked = await request.json()
        model, said = asked["model"], said_to(asked, self.words)
        if asked.get("stream") is False:
            return web.json_response(ollama_answer(model, said, generate=generate))
        return await self._stream(request, "application/x-ndjson", ollama_pieces(model, said, generate=generate))

    async def _ollama_embed(self, request: web.Request) -> web.Response:
        asked = await request.json()
        texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        vectors = [[0.5, -0.25] for _ in texts]
        return web.json_response({"model": asked["model"], "embeddings": vectors, "prompt_eval_count": 3})

    async def _ollama_pull(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        lines: list[Json] = [
            {"status": "pulling manifest"},
            {"status": "pulling 1", "digest": "1", "total": 2, "completed": 1},
            {"status": "success"},
        ]
        self.models.append(asked["model"])
        pieces = [json.dumps(each).encode() + b"\n" for each in lines]
        return await self._stream(request, "application/x-ndjson", pieces)

    async def _ollama_delete(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["model"] not in self.models:
            return web.json_response({"error": "model not found"}, status=404)
        self.models.remove(asked["model"])
        return web.Response()


Json = dict[str, Any]


@asynccontextmanager
async def running_upstream(**how: Any) -> AsyncGenerator[MockUpstream]:
    """`async with running_upstream(mode=Mode.FAILS) as upstream`: a provider on a free port of loopback."""
    upstream = MockUpstream(**how)
    runner = web.AppRunner(upstream.application(), access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    upstream.port = runner.addresses[0][1]
    try:
        yield upstream
    finally:
        await runner.cleanup()
