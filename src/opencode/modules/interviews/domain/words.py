"""Text that people type and others see: what is taken out of it, and what is refused."""

import unicodedata

from opencode.modules.interviews.errors import TextRefused

MAX_NAME = 80
MAX_MESSAGE = 4000

# Joiners inside words and emoji; every other format character (Unicode category Cf) is invisible or turns the
# direction of the text around it (UAX 9), which lets a name pose as something else.
_KEPT_FORMAT = {"\u200c", "\u200d"}
_STRIPPED = {"Cc", "Cf", "Cs"}
_MARKS_IN_A_ROW = 4
_VISIBLE = frozenset("LNPS")


def clean_line(text: str, pointer: str, *, longest: int) -> str:
    """
    One line of visible text, such as a name or a title: normalised (NFC), without control and direction characters,
    with single spaces.

    Args:
        pointer: the field, for the error.
        longest: characters that may remain.

    Raises:
        TextRefused: nothing visible remains, or too much does.
    """
    kept = "".join(" " if character.isspace() else character for character in text)
    line = " ".join(_without_piles(_without_controls(unicodedata.normalize("NFC", kept), keep="")).split())
    if not any(unicodedata.category(character)[0] in _VISIBLE for character in line):
        raise TextRefused(pointer, "has no visible character")
    if len(line) > longest:
        raise TextRefused(pointer, f"has {len(line)} characters; {longest} is the most")
    return line


def clean_message(text: str, pointer: str, *, longest: int = MAX_MESSAGE) -> str:
    """
    A message of one or more lines, without control and direction characters.

    Raises:
        TextRefused: nothing visible remains, or too much does.
    """
    message = _without_controls(text.replace("\r\n", "\n").replace("\r", "\n"), keep="\n\t").strip()
    if not any(unicodedata.category(character)[0] in _VISIBLE for character in message):
        raise TextRefused(pointer, "has no visible character")
    if len(message) > longest:
        raise TextRefused(pointer, f"has {len(message)} characters; {longest} is the most")
    return message


def _without_controls(text: str, *, keep: str) -> str:
    return "".join(
        character
        for character in text
        if character in keep or character in _KEPT_FORMAT or unicodedata.category(character) not in _STRIPPED
    )


def _without_piles(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MARKS_IN_A_ROW:
            kept.append(character)
    return "".join(kept)
