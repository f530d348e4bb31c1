"""What HTML may have to be harmless, told apart from the code under test: read by another parser, by another list."""

import re
from collections.abc import Collection
from html.parser import HTMLParser
from urllib.parse import urlsplit

_TAG_NAMES = (
    "a abbr b blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption "
    "figure h1 h2 h3 h4 h5 h6 hr i img input ins kbd li mark ol p picture pre q rp rt ruby s samp small source "
    "span strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var wbr"
)
_TAGS = frozenset(_TAG_NAMES.split())
_ATTRIBUTE_NAMES = (
    "align alt checked class colspan dir disabled height href id loading media name open referrerpolicy rel "
    "rowspan sizes src srcset start title type value width"
)
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
_CLASS = re.compile(r"hl-\w+|language-[\w-]+|alert(-\w+)?|task|image-link")


class _Checker(HTMLParser):
    def __init__(self, image_hosts: Collection[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.image_hosts = image_hosts
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS or tag == "h1":
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            if name not in _ATTRIBUTES or not _is_harmless(name, value or ""):
                self.wrong.append(f"<{tag} {name}={value!r}>")
        given = dict(attrs)
        if tag == "a" and given.get("rel") != "nofollow ugc noopener":
            self.wrong.append("a link without rel")
        if tag == "img" and (given.get("loading"), given.get("referrerpolicy")) != ("lazy", "no-referrer"):
            self.wrong.append("a picture that is not lazy")
        sources = [
            given.get("src") or "",
            *(each.split()[0] for each in (given.get("srcset") or "").split(", ") if each),
        ]
        if any(urlsplit(source).netloc not in self.image_hosts for source in sources if source):
            self.wrong.append("a picture of a host that hears who looks at it")
        if tag == "input" and (given.get("type") != "checkbox" or "disabled" not in given):
            self.wrong.append("an input that takes input")

    handle_startendtag = handle_starttag

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.wrong.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self.wrong.append(f"<![{data}]>")


def wrong_with(html: str, image_hosts: Collection[str] = ()) -> list[str]:
    """Everything in it that could do harm, where pictures of these hosts are shown."""
    checker = _Checker(image_hosts)
    checker.feed(html)
    checker.close()
    return checker.wrong


def _is_harmless(name: str, value: str) -> bool:
    if name == "href":
        return value.startswith("#readme-") or _is_plain_url(value, "http", "https", "mailto")
    if name == "src":
        return _is_plain_url(value, "http", "https")
    if name == "srcset":
        return all(_is_plain_url(each.split()[0], "http", "https") for each in value.split(", "))
    if name in ("id", "name"):
        return value.startswith("readme-") and len(value) > len("readme-") and not re.search(r"[\s\"'<>`]", value)
    if name == "class":
        return all(_CLASS.fullmatch(each) for each in value.split())
    if name == "type":
        return value == "checkbox" or bool(re.fullmatch(r"image/[\w.+-]+", value, re.IGNORECASE))
    return True


def _is_plain_url(value: str, *schemes: str) -> bool:
    if not value.isascii() or re.search(r"[\x00-\x20\x7f\"'<>`\\]", value):
        return False
    parts = urlsplit(value)
    return parts.scheme in schemes and "@" not in parts.netloc and bool(parts.netloc or parts.scheme == "mailto")
