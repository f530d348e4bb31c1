"""
JSON with comments (`//`, `/* */`) and commas before closing brackets, read so that every value knows its place.

Otherwise it is RFC 8259 to the letter. Reading goes on behind mistakes that are understood (a missing comma, a key
twice, single quotes), so that one run tells them all.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import is_

from opencode.modules.ai.domain.configuration.problems import Place, Problem

Path = Sequence[str | int]
"""The keys, and places in lists, that lead to a value."""

Scalar = str | int | float | bool | None

MOST_CHARACTERS = 4_000_000
DEEPEST = 64

_BLANK = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_USUAL_KEY = re.compile(r'"([^"\\\x00-\x1f]*)": ?')
"""A key as nearly all are, with its colon: read at once, since a large file has thousands."""
_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.])")
_WORD = re.compile(r"[\w.$+-]+")
_PLAIN_NAME = re.compile(r"[^.\[\]\"\s]+")
_SINGLE_QUOTED = re.compile(r"'((?:[^'\\\n]|\\.)*)'")
_BLANKS = frozenset(" \t\r\n\ufeff/#")  # what blanks and comments begin with
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_MISTAKEN = {"True": True, "False": False, "None": None, "undefined": None}


@dataclass(slots=True, eq=False)
class Source:
    """
    A text with a name.

    Attributes:
        is_literal: nothing is filled in: `${…}` and `{file:…}` are what somebody wrote who may not read these.
    """

    name: str
    text: str
    has_lines: bool = True
    is_literal: bool = False
    _starts: list[int] = field(default_factory=list[int])

    def place(self, offset: int) -> Place:
        """Where a character stands."""
        if not self.has_lines:
            return Place(self.name, 0, 0)
        if not self._starts:
            self._starts = [0, *(match.end() for match in re.finditer(r"\n", self.text))]
        line = bisect_right(self._starts, offset)
        return Place(self.name, line, offset - self._starts[line - 1] + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """
    A value and its place.

    Attributes:
        value: str, int, float, bool, None, a list of nodes, or a dict of members.
        offset: of its first character.
    """

    value: "str | int | float | bool | list[Node] | dict[str, Member] | None"
    source: Source
    offset: int

    @property
    def place(self) -> Place:
        return self.source.place(self.offset)


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A value with its key, which may stand in another source."""

    node: Node
    source: Source
    offset: int

    @property
    def key(self) -> Place:
        return self.source.place(self.offset)


Read = tuple[Node | None, list[Problem]]
"""What a text says, as far as it can be told, and all that is wrong with how it is written."""


def read(source: Source) -> Read:
    """Read a text, on and on behind mistakes that are understood."""
    reader = _Reader(source)
    try:
        node = reader.document()
    except _Lost:
        node = None
    return node, reader.problems


def plain(node: Node) -> object:
    """A value without its places."""
    value = node.value
    if isinstance(value, dict):
        return {name: plain(member.node) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value


def mapped(node: Node, change: Callable[[str, Node, Path], Scalar], path: Path = ()) -> Node:
    """The value with every text in it changed. What has no change in it is the very same node."""
    value = node.value
    if isinstance(value, str):
        changed = change(value, node, path)
        return node if changed is value else Node(changed, node.source, node.offset)
    if isinstance(value, dict):
        inner = {name: mapped(member.node, change, (*path, name)) for name, member in value.items()}
        if all(inner[name] is member.node for name, member in value.items()):
            return node
        members = {name: Member(inner[name], member.source, member.offset) for name, member in value.items()}
        return Node(members, node.source, node.offset)
    if isinstance(value, list):
        items = [mapped(each, change, (*path, number)) for number, each in enumerate(value)]
        return node if all(map(is_, items, value)) else Node(items, node.source, node.offset)
    return node


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every value with the steps that lead to it, outer ones first."""
    yield path, node
    if isinstance(node.value, dict):
        for name, member in node.value.items():
            yield from walk(member.node, (*path, name))
    elif isinstance(node.value, list):
        for number, each in enumerate(node.value):
            yield from walk(each, (*path, number))


def shown(path: Path) -> str:
    """`("providers", "a", "models", 0)` as `providers.a.models[0]`. A name that has dots itself is quoted."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if _PLAIN_NAME.fullmatch(step) else json.dumps(step, ensure_ascii=False)
            text += f".{name}" if text else name
    return text


class _Lost(Exception):
    """Nothing behind this place can be understood."""


@dataclass(slots=True)
class _Reader:
    source: Source
    problems: list[Problem] = field(default_factory=list[Problem])
    _at: int = 0
    _path: list[str | int] = field(default_factory=list[str | int])

    def document(self) -> Node:
        if len(self.source.text) > MOST_CHARACTERS:
            raise self._lost(0, f"The file has more than {MOST_CHARACTERS:,} characters.")
        if not self._next():
            raise self._lost(0, "The file is empty. Write {} for a configuration without a word.")
        node = self._value()
        if self._next():
            self._tell(self._at, "There is more behind the end of the configuration. One value is all there may be.")
        return node

    def _value(self) -> Node:
        start = self._at
        opening = self.source.text[start : start + 1]
        if opening == '"' or opening == "'":
            return Node(self._string(), self.source, start)
        if opening != "{" and opening != "[":
            return Node(self._scalar(), self.source, start)
        if len(self._path) >= DEEPEST:
            raise self._lost(start, f"Values are nested more than {DEEPEST} deep.")
        return Node(self._object() if opening == "{" else self._array(), self.source, start)

    def _object(self) -> dict[str, Member]:
        start = self._at
        members: dict[str, Member] = {}
        self._at += 1
        while not self._closed("}", start):
            key_at = self._at
            if usual := _USUAL_KEY.match(self.source.text, key_at):
                name, self._at = usual[1], usual.end()
                self._path.append(name)
            else:
                name = self._key()
                self._path.append(name)
                if self._next() == ":":
                    self._at += 1
                else:
                    self._tell(self._at, f"A colon is missing behind the key {name!r}.")
            if self._next() in ("", "}", "]", ","):
                raise self._lost(self._at, f"The key {name!r} has no value.")
            node = self._value()
            if name in members:
                first = members[name].key
                self._tell(key_at, f"The key {name!r} is here twice; the first is in line {first.line}.")
            self._path.pop()
            members[name] = Member(node, self.source, key_at)
            self._separated()
        return members

    def _array(self) -> list[Node]:
        start = self._at
        items: list[Node] = []
        self._at += 1
        while not self._closed("]", start):
            self._path.append(len(items))
            items.append(self._value())
            self._path.pop()
            self._separated()
        return items

    def _closed(self, bracket: str, start: int) -> bool:
        """Past a closing bracket, if it comes next."""
        found = self._next()
        if found == bracket:
            self._at += 1
            return True
        opening = self.source.text[start]
        if not found:
            raise self._lost(start, f"This {opening!r} is never closed: {bracket!r} is missing.")
        if found == ",":
            self._tell(self._at, "There is a comma too many.")
            self._at += 1
            return self._closed(bracket, start)
        if found in "]}":
            message = f"{found!r} closes nothing here: {bracket!r} is expected for the {opening!r} before."
            raise self._lost(self._at, message)
        return False

    def _separated(self) -> None:
        """Past the comma behind a value, if it is there; told if it is missing."""
        end = self._at
        found = self._next()
        if found == ",":
            self._at += 1
        elif found == ":":
            raise self._lost(self._at, "There is a colon where a comma or the closing bracket should be.")
        elif found and found not in "]}":
            self._tell(end, "A comma is missing here.")

    def _key(self) -> str:
        text = self.source.text
        if text[self._at] in ('"', "'"):
            return self._string()
        if word := _WORD.match(text, self._at):
            self._tell(self._at, f'The key {word[0]} needs quotes: "{word[0]}".')
            self._at = word.end()
            return word[0]
        raise self._lost(self._at, f"A key in quotes is expected here, not {self._shown()}.")

    def _string(self) -> str:
        text = self.source.text
        if found := _STRING.match(text, self._at):
            self._at = found.end()
            return found[1] if "\\" not in found[1] else self._unescaped(found)
        if single := _SINGLE_QUOTED.match(text, self._at):
            self._tell(self._at, "Texts stand in double quotes.")
            self._at = single.end()
            return single[1]
        line_end = text.find("\n", self._at)
        closing = text.find('"', self._at + 1)
        if closing < 0 or 0 <= line_end < closing:
            message = "This text has no closing quote in its line. A line break in it is written \\n."
        else:
            message = "This text has an escape that JSON does not know. A backslash itself is written \\\\."
        raise self._lost(self._at, message)

    def _unescaped(self, found: re.Match[str]) -> str:
        value: str = json.loads(found[0])
        try:
            value.encode()
        except UnicodeEncodeError:
            self._tell(found.start(), "This text has half of a character: a \\u escape without its other half.")
            return value.encode(errors="replace").decode()
        return value

    def _scalar(self) -> str | int | float | bool | None:
        start, text = self._at, self.source.text
        if number := _NUMBER.match(text, start):
            self._at = number.end()
            return _number(number[0])
        if word := _WORD.match(text, start):
            self._at = word.end()
            if word[0] in _CONSTANTS:
                return _CONSTANTS[word[0]]
            if word[0] in _MISTAKEN:
                self._tell(start, f"JSON has no {word[0]}.", json.dumps(_MISTAKEN[word[0]]))
                return _MISTAKEN[word[0]]
            self._tell(start, f'The text {word[0]} needs quotes: "{word[0]}".')
            return word[0]
        raise self._lost(start, f"A value is expected here, not {self._shown()}.")

    def _next(self) -> str:
        """The next character that means something; empty at the end."""
        text = self.source.text
        found = text[self._at : self._at + 1]
        if found not in _BLANKS:
            return found
        if blank := _BLANK.match(text, self._at):
            self._at = blank.end()
        found = text[self._at : self._at + 1]
        if found == "/" and text.startswith("/*", self._at):
            raise self._lost(self._at, "This comment is never closed: */ is missing.")
        if found == "#":
            raise self._lost(self._at, "Comments begin with // here, not with #.")
        return found

    def _shown(self) -> str:
        return repr(self._next()) if self._next() else "the end of the file"

    def _tell(self, offset: int, message: str, suggestion: str = "") -> None:
        self.problems.append(Problem(self.source.place(offset), shown(self._path), message, suggestion))

    def _lost(self, offset: int, message: str) -> _Lost:
        self._tell(offset, message)
        return _Lost()


def _number(text: str) -> int | float:
    if text.lstrip("-").isdigit() and len(text) <= 20:
        return int(text)
    return float(text)
