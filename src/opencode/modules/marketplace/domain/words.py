"""
What a word is. The same rules hold for what is indexed and for what is asked.

Case and accents do not matter. `c++`, `c#` and `f#` are words. A name is found by its parts, by the parts that capital
letters show, and as one: `fast-api`, `FastAPI` and `fast_api` are all `fast`, `api` and `fastapi`.
"""

import re
import unicodedata

LONGEST_WORD = 64
MOST_QUERY_WORDS = 12

_WORD = re.compile(rf"[^\W_]{{1,{LONGEST_WORD}}}(?:\+\+|#)?")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ACCENTS = re.compile(r"[\u0300-\u036f]")  # other marks make other letters, as in Japanese
_NOT_IN_NAMES = re.compile(r"[^\w+#]+|_")


def fold(text: str) -> str:
    """Without case, and without the accents of Latin, Greek and Cyrillic letters (Unicode compatibility forms)."""
    if text.isascii():
        return text.lower()
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFKC", _ACCENTS.sub("", unicodedata.normalize("NFKD", plain.casefold())))


def words_of(text: str) -> list[str]:
    """In their order, with repetitions."""
    return _WORD.findall(fold(text))


def joined(name: str) -> str:
    """A name as one word: what two names have in common that differ in separators and case only."""
    return _NOT_IN_NAMES.sub("", fold(name))[:LONGEST_WORD]


def words_of_name(name: str) -> list[str]:
    """All words that a name is found by: its parts, its humps, and itself as one word."""
    found = words_of(name)
    if not (name.islower() or name.isupper()):
        found += [word for word in words_of(_HUMP.sub(" ", name)) if word not in found]
    whole = joined(name)
    if whole and whole not in found:
        found.append(whole)
    return found
