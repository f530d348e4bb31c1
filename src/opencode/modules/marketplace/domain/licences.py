"""
Licences as SPDX expressions (SPDX specification 2.3, annex D): `MIT`, `Apache-2.0 OR MIT`,
`GPL-2.0-only WITH Classpath-exception-2.0`, `LicenseRef-Our-Own`. Identifiers are compared without case and kept as
the list spells them.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache

MAX_EXPRESSION = 200
_DEEPEST = 10

_LICENCES = """
    0BSD AFL-3.0 AGPL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 APSL-2.0 Artistic-1.0 Artistic-1.0-Perl
    Artistic-2.0 BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-3-Clause-Clear
    BSD-4-Clause BSL-1.0 BUSL-1.1 CAL-1.0 CC-BY-3.0 CC-BY-4.0 CC-BY-NC-4.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-4.0 CC-BY-ND-4.0
    CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 CECILL-2.1 CECILL-B CECILL-C CPAL-1.0 CPL-1.0 curl ECL-2.0
    EFL-2.0 Elastic-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 FSFAP FTL GFDL-1.3 GFDL-1.3-only GFDL-1.3-or-later GPL-1.0
    GPL-1.0-only GPL-1.0-or-later GPL-2.0 GPL-2.0-only GPL-2.0-or-later GPL-3.0 GPL-3.0-only GPL-3.0-or-later HPND ICU
    IJG IPL-1.0 ISC JSON LGPL-2.0 LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1 LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0
    LGPL-3.0-only LGPL-3.0-or-later Libpng libtiff LPL-1.02 LPPL-1.3c MirOS MIT MIT-0 MIT-CMU MIT-Modern-Variant
    MPL-1.0 MPL-1.1 MPL-2.0 MS-PL MS-RL MulanPSL-2.0 Multics NASA-1.3 NCSA NPL-1.1 NTP OFL-1.1 OLDAP-2.8 OpenSSL
    OSL-3.0 PHP-3.0 PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 QPL-1.0 RPL-1.5 Ruby SGI-B-2.0 Sleepycat
    SISSL SSPL-1.0 TCL Unicode-3.0 Unicode-DFS-2016 Unlicense UPL-1.0 Vim W3C W3C-20150513 WTFPL X11 Xnet Zend-2.0 Zlib
    ZPL-2.0 ZPL-2.1 zlib-acknowledgement
"""
_EXCEPTIONS = """
    Autoconf-exception-2.0 Autoconf-exception-3.0 Bison-exception-2.2 Bootloader-exception Classpath-exception-2.0
    eCos-exception-2.0 FLTK-exception Font-exception-2.0 freertos-exception-2.0 GCC-exception-2.0 GCC-exception-3.1
    GPL-CC-1.0 LGPL-3.0-linking-exception Libtool-exception Linux-syscall-note LLVM-exception
    OCaml-LGPL-linking-exception OpenJDK-assembly-exception-1.0 openvpn-openssl-exception Qt-GPL-exception-1.0
    Qt-LGPL-exception-1.1 Swift-exception u-boot-exception-2.0 Universal-FOSS-exception-1.0 WxWindows-exception-3.1
"""
LICENCES = {name.lower(): name for name in _LICENCES.split()}
"""The identifiers in common use, by their lower-case form. Others are written as `LicenseRef-…`."""
EXCEPTIONS = {name.lower(): name for name in _EXCEPTIONS.split()}

_TOKEN = re.compile(r"\s*([()]|[A-Za-z0-9.+:-]+)")
_REFERENCE = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+")
_NO_NAMES = frozenset({"", "(", ")", "AND", "OR", "WITH"})


class NotAnExpressionError(ValueError):
    """Says in words what is wrong with an expression."""


@lru_cache(maxsize=4096)
def normalised(expression: str) -> str:
    """
    The expression with identifiers and operators as SPDX spells them, and single spaces.

    Raises:
        NotAnExpressionError: it is none, or names a licence that is not known; the nearest names are told.
    """
    if len(expression) > MAX_EXPRESSION:
        raise NotAnExpressionError(f"must have at most {MAX_EXPRESSION} characters")
    parser = _Parser(_tokens(expression))
    read = parser.alternatives(0)
    if parser.ahead():
        raise NotAnExpressionError(f"has {parser.ahead()!r} where AND, OR or the end should be")
    return read


class _Parser:
    """By recursive descent: OR binds loosest, then AND, then WITH."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._next = 0

    def ahead(self) -> str:
        """The next token, or nothing at the end. Operators are compared in capitals."""
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def alternatives(self, depth: int) -> str:
        return self._chain("OR", self._requirements, depth)

    def _requirements(self, depth: int) -> str:
        return self._chain("AND", self._term, depth)

    def _chain(self, operator: str, part: Callable[[int], str], depth: int) -> str:
        parts = [part(depth)]
        while self.ahead().upper() == operator:
            self._next += 1
            parts.append(part(depth))
        return f" {operator} ".join(parts)

    def _term(self, depth: int) -> str:
        if self.ahead() == "(":
            if depth >= _DEEPEST:
                raise NotAnExpressionError(f"must not nest brackets more than {_DEEPEST} deep")
            self._next += 1
            inner = self.alternatives(depth + 1)
            if self.ahead() != ")":
                raise NotAnExpressionError("has a bracket that is not closed")
            self._next += 1
            return f"({inner})"
        licence = _licence(self._take("a licence"))
        if self.ahead().upper() != "WITH":
            return licence
        self._next += 1
        return f"{licence} WITH {_known(self._take('an exception'), EXCEPTIONS, 'an exception')}"

    def _take(self, wanted: str) -> str:
        token = self.ahead()
        if token.upper() in _NO_NAMES:
            raise NotAnExpressionError(f"has {token!r} where {wanted} should be" if token else f"lacks {wanted}")
        self._next += 1
        return token


def _tokens(expression: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    text = expression.rstrip()
    while at < len(text):
        if (found := _TOKEN.match(text, at)) is None:
            raise NotAnExpressionError(f"has the character {text[at:].lstrip()[0]!r}, which no expression has")
        tokens.append(found[1])
        at = found.end()
    return tokens


def _licence(token: str) -> str:
    if _REFERENCE.fullmatch(token):
        return token
    if token.endswith("+"):
        return _known(token[:-1], LICENCES, "a licence") + "+"
    return _known(token, LICENCES, "a licence")


def _known(token: str, names: dict[str, str], kind: str) -> str:
    if name := names.get(token.lower()):
        return name
    near = [names[found] for found in get_close_matches(token.lower(), names, n=3, cutoff=0.5)]
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    own = "; a licence of your own is written LicenseRef-<name>" if names is LICENCES else ""
    raise NotAnExpressionError(f"{token!r} is not {kind} of the SPDX list in common use{hint}{own}")
