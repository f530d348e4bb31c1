"""
The web UI: files that SvelteKit built, compressed twins when the browser takes them, and the page itself for every
address that is not a file, so that links into the application work.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from litestar import MediaType, Request, Response, get
from litestar.types import ControllerRouterHandler

from opencode.app.public_pages import MOST_QUERY, STALE_S, PublicPages, Rendered, Shell, require_modest
from opencode.app.wiring import House
from opencode.infra.html import PageAddress, PageOffer
from opencode.kernel.errors import NotFound

_PLAIN = "identity"
_CODINGS = (("br", ".br"), ("gzip", ".gz"))
_FOREVER = "public, max-age=31536000, immutable"
_GATEWAY = ("/ai/v1/", "/ai/anthropic/", "/ai/ollama/")
_RESERVED = ("/api/", "/_app/", *_GATEWAY, "/feeds/", "/docs", "/metrics", "/health", "/ready", "/openapi.json")
_DOTTED = "/projects/"
_FOR_ROBOTS = """User-agent: *
Allow: /api/v1/projects
Allow: /api/v1/users
Disallow: /api/
Disallow: /ai
Disallow: /account
Disallow: /admin
Disallow: /interviews
Disallow: /join
"""
"""What the application of a public page asks for stays open: robots that run it would see an error in its place."""
_PAGE = "200.html"
# The page carries the rest of its policy, with the hashes of its scripts, in a meta element, which cannot say this.
_POLICY = "frame-ancestors 'none'"
_PICTURES = "img-src 'self' data:"
"""In that element, as `web/vite.config.ts` has it built."""


@dataclass(frozen=True, slots=True)
class WebFile:
    """A built file in memory: its bytes by content coding, and what to say about it."""

    bodies: dict[str, bytes]  # plain only where there is no form for gzip
    media_type: str
    etag: str  # weak: it is the same for every coding
    cache_control: str

    def plain(self) -> bytes:
        """The file as it was built. Unpacked for the few who take no compressed form: three megabytes less to keep."""
        kept = self.bodies.get(_PLAIN)
        return gzip.decompress(self.bodies["gzip"]) if kept is None else kept


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
        twins = {coding: path.with_name(path.name + suffix) for coding, suffix in _CODINGS}
        bodies = {coding: twin.read_bytes() for coding, twin in twins.items() if twin.exists()}
        if "gzip" not in bodies:
            bodies[_PLAIN] = plain
        files[address] = WebFile(
            bodies=bodies,
            media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            etag=_etag_of(plain),
            cache_control=_FOREVER if address.startswith("/_app/immutable/") else "no-cache",
        )
    return files


def with_pictures_of(hosts: Sequence[str], page: WebFile) -> WebFile:
    """
    The built page with a policy that lets browsers load pictures from these hosts as well, over HTTPS. It is one for
    all addresses: whoever goes from page to page in the application stays under the policy of the first.
    """
    built = page.plain().decode()
    if not hosts or _PICTURES not in built:
        return page
    sources = " ".join((_PICTURES, *(f"https://{host.lower()}" for host in hosts)))
    plain = built.replace(_PICTURES, sources, 1).encode()
    # Twins that were built with it still have the old policy, and Python brings no Brotli.
    return replace(page, bodies={"gzip": gzip.compress(plain, mtime=0)}, etag=_etag_of(plain))


def web_routes(house: House) -> list[ControllerRouterHandler]:
    """The handlers for everything that is not the API."""
    files = load_web_files(web_folder())
    if page := files.get(f"/{_PAGE}"):
        files[f"/{_PAGE}"] = with_pictures_of(house.settings.marketplace.marketplace_image_hosts, page)
    pages = _public_pages(files, house)

    @get(["/", "/{path:path}"], include_in_schema=False, media_type=MediaType.HTML)
    async def serve(request: Request[Any, Any, Any]) -> Response[bytes]:
        path, accept = request.url.path, request.headers.get("accept", "")
        file = files.get(path)
        if file is None and pages and _takes_pages(accept) and (offer := _offer(pages, request)):
            rendered = await pages.answer(offer, has_feeds=_has_feeds(request))
            accepted = _accepted(request.headers.get("accept-encoding", ""))
            return answer_with_page(rendered, accepted, request.headers.get("if-none-match", ""))
        if file is None and _is_page(path, accept):
            file = files.get(f"/{_PAGE}")
            if file is None:
                raise NotFound("The web interface is not built.", action="Run make run, which builds it.")
        if file is None:
            raise NotFound(f"There is nothing at {path}.", action="Check the address; /docs lists every call.")
        return answer_with(file, request.headers.get("accept-encoding", ""), request.headers.get("if-none-match", ""))

    @get("/robots.txt", include_in_schema=False, media_type=MediaType.TEXT, sync_to_thread=False)
    def robots() -> Response[str]:
        return Response(_words_for_robots(house), headers={"cache-control": "public, max-age=3600"})

    return [serve, robots]


def _public_pages(files: dict[str, WebFile], house: House) -> PublicPages | None:
    if (built := files.get(f"/{_PAGE}")) is None:
        return None
    html = built.plain().decode()
    shell = Shell(html, house.parts.public_url, indexable=house.settings.process.indexable)
    tag = f'W/"{shell.styles_path}"'
    files[shell.styles_path] = WebFile({_PLAIN: shell.styles}, "text/css", tag, _FOREVER)
    return PublicPages(shell, house.plugs, house.parts.cache)


def _offer(pages: PublicPages, request: Request[Any, Any, Any]) -> PageOffer | None:
    """
    Raises:
        Invalid: there is a page, and its query is longer than any that our pages make.
    """
    query = request.url.query
    pairs = parse_qsl(query[:MOST_QUERY], errors="replace")
    if offer := pages.offer(PageAddress(request.url.path, tuple(pairs))):
        require_modest(query)
    return offer


def _has_feeds(request: Request[Any, Any, Any]) -> bool:
    return any(route.path.startswith("/feeds/") for route in request.app.routes)


def _words_for_robots(house: House) -> str:
    """`robots.txt` (RFC 9309)."""
    if not house.settings.process.indexable:
        return "User-agent: *\nDisallow: /\n"
    has_sitemap = any(plug.name == "marketplace" for plug in house.plugs)
    return _FOR_ROBOTS + (f"\nSitemap: {house.parts.public_url()}/sitemap.xml\n" if has_sitemap else "")


def answer_with_page(page: Rendered, accepted: set[str], if_none_match: str) -> Response[bytes]:
    """A public page, for browsers and for caches in front of the server; 304 when they have it already."""
    kept = f"public, max-age=0, s-maxage={page.fresh_s}, stale-while-revalidate={STALE_S}"
    is_packed = "gzip" in accepted and bool(page.packed)
    # A strong tag is one of bytes, and those of another coding are others.
    etag = f'{page.etag[:-1]}-gzip"' if is_packed else page.etag
    headers = {
        "etag": etag,
        "cache-control": kept if page.fresh_s else "no-store",
        "vary": "accept-encoding",
        "content-security-policy": _POLICY,
    }
    if page.surrogate_keys:
        headers["surrogate-key"] = " ".join(page.surrogate_keys)
    if page.location:
        headers["location"] = page.location
    if page.retry_after_s is not None:
        headers["retry-after"] = str(page.retry_after_s)
    if page.status == 200 and _has(etag, if_none_match):
        return Response(b"", status_code=304, headers=headers)
    if is_packed:
        headers["content-encoding"] = "gzip"
    return Response(
        page.packed if is_packed else page.body, status_code=page.status, media_type="text/html", headers=headers
    )


def _etag_of(body: bytes) -> str:
    return f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'


def _has(etag: str, if_none_match: str) -> bool:
    return if_none_match == "*" or etag.removeprefix("W/") in if_none_match


def answer_with(file: WebFile, accept_encoding: str, if_none_match: str) -> Response[bytes]:
    """The best coding that the browser takes; 304 when it has the file already (RFC 9110 §13.1.2)."""
    headers = {
        "etag": file.etag,
        "cache-control": file.cache_control,
        "vary": "accept-encoding",
        "content-security-policy": _POLICY,
    }
    if _has(file.etag, if_none_match):
        return Response(b"", status_code=304, headers=headers)
    accepted = _accepted(accept_encoding)
    coding = next((coding for coding, _ in _CODINGS if coding in accepted and coding in file.bodies), None)
    if coding is None:
        return Response(file.plain(), media_type=file.media_type, headers=headers)
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
    return not is_file and not path.startswith(_RESERVED) and _takes_pages(accept)


def _takes_pages(accept: str) -> bool:
    return "text/html" in accept or "*/*" in accept
