"""Markdown as GitHub reads it: CommonMark, and on top of it tables, task lists, alerts, bare links, anchors."""

import re
from collections.abc import Iterator
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from opencode.modules.marketplace.adapters.readme.highlighting import LANGUAGES, Highlighter
from opencode.modules.marketplace.adapters.readme.vocabulary import ALERTS

_ALERT = re.compile(rf"\[!({'|'.join(ALERTS)})\][ \t]*(?:\n|$)", re.IGNORECASE)
_TASK = re.compile(r"\[([ xX])\][ \t]+(?=\S)")
# GFM §6.9. The lengths are bounded, and a match begins where a word does: no text is looked at twice.
_BARE = re.compile(
    r"(?<![\w/@.+-])(?:(?:https?://|www\.)[^\s<]{1,2000}|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})",
    re.ASCII | re.IGNORECASE,
)
_AFTER = re.compile(r"(?:[?!.,:*_~'\"]|&[a-zA-Z0-9]{1,20};)+$")
_ALIGNMENT = re.compile(r"text-align:(left|right|center)")

# A README of 200 kB that people wrote, a list of links, has some 15,000 and 5,000 of them.
_MOST_BLOCKS = 40_000
_MOST_BRACKETS = 20_000


class TooIntricate(Exception):
    """To read this text would take seconds, and nobody wrote it to be read."""


def html_of(markdown: str) -> str:
    """
    HTML as the author meant it, not yet safe.

    Raises:
        TooIntricate
    """
    if markdown.count("[") > _MOST_BRACKETS:
        raise TooIntricate
    return _parser(Highlighter()).render(markdown)


def tokens_of(markdown: str) -> list[Token]:
    """
    Raises:
        TooIntricate
    """
    return _parser(None).parse(markdown)


def words_of(inline: Token, *, in_links: bool = True) -> str:
    """
    The text of a paragraph or heading, without its markup.

    Args:
        in_links: take what links say, too.
    """
    depth = 0
    found: list[str] = []
    for child in inline.children or []:
        depth += child.nesting if child.type in ("link_open", "link_close") else 0
        if child.type in ("text", "code_inline") and (in_links or depth == 0):
            found.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            found.append(" ")
    return "".join(found)


def _parser(highlighter: Highlighter | None) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "highlight": highlighter}).enable(["table", "strikethrough"])
    parser.core.ruler.after("block", "bounds", _bounds)
    parser.core.ruler.after("bounds", "alerts", _alerts)
    parser.core.ruler.push("tasks", _tasks)
    parser.core.ruler.push("bare_links", _bare_links)
    parser.core.ruler.push("anchors", _anchors)
    parser.core.ruler.push("alignment", _alignment)
    parser.core.ruler.push("languages", _languages)
    return parser


def _bounds(state: StateCore) -> None:
    if len(state.tokens) > _MOST_BLOCKS:
        raise TooIntricate


def _alerts(state: StateCore) -> None:
    """`> [!NOTE]` on a line of its own makes a quotation an alert."""
    tokens = [*state.tokens, Token("", "", 0), Token("", "", 0)]
    found: list[Token] = []
    is_alert = False
    for quote, paragraph, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        found.append(quote)
        if quote.type == "blockquote_close" and quote.level == 0 and is_alert:
            quote.tag = "div"
        if (quote.type, quote.level) == ("blockquote_open", 0):
            alert = _ALERT.match(inline.content) if paragraph.type == "paragraph_open" else None
            is_alert = alert is not None
            if alert:
                quote.tag = "div"
                quote.attrSet("class", f"alert alert-{alert[1].lower()}")
                inline.content = inline.content[alert.end() :]
                found += _title(alert[1].capitalize())
    state.tokens = found


def _title(words: str) -> list[Token]:
    start, end = Token("paragraph_open", "p", 1, level=1), Token("paragraph_close", "p", -1, level=1)
    start.attrSet("class", "alert-title")
    return [start, Token("inline", "", 0, level=2, content=words, children=[]), end]


def _tasks(state: StateCore) -> None:
    for item, paragraph, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if (item.type, paragraph.type) != ("list_item_open", "paragraph_open") or not inline.children:
            continue
        first = inline.children[0]
        if first.type == "text" and (task := _TASK.match(first.content)):
            first.content = first.content[task.end() :]
            checked = "" if task[1] == " " else " checked"
            inline.children.insert(0, Token("html_inline", "", 0, content=f"<input{checked}> "))
            item.attrSet("class", "task")


def _bare_links(state: StateCore) -> None:
    for inline in state.tokens:
        if inline.type != "inline" or not re.search(r"://|www\.|@", inline.content, re.IGNORECASE):
            continue
        depth = 0
        children: list[Token] = []
        for child in inline.children or []:
            if child.type in ("link_open", "link_close"):
                depth += child.nesting
            if child.type == "html_inline" and re.match(r"</?a[\s>]", child.content, re.IGNORECASE):
                depth = max(depth + (-1 if child.content.startswith("</") else 1), 0)
            children += _linked(child, state) if child.type == "text" and depth == 0 else [child]
        inline.children = children


def _linked(text: Token, state: StateCore) -> Iterator[Token]:
    words, at = text.content, 0
    for found in _BARE.finditer(words):
        bare = _without_what_follows(found[0])
        url = bare if "://" in bare else f"http://{bare}" if bare.lower().startswith("www.") else f"mailto:{bare}"
        href = state.md.normalizeLink(url)
        if not state.md.validateLink(href):
            continue
        yield Token("text", "", 0, content=words[at : found.start()])
        yield Token("link_open", "a", 1, attrs={"href": href})
        yield Token("text", "", 0, content=bare)
        yield Token("link_close", "a", -1)
        at = found.start() + len(bare)
    yield Token("text", "", 0, content=words[at:])


def _without_what_follows(bare: str) -> str:
    """A link without the full stop of its sentence and without the bracket around it."""
    bare = _AFTER.sub("", bare)
    while bare.endswith(")") and bare.count(")") > bare.count("("):
        bare = _AFTER.sub("", bare[:-1])
    return bare


def _anchors(state: StateCore) -> None:
    """Headings get the ids that GitHub gives them; `links.ID_PREFIX` is put before them later."""
    taken: dict[str, int] = {}
    for heading, inline in pairwise(state.tokens):
        if heading.type != "heading_open":
            continue
        slug = re.sub(r"[^\w\- ]", "", words_of(inline).strip().lower()).replace(" ", "-")[:100] or "section"
        number = taken.get(slug, 0)
        taken[slug] = number + 1
        heading.attrSet("id", f"{slug}-{number}" if number else slug)


def _alignment(state: StateCore) -> None:
    for cell in state.tokens:
        style = str(cell.attrs.pop("style", "")) if cell.type in ("th_open", "td_open") else ""
        if found := _ALIGNMENT.fullmatch(style):
            cell.attrSet("align", found[1])


def _languages(state: StateCore) -> None:
    """A code's language is the first word after the fence, and none when it is unknown."""
    for code in state.tokens:
        if code.type == "fence":
            language = code.info.strip().partition(" ")[0].lower()
            code.info = language if language in LANGUAGES else ""
