"""
Facts out of JSON by strangers.

A field of the wrong kind is a field that says nothing: half an answer makes half a draft. Only what is no JSON object
at all is an error.
"""

import re
from collections.abc import Iterable
from typing import Any, cast

import msgspec

from opencode.kernel.addresses import url_problem
from opencode.modules.marketplace.domain.repositories import repository_of
from opencode.modules.marketplace.errors import SourceUnreadable

LONGEST_TITLE = 100
LONGEST_SUMMARY = 200
LONGEST_DESCRIPTION = 200_000
"""Bytes: what `adapters.readme` renders."""

_MOST_LISTED = 500
_MOST_TAGS = 20
_LONGEST_TAG = 30
_MOST_TECHNOLOGIES = 10


class Facts:
    """A JSON object, asked for fields by name."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    @classmethod
    def of(cls, body: bytes, where: str) -> "Facts":
        """
        Raises:
            SourceUnreadable
        """
        try:
            decoded = msgspec.json.decode(body)
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise SourceUnreadable(where, "is no JSON") from None
        if not isinstance(decoded, dict):
            raise SourceUnreadable(where, "is no JSON object")
        return cls(cast("dict[str, Any]", decoded))

    def below(self, key: str) -> "Facts":
        value = self._fields.get(key)
        return Facts(cast("dict[str, Any]", value) if isinstance(value, dict) else {})

    def raw(self, key: str) -> str:
        """A text as it is; empty when it is none."""
        value = self._fields.get(key)
        return value if isinstance(value, str) else ""

    def line(self, key: str, longest: int) -> str:
        return one_line(self.raw(key), longest)

    def list_of(self, key: str) -> list[str]:
        """A list of texts; one text stands for a list with commas or blanks."""
        value = self._fields.get(key)
        if isinstance(value, str):
            value = re.split(r"[,;]" if re.search("[,;]", value) else r"\s+", value[: _MOST_LISTED * 10])
        found = cast("list[Any]", value if isinstance(value, list) else [])
        return [each for each in found[:_MOST_LISTED] if isinstance(each, str) and each.strip()]

    def pairs(self, key: str) -> list[tuple[str, str]]:
        fields = self.below(key)._fields
        return [(name, value) for name, value in list(fields.items())[:_MOST_LISTED] if isinstance(value, str)]

    def __contains__(self, key: str) -> bool:
        return key in self._fields


def one_line(text: str, longest: int) -> str:
    """Plain text on one line, without letters that show nothing or turn others around."""
    seen = "".join(letter if letter.isprintable() else " " for letter in text[: longest * 10])
    words = " ".join(seen.split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def markdown(text: str) -> str:
    """A description as it may be stored: no control characters, and not more than is rendered."""
    kept = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text.replace("\r\n", "\n"))
    return kept.encode(errors="replace")[:LONGEST_DESCRIPTION].decode(errors="ignore").strip()


def web_address(text: str) -> str:
    """An address that people may be sent to; empty when it is none."""
    text = text.strip()
    return "" if url_problem(text, private_too=False) else text


def repository_address(text: str) -> str:
    """The page of the repository that an address names; another address as it is."""
    repository = repository_of(text)
    return repository.url if repository else web_address(text)


def site_of(url: str) -> tuple[str, str]:
    """A homepage as documentation or demonstration, when its address tells which: one of both, or none."""
    url = web_address(url)
    if re.search(r"//[^/]*docs?\.|/docs?(/|$)", url):
        return url, ""
    return ("", url) if re.search(r"\b(demo|playground)\b", url) else ("", "")


def tags_of(words: Iterable[str]) -> tuple[str, ...]:
    tags = (re.sub(r"[^a-z0-9+#.-]", "", re.sub(r"[\s_/]+", "-", one_line(word, 100).lower())) for word in words)
    fit = (tag.strip("-.") for tag in tags)
    return tuple(dict.fromkeys(tag for tag in fit if 1 < len(tag) <= _LONGEST_TAG))[:_MOST_TAGS]


def technologies_of(names: Iterable[str]) -> tuple[str, ...]:
    lines = (one_line(name, 40) for name in names)
    return tuple(dict.fromkeys(line for line in lines if line))[:_MOST_TECHNOLOGIES]
