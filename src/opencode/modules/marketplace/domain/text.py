"""Checking what people type: every wrong field is found, and each sentence says the limit."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from opencode.kernel.errors import FieldProblem

MAX_URL = 2_000

# Joiners stay allowed: names in Persian and in Indian scripts are spelt with them, and so are many emoji.
_UNPRINTABLE = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
# They turn the writing direction, so that a title can disturb the text after it (Unicode Annex 9).
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LAYOUT = frozenset("\n\t\r")
_LINE_END = re.compile(r"\r\n|\r|\n")
_GAP = re.compile(r"\n{3,}")


class Findings:
    """What is wrong with the fields of one request, in the order in which it was found."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def add(self, pointer: str, detail: str | None) -> bool:
        """Note a problem, if there is one. Returns whether the field is good."""
        if detail is not None:
            self.problems.append(FieldProblem(pointer, detail))
        return detail is None


def tidy_line(text: str) -> str:
    """One line as it is kept: NFC (Unicode Annex 15), so that equal looks are equal, with single spaces."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(word for word in unicodedata.normalize("NFC", text).split(" ") if word).strip()


def line_problem(line: str, longest: int, *, least: int = 0) -> str | None:
    """What is wrong with one line of visible text."""
    if not least <= len(line) <= longest:
        return f"must have {least} to {longest} characters" if least else f"must have at most {longest} characters"
    if line.isascii() and line.isprintable():
        return None
    if any(unicodedata.category(character) in _UNPRINTABLE or character in _TURNING for character in line):
        return "must be one line without control characters"
    if least and not any(unicodedata.category(character)[0] in "LNPS" for character in line):
        return "must hold a character that can be seen"
    return None


def tidy_plain(text: str) -> str:
    """Plain text of several lines as it is kept: each as `tidy_line` has it, with one empty line between paragraphs."""
    lines = [tidy_line(line.replace("\t", " ")) for line in _LINE_END.split(text)]
    return _GAP.sub("\n\n", "\n".join(lines)).strip("\n")


def plain_problem(text: str, longest: int, *, least: int = 0) -> str | None:
    """What is wrong with plain text of several lines, tidied."""
    if not least <= len(text) <= longest:
        return f"must have {least} to {longest} characters" if least else f"must have at most {longest} characters"
    if any(line_problem(line, longest) for line in text.split("\n")):
        return "must not hold control characters other than tabs and line ends"
    return line_problem(text.replace("\n", ""), longest, least=1) if least else None


def excerpt(text: str, longest: int) -> str:
    """The beginning of a text as one line that disturbs nothing beside it, cut between words where there are any."""
    seen = (character for character in text[: 8 * longest] if character not in _TURNING)
    line = " ".join("".join(each if each.isprintable() else " " for each in seen).split())
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,;:") + "…"


def text_problem(text: str, most_bytes: int) -> str | None:
    """What is wrong with a longer text, such as Markdown."""
    if len(text.encode()) > most_bytes:
        return f"must have at most {most_bytes} bytes in UTF-8"
    if any(character < " " and character not in _LAYOUT for character in text):
        return "must not hold control characters other than tabs and line ends"
    return None


def words_problem(words: Sequence[str], most: int, longest: int) -> str | None:
    """What is wrong with a list of short names."""
    if len(words) > most:
        return f"must have at most {most} entries"
    for word in words:
        if detail := line_problem(word, longest, least=1):
            return f"each entry {detail}"
    return None


def each_once(words: Iterable[str]) -> tuple[str, ...]:
    """Tidied, without empty ones and without repetitions; the first spelling stays."""
    kept: dict[str, str] = {}
    for word in map(tidy_line, words):
        kept.setdefault(word.casefold(), word)
    return tuple(kept.values())


def url_problem(url: str) -> str | None:
    """What is wrong with an address that people are sent to."""
    if len(url) > MAX_URL:
        return f"must have at most {MAX_URL} characters"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "must be an address such as https://example.org/project"
    if parts.scheme not in {"http", "https"} or not host:
        return "must begin with https:// or http:// and name a host"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or a password"
    if not url.isprintable() or any(character in ' "<>\\^`{|}' for character in url):
        return 'must not hold spaces, control characters or any of " < > \\ ^ ` { | }'
    return None
