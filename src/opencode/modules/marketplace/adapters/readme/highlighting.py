"""Colours for code: classes for a style sheet, `hl-k` and the like; never styles in the HTML."""

import re
from functools import cache

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

_CLASS_PREFIX = "hl-"
_MOST_LETTERS = 20_000
_LONGEST_LINE = 400
"""Letters. Some lexers take time that grows with the square of a line's length; people's lines are shorter."""

_EACH_COSTS = 100
"""Letters. To start with a code takes time, too: thousands of short ones are shown plain."""

# Those that READMEs use. Others are shown plain: each lexer is some hundred regular expressions to trust.
_NAMES = (
    "bash c c# clojure console cpp cs csharp css dart diff docker dockerfile elixir elm erlang fish fsharp go "
    "golang graphql groovy haskell hcl html http ini java javascript js json json5 jsx julia kotlin kt less lua "
    "make makefile md markdown mermaid nginx nim nix ocaml patch perl php powershell proto protobuf ps1 py py3 "
    "pycon python python3 r rb rs ruby rust sass scala scss sh shell sql svelte swift terraform tf toml ts tsx "
    "typescript vue xml yaml yml zig zsh"
)
LANGUAGES = frozenset(_NAMES.split())
TOKEN_CLASSES = frozenset(f"{_CLASS_PREFIX}{name}" for name in STANDARD_TYPES.values() if name)
CODE_CLASSES = frozenset(f"language-{name}" for name in LANGUAGES if re.fullmatch(r"[\w-]+", name))


class Highlighter:
    """Colours the code of one README, as long as there is `budget` (letters)."""

    def __init__(self, budget: int = 60_000) -> None:
        self._budget = budget

    def __call__(self, code: str, language: str, attributes: str) -> str:
        """HTML for a fence; empty when the code is to be shown plain."""
        del attributes
        lexer = _lexer(language.lower()) if language.lower() in LANGUAGES else None
        if lexer is None or len(code) > min(_MOST_LETTERS, self._budget):
            return ""
        if any(len(line) > _LONGEST_LINE for line in code.split("\n")):
            return ""
        self._budget -= len(code) + _EACH_COSTS
        return highlight(code, lexer, HtmlFormatter[str](nowrap=True, classprefix=_CLASS_PREFIX))


@cache
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ValueError:  # ClassNotFound is one
        return None
