"""
The web UI: files that SvelteKit built, compressed twins when the browser takes them, and the page itself for every
address that is not a file, so that links into the application work.
"""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.types import ControllerRouterHandler

from opencode.kernel.errors import NotFound

_CODINGS = (("br", ".br"), ("gzip", ".gz"))
_FOREVER = "public, max-age=31536000, immutable"
_RESERVED = ("/api/", "/_app/", "/ai/", "/feeds/", "/docs", "/metrics", "/health", "/ready", "/openapi.json")
_DOTTED = "/projects/"
_PAGE = "200.html"
# The page carries the rest of its policy, with the hashes of its scripts, in a meta element, which cannot say this.
_POLICY = "frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class WebFile:
    """A built file in memory: its bytes by content coding, and what to say about it."""

    bodies: dict[str, bytes]
    media_type: str
    etag: str  # weak: it is the same for every coding
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
        for coding, suffix in _CODINGS:
            twin = path.with_name(path.name + suffix)
            if twin.exists():
                bodies[coding] = twin.read_bytes()
        files[address] = WebFile(
            bodies=bodies,
            media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            etag=f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"',
            cache_control=_FOREVER if address.startswith("/_app/immutable/") else "no-cache",
        )
    return files


def web_routes() -> list[ControllerRouterHandler]:
    """The handler for everything that is not the API."""
    files = load_web_files(web_folder())

    @get(["/", "/{path:path}"], include_in_schema=False, media_type=MediaType.HTML)
    async def serve(request: Request[Any, Any, Any]) -> Response[bytes]:
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
    headers = {
        "etag": file.etag,
        "cache-control": file.cache_control,
        "vary": "accept-encoding",
        "content-security-policy": _POLICY,
    }
    if if_none_match == "*" or file.etag.removeprefix("W/") in if_none_match:
        return Response(b"", status_code=304, headers=headers)
    accepted = _accepted(accept_encoding)
    coding = next((coding for coding, _ in _CODINGS if coding in accepted and coding in file.bodies), "identity")
    if coding != "identity":
        headers["content-encoding"] = coding
    return Response(file.bodies[coding], media_type=file.media_type, headers=headers)


def _accepted(accept_encoding: str) -> set[str]:
    """The codings that a browser takes: those not given the weight 0 (RFC 9110 §12.5.3)."""
    accepted: set[str] = set()
    for word in accept_encoding.lower().split(","):
        coding, _, weight = word.replace(" ", "").partition(";q=")
        if weight.strip("0.") or not weight:
            accepted.add(coding)
    return accepted


def _is_page(path: str, accept: str) -> bool:
    # A missing script must be 404 and never a page, or the browser tries to run HTML. Only projects have a dot in their
    # names, which are `<handle>.<name>`.
    is_file = "." in path.rpartition("/")[2] and not path.startswith(_DOTTED)
    return not is_file and not path.startswith(_RESERVED) and ("text/html" in accept or "*/*" in accept)
