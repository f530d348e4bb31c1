"""`/sitemap.xml`, and the sitemaps that it names."""

from collections.abc import AsyncGenerator

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from opencode.infra.html import element
from opencode.modules.marketplace.domain.views import Address
from opencode.modules.marketplace.errors import SitemapNotFound
from opencode.modules.marketplace.service.sitemaps import Sitemaps

_XML = "application/xml"
_KEPT = {"cache-control": "public, max-age=3600, s-maxage=3600, stale-while-revalidate=86400"}
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_LISTS = ("/", "/projects")


@get("/sitemap.xml", include_in_schema=False)
async def get_sitemap_index(sitemaps: NamedDependency[Sitemaps]) -> Response[str]:
    url = sitemaps.parts.public_url()
    entries = [
        element("sitemap", element("loc", f"{url}/sitemaps/{number}.xml"))
        for number in range(1, await sitemaps.count() + 1)
    ]
    index = f"{_HEAD}{element('sitemapindex', entries, xmlns=_NAMESPACE)}"
    return Response(index, media_type=_XML, headers=_KEPT)


@get("/sitemaps/{name:str}", include_in_schema=False)
async def get_sitemap(name: FromPath[str], sitemaps: NamedDependency[Sitemaps]) -> Stream:
    digits, dot, ending = name.partition(".")
    is_sitemap = (dot, ending) == (".", "xml") and digits.isascii() and digits.isdigit() and len(digits) <= 6
    if not is_sitemap or digits != str(int(digits)):
        raise SitemapNotFound(name)
    batches = await sitemaps.addresses(int(digits))
    lists = _LISTS if int(digits) == 1 else ()
    return Stream(_written(sitemaps.parts.public_url(), lists, batches), media_type=_XML, headers=_KEPT)


async def _written(url: str, lists: tuple[str, ...], batches: AsyncGenerator[list[Address]]) -> AsyncGenerator[str]:
    yield f'{_HEAD}<urlset xmlns="{_NAMESPACE}">\n'
    for path in lists:
        yield f"{element('url', element('loc', url + path))}\n"
    async for batch in batches:
        yield "".join(_entry(url, address) for address in batch)
    yield "</urlset>\n"


def _entry(url: str, address: Address) -> str:
    changed = address.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    place = element("loc", f"{url}/projects/{address.slug}")
    return f"{element('url', place, element('lastmod', changed))}\n"
