"""No README takes long, and none becomes endless: what is known to be slow elsewhere, at a quarter of the length."""

import time
from collections.abc import Callable

import pytest

from opencode.modules.marketplace.adapters.readme import render, summary_of

from .harmless import wrong_with

LONGEST_S = 20.0
"""
Of the processor's time, for this thread. The worst take three on a quiet machine and twice that on a busy one; what
grows with the square of its length takes minutes.
"""

LENGTH = 50_000


def test_what_is_made_to_be_slow_is_shown_as_it_was_typed() -> None:
    started = time.thread_time()
    for worst in ("![" * 100_000, "- [ ] a\n" * 25_000, SLOW["tables"]()):
        assert render(worst).startswith("<pre>")
    assert time.thread_time() - started < LONGEST_S


def _times(piece: str) -> str:
    return piece * (LENGTH // len(piece.encode()))


SLOW: dict[str, Callable[[], str]] = {
    "brackets": lambda: _times("["),
    "pictures": lambda: _times("!["),
    "link ends": lambda: _times("[a]("),
    "links in links": lambda: "[" * 25_000 + "]" * 25_000,
    "emphasis": lambda: _times("*a_ "),
    "stars around": lambda: "*" * 25_000 + "a" + "*" * 25_000,
    "strikes": lambda: _times("~~a "),
    "backticks": lambda: " ".join("`" * number for number in range(1, 315)),
    "quotes": lambda: _times(">"),
    "lists": lambda: _times("- "),
    "lists below lists": lambda: "\n".join(" " * number + "- a" for number in range(300)),
    "definitions": lambda: "".join(f"[{number}]: x\n" for number in range(4_000)),
    "definitions used": lambda: "[a]: x\n" + _times("[a]"),
    "tables": lambda: "|" + "a|" * 1_000 + "\n|" + "-|" * 1_000 + "\n" + "|\n" * 20_000,
    "headings": lambda: _times("# a\n"),
    "tasks": lambda: _times("- [ ] a\n"),
    "alerts": lambda: _times("> [!NOTE]\n\n"),
    "tags": lambda: _times("<a "),
    "less than": lambda: _times("<"),
    "comments": lambda: _times("<!--"),
    "scripts": lambda: _times("<script>"),
    "styles on lines": lambda: _times("<p><style>\n\n"),
    "attributes": lambda: "<a " + _times("a=b ")[:-10] + ">",
    "blanks in a tag": lambda: "<a" + _times(" ")[:-10] + "x",
    "quotes in tags": lambda: _times('<a b="c '),
    "deep": lambda: _times("<div>"),
    "deep and closed": lambda: "<div>" * 5_000 + "</div>" * 5_000,
    "formatting that is opened again": lambda: "".join(f"<b id=a{number}>" for number in range(2_000)) + "<p>x" * 5_000,
    "formatting in each paragraph": lambda: _times("<p><b><i><u><s><em><tt>x"),
    "anchors": lambda: _times("<a href=a>"),
    "tables in tables": lambda: _times("<table><td>"),
    "text in tables": lambda: "<table>" + _times("<td>a</td>b")[:-10],
    "bare links": lambda: _times("www.a.b "),
    "one bare link": lambda: "http://" + _times(")")[:-10],
    "mail": lambda: _times("a.b-c+")[:-10] + "@",
    "at signs": lambda: _times("a@a."),
    "entities": lambda: _times("&#x"),
    "code": lambda: "```python\n" + _times("('\"")[:-20] + "\n```",
    "many codes": lambda: _times('```c\n/*"\n```\n'),
    "srcset": lambda: '<img srcset="' + _times("a ,")[:-20] + '">',
    "relative links": lambda: _times("[a](../b) "),
    "line ends": lambda: _times("\n"),
    "zeros": lambda: _times("\0"),
}


@pytest.mark.parametrize("name", SLOW)
def test_what_is_slow_elsewhere_is_not_slow_here(name: str) -> None:
    markdown = SLOW[name]()
    started = time.thread_time()
    html = render(markdown)
    summary_of(markdown)
    assert time.thread_time() - started < LONGEST_S
    assert len(html) <= 2_000_000
    assert wrong_with(html) == []


@pytest.mark.parametrize("language", ["python", "html", "js", "php", "perl", "rb", "bash", "yaml", "md", "swift", "kt"])
def test_no_code_takes_its_lexer_long(language: str) -> None:
    started = time.thread_time()
    for piece in (
        '"',
        "'",
        "(",
        "{",
        "/*",
        "<",
        "<!--",
        "\\",
        "a.",
        "`",
        "${",
        "#",
        " ",
        "0",
        "<<A\n",
        "r#",
        "=begin\n",
    ):
        lines = (piece * (400 // len(piece)) + "\n") * 49
        render(f"~~~{language}\n{lines[:5_000]}\n~~~")
    assert time.thread_time() - started < LONGEST_S
