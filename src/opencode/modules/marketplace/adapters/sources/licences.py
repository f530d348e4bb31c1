"""Licences as SPDX expressions (spdx.org/licenses), from the ways in which people name them."""

import re

from opencode.modules.marketplace.domain.licences import LICENCES, NotAnExpressionError, normalised

# The ids of the GNU family before SPDX 3, which GitHub and many packages still write.
_OLD = re.compile(r"(?<![\w.-])(a?gpl|lgpl)-(\d\.\d)(\+?)(?![\w.-])", re.IGNORECASE)
_LONGEST_NAME = 200

_NAMES = {
    "mit": "MIT",
    "expat": "MIT",
    "mit expat": "MIT",
    "x11": "X11",
    "isc": "ISC",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache software": "Apache-2.0",
    "apache software 2.0": "Apache-2.0",
    "asl 2.0": "Apache-2.0",
    "new bsd": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "revised bsd": "BSD-3-Clause",
    "3 clause bsd": "BSD-3-Clause",
    "bsd 3 clause": "BSD-3-Clause",
    "bsd 3": "BSD-3-Clause",
    "simplified bsd": "BSD-2-Clause",
    "2 clause bsd": "BSD-2-Clause",
    "bsd 2 clause": "BSD-2-Clause",
    "bsd 2": "BSD-2-Clause",
    "mozilla public 2.0": "MPL-2.0",
    "mpl 2": "MPL-2.0",
    "mpl 2.0": "MPL-2.0",
    "eclipse public 2.0": "EPL-2.0",
    "boost software 1.0": "BSL-1.0",
    "python software foundation": "PSF-2.0",
    "psf": "PSF-2.0",
    "zope public": "ZPL-2.1",
    "unlicense": "Unlicense",
    "cc0": "CC0-1.0",
    "cc0 1.0 universal": "CC0-1.0",
    "zlib": "Zlib",
    "zlib libpng": "Zlib",
    "wtfpl": "WTFPL",
    "do what the fuck you want to public": "WTFPL",
    "universal permissive": "UPL-1.0",
    "mit no attribution": "MIT-0",
    "european union public 1.2": "EUPL-1.2",
}
_GNU = re.compile(
    r"(?:gnu )?(?P<kind>agpl|lgpl|gpl|affero general public|lesser general public|library or lesser general public|"
    r"general public)(?: v| )?(?P<version>\d(?:\.\d)?)?(?P<later>\+| or (?:any )?later| or newer)?"
)
_GNU_KINDS = {"agpl": "agpl", "affero general public": "agpl", "gpl": "gpl", "general public": "gpl"}


def spdx_of(text: str) -> str:
    """
    What a licence field means: an SPDX expression of usual licences, or a usual name of one. Empty when it cannot be
    told, as for `BSD`, of which there are several.
    """
    text = " ".join(text[: 10 * _LONGEST_NAME].split())
    if not text or len(text) > _LONGEST_NAME:  # the licence's whole text
        return ""
    return _expression(text) or _name(text)


def spdx_of_classifiers(classifiers: list[str]) -> str:
    """From PyPI's `License :: …`; several stand for a choice."""
    names = [each.rpartition("::")[2].strip() for each in classifiers if each.startswith("License ::")]
    found = [spdx_of(name) for name in names if name != "OSI Approved"]
    return " OR ".join(dict.fromkeys(found)) if found and all(found) else ""


def _name(text: str) -> str:
    # PyPI repeats the short name in brackets: `ISC License (ISCL)`.
    plain = re.sub(r"[^a-z0-9.+]+", " ", re.sub(r"(?<=\S) ?\([^()]*\)$", "", text).lower())
    words = re.sub(r"\b(the|licen[sc]e[sd]?|version|under)\b", " ", plain)
    words = " ".join(re.sub(r"\bv(?=\d)", "", words).split()).strip(" .")
    if words in _NAMES:
        return _NAMES[words]
    gnu = _GNU.fullmatch(re.sub(r"(?<=gpl)(?=\d)", " ", words.replace("gplv", "gpl ")))
    if gnu is None or not gnu["version"]:
        return ""
    kind = _GNU_KINDS.get(gnu["kind"], "lgpl")
    version = gnu["version"] if "." in gnu["version"] else f"{gnu['version']}.0"
    is_later = gnu["later"] or re.search(r"\+|or (?:later|newer)", words)
    return LICENCES.get(f"{kind}-{version}-{'or-later' if is_later else 'only'}", "")


def _expression(text: str) -> str:
    """The expression as SPDX spells it; empty when it is none."""
    try:
        return normalised(_OLD.sub(_renewed, text))
    except NotAnExpressionError:
        return ""


def _renewed(old: re.Match[str]) -> str:
    return f"{old[1]}-{old[2]}-{'or-later' if old[3] else 'only'}"
