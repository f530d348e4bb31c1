"""
Versions of releases, and which one is newer.

Both ways that packages count are read: Semantic Versioning (semver.org, `2.0.0-rc.1+build.5`) and Python's (PEP 440,
`1!2.0rc1.post2.dev3+local`). `1.0` and `1.0.0` are one version, and so are `1.0rc1` and `1.0.0-rc.1`.
"""

import re
from dataclasses import dataclass

LONGEST = 64  # characters
_MOST_DIGITS = 15  # of one number; a date with a time has 14

_NUMBER = rf"[0-9]{{1,{_MOST_DIGITS}}}"
_RELEASE = rf"{_NUMBER}(?:\.{_NUMBER})*"
_LABELS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_SEMANTIC = re.compile(rf"(?P<release>{_RELEASE})-(?P<labels>{_LABELS})(?:\+(?P<build>{_LABELS}))?")
_PYTHON = re.compile(
    rf"(?:(?P<epoch>{_NUMBER})!)?(?P<release>{_RELEASE})"
    rf"(?:[._]?(?P<stage>alpha|beta|rc|a|b|c)[._]?(?P<turn>{_NUMBER})?)?"
    rf"(?P<is_post>\.?post(?P<post>{_NUMBER})?)?(?P<is_dev>\.?dev(?P<dev>{_NUMBER})?)?"
    rf"(?:\+(?P<build>{_LABELS}))?",
    re.IGNORECASE,
)
_STAGES = {"a": "alpha", "b": "beta", "c": "rc"}

# The order of what may follow the numbers of a release: `1.0.dev1 < 1.0a1 < 1.0 < 1.0.post1 < 1.0.1`.
_ONLY_DEV, _PRERELEASE, _FINAL, _POST, _BUILD = b"\x02", b"\x04", b"\x08", b"\x0a", b"\x03"
_DEV, _NO_DEV = b"\x01", b"\x02"
_END = b"\0"
# A number is its length and its digits, so that bytes compare as numbers do; words come after numbers.
_NUMBER_MARK, _WORD_MARK = 0x40, b"\x60"


@dataclass(frozen=True, slots=True)
class ReleaseVersion:
    """
    Attributes:
        text: as it was typed, without a leading `v`.
        key: hexadecimal; keys compare as their versions do, in every database and language, and equal versions have
            the same.
        is_prerelease: says so by itself.
    """

    text: str
    key: str
    is_prerelease: bool


def version_of(text: str) -> ReleaseVersion | None:
    """The version that a text is; None when it is none."""
    text = text.strip()
    if len(text) > LONGEST:
        return None
    text = text[1:] if text[:1] in ("v", "V") else text
    if found := _SEMANTIC.fullmatch(text):
        labels = found["labels"].split(".")
        key = _numbers("0", found["release"]) + _PRERELEASE + _labels(labels) + _END + _FINAL + _NO_DEV
        return _made(text, key, found["build"], is_prerelease=True)
    if found := _PYTHON.fullmatch(text):
        key = _numbers(found["epoch"] or "0", found["release"]) + _rest(found)
        return _made(text, key, found["build"], is_prerelease=bool(found["stage"] or found["is_dev"]))
    return None


def _made(text: str, key: bytes, build: str | None, *, is_prerelease: bool) -> ReleaseVersion | None:
    if build:
        key += _BUILD + _labels(build.split(".")) + _END
    return ReleaseVersion(text, key.hex(), is_prerelease)


def _numbers(epoch: str, release: str) -> bytes:
    numbers = [int(number) for number in release.split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return b"".join(map(_number, (int(epoch), *numbers)))


def _rest(found: re.Match[str]) -> bytes:
    dev = _DEV + _number(int(found["dev"] or 0)) if found["is_dev"] else _NO_DEV
    post = _POST + _number(int(found["post"] or 0)) if found["is_post"] else _FINAL
    if found["stage"]:
        stage = found["stage"].lower()
        return _PRERELEASE + _labels([_STAGES.get(stage, stage), found["turn"] or "0"]) + _END + post + dev
    return _ONLY_DEV + dev if found["is_dev"] and not found["is_post"] else post + dev


def _labels(labels: list[str]) -> bytes:
    is_number = re.compile(rf"[0-9]{{1,{_MOST_DIGITS}}}").fullmatch
    return b"".join(_number(int(label)) if is_number(label) else _WORD_MARK + label.encode() + _END for label in labels)


def _number(number: int) -> bytes:
    digits = str(number).encode()
    return bytes([_NUMBER_MARK + len(digits)]) + digits
