"""What a README says first, for lists and previews."""

import re
from collections.abc import Iterator
from html import unescape

import nh3

from opencode.modules.marketplace.adapters.readme.parsing import TooIntricate, tokens_of, words_of
from opencode.modules.marketplace.adapters.readme.vocabulary import DROPPED_WITH_CONTENT

LONGEST_SUMMARY = 200
_READ = 20_000
_WITHOUT = {*DROPPED_WITH_CONTENT, "a", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "summary"}
_FEWEST_LETTERS = 12
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bvs\.)\s+|(?<=[。！？])\s*")


def summary_of(markdown: str) -> str:
    """
    The first sentences of a README that say something, as plain text of 200 letters at the most. Badges, headings,
    rows of links and code say nothing. Empty when there are none.
    """
    try:
        return next((_shortened(text) for text in _paragraphs(markdown[:_READ])), "")
    except TooIntricate:  # it is shown as it was typed, and says nothing in a line
        return ""


def _paragraphs(markdown: str) -> Iterator[str]:
    is_paragraph = False
    for token in tokens_of(markdown.encode(errors="replace").decode()):
        if is_paragraph and _says_something(words_of(token, in_links=False)):
            yield words_of(token)
        is_paragraph = token.type == "paragraph_open" and token.level == 0
        if token.type == "html_block":
            text = unescape(
                nh3.clean(token.content, tags=set(), attributes={}, link_rel=None, clean_content_tags=_WITHOUT)
            )
            if _says_something(text):
                yield text


def _says_something(text: str) -> bool:
    return sum(map(str.isalpha, text)) >= _FEWEST_LETTERS


def _shortened(text: str) -> str:
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    taken = ""
    for sentence in _SENTENCE_ENDS.split(text):
        longer = f"{taken} {sentence}".strip()
        if len(longer) > LONGEST_SUMMARY:
            break
        taken = longer
    cut = text[: LONGEST_SUMMARY - 1]
    return taken or (cut.rpartition(" ")[0] or cut).rstrip(" ,;:") + "…"
