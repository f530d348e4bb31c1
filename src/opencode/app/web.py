"""
The web UI: files that SvelteKit built, compressed twins when the browser takes them, and the page itself for every
address that is not a file, so that links into the application work.
"""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from litestar import MediaType, Request, Response, route
from litestar.enums import HttpMethod
from litestar.types import ControllerRouterHandler

from opencode.kernel.errors import NotFound

_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_FOREVER = "public, max-age=31536000, immutable"
_RESERVED = ("/api/", "/_app/", "/ai/", "/docs", "/metrics", "/health", "/ready", "/openapi.json")
_PAGE = "200.html"


@dataclass(frozen=True, slots=True)
class WebFile:
    """A built file in memory: its bytes by content coding, and what to say about it."""

    bodies: dict[str, bytes]
    media_type: str
    etag: str
    cache_control: str


def web_folder() -> Path:
    """Where the built UI is: inside an installed package, or `web/build` of a checkout."""
    installed = Path(__file__).parents[1] / "web_build"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "web" / "build"


def load_web_files(folder: Path) -> dict[str, WebFile]:
    """Every file of the build by its address. They are a few megabytes and are read once."""
    files: dict[str, WebFile] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix in {".br", ".gz"}:
            continue
        address = "/" + path.relative_to(folder).as_posix()
        plain = path.read_bytes()
        bodies = {"identity": plain}
        for encoding, suffix in _ENCODINGS:
            twin = path.with_name(path.name + suffix)
            if twin.exists():
                bodies[encoding] = twin.read_bytes()
        files[address] = WebFile(
            bodies=bodies,
            media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            etag=f'"{hashlib.sha256(plain).hexdigest()[:32]}"',
            cache_control=_FOREVER if address.startswith("/_app/immutable/") else "no-cache",
        )
    return files


def web_routes() -> list[ControllerRouterHandler]:
    """The handler for everything that is not the API."""
    files = load_web_files(web_folder())

    @route(
        ["/", "/{path:path}"],
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        include_in_schema=False,
        media_type=MediaType.HTML,
    )
    async def serve(request: Request) -> Response[bytes]:  # pyright: ignore[reportMissingTypeArgument]
        path = request.url.path
        file = files.get(path)
        if file is None and _is_page(path, request.headers.get("accept", "")):
            file = files.get(f"/{_PAGE}")
            if file is None:
                raise NotFound("The web interface is not built.", action="Run make run, which builds it.")
        if file is None:
            raise NotFound(f"There is nothing at {path}.", action="Check the address; /docs lists every call.")
        return answer_with(file, request.headers.get("accept-encoding", ""), request.headers.get("if-none-match", ""))

    return [serve]


def answer_with(file: WebFile, accept_encoding: str, if_none_match: str) -> Response[bytes]:
    """The best coding that the browser takes; 304 when it has the file already (RFC 9110 §13.1.2)."""
    headers = {"etag": file.etag, "cache-control": file.cache_control, "vary": "accept-encoding"}
    if file.etag in if_none_match:
        return Response(b"", status_code=304, headers=headers)
    accepted = {word.split(";")[0].strip() for word in accept_encoding.split(",") if "q=0" not in word.replace(" ", "")}
    for encoding, _ in _ENCODINGS:
        if encoding in accepted and encoding in file.bodies:
            return Response(
                file.bodies[encoding],
                media_type=file.media_type,
                headers={**headers, "content-encoding": encoding},
            )
    return Response(file.bodies["identity"], media_type=file.media_type, headers=headers)


def _is_page(path: str, accept: str) -> bool:
    # A missing script must be 404 and never a page, or the browser tries to run HTML.
    return not path.startswith(_RESERVED) and ("text/html" in accept or "*/*" in accept)


