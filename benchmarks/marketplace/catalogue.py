"""
A realistic catalogue of any size, always the same one: the names, summaries, sections, tags and home pages of Debian's
own packages, as apt has them on this machine, and seeded variation of all of it beyond the packages that there are.
"""

import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from opencode.kernel.ids import ProjectId, id_of
from opencode.modules.marketplace.domain.catalog import Listing, Standing
from opencode.modules.marketplace.domain.ranking import HALF_LIFE_S, popularity, trend

SEED = 20_261_126
_FIRST_MS = 1_700_000_000_000
_BETWEEN_MS = 90_000
_LICENSES = (
    "MIT",
    "Apache-2.0",
    "GPL-3.0-or-later",
    "GPL-2.0-only",
    "BSD-3-Clause",
    "LGPL-2.1-or-later",
    "MPL-2.0",
    "ISC",
    "AGPL-3.0-only",
    "Unlicense",
    "CC0-1.0",
    "Zlib",
    "EUPL-1.2",
    "MIT OR Apache-2.0",
    "BSL-1.0",
)
_TECHNOLOGIES = {
    "python": "Python",
    "rust": "Rust",
    "javascript": "JavaScript",
    "perl": "Perl",
    "ruby": "Ruby",
    "java": "Java",
    "golang": "Go",
    "haskell": "Haskell",
    "php": "PHP",
    "ocaml": "OCaml",
    "lisp": "Lisp",
    "gnu-r": "R",
    "kde": "Qt",
    "gnome": "GTK",
    "database": "SQL",
    "web": "HTML",
    "electronics": "Verilog",
    "kernel": "C",
    "libs": "C",
    "libdevel": "C++",
    "games": "C++",
    "graphics": "OpenGL",
    "math": "Fortran",
}
_ENDINGS = (
    "kit",
    "core",
    "plus",
    "lite",
    "next",
    "tools",
    "server",
    "client",
    "utils",
    "api",
    "engine",
    "studio",
    "hub",
    "lab",
    "flow",
    "sync",
    "cloud",
    "ui",
    "cli",
    "sdk",
    "app",
    "js",
    "rs",
    "py",
    "go",
    "ng",
    "pro",
    "mini",
)
_QUALITIES = (
    "Fast",
    "Small",
    "Modern",
    "Typed",
    "Simple",
    "Portable",
    "Embedded",
    "Distributed",
    "Minimal",
    "Asynchronous",
    "Declarative",
    "Experimental",
    "Secure",
    "Offline",
    "Streaming",
    "Parallel",
)


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    summary: str
    section: str
    tags: tuple[str, ...]


def packages() -> list[Package]:
    """All packages that apt knows, by name."""
    said = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    found: dict[str, Package] = {}
    for paragraph in said.split("\n\n"):
        fields = dict(re.findall(r"(?m)^([A-Z][\w-]*): (.*(?:\n .*)*)", paragraph))
        if "Package" in fields and "Description" in fields:
            tags = tuple(tag.strip().split("::")[-1] for tag in fields.get("Tag", "").split(",") if "::" in tag)
            summary = fields["Description"].split("\n")[0]
            section = fields.get("Section", "misc").split("/")[-1]
            found[fields["Package"]] = Package(fields["Package"], summary, section, tags[:6])
    return [found[name] for name in sorted(found)]


def catalogue(size: int) -> Iterator[tuple[Listing, Standing]]:
    """That many projects, oldest first."""
    chance = random.Random(SEED)
    known = packages()
    words = sorted({word for package in known for word in re.findall(r"[a-z]{4,}", package.name)})
    for number in range(size):
        package = known[number] if number < len(known) else _varied(chance, chance.choice(known), words, number)
        yield _listing(chance, package, number), _standing(chance, number)


def _varied(chance: random.Random, package: Package, words: list[str], number: int) -> Package:
    stem = chance.choice(package.name.split("-")) if chance.random() < 0.5 else package.name
    shape = chance.random()
    if shape < 0.5:
        name = f"{stem}-{chance.choice(_ENDINGS)}"
    elif shape < 0.85:
        name = f"{chance.choice(words)}-{stem}"
    else:
        name = f"{stem}{chance.choice(words)}"
    if chance.random() < 0.3:
        name += str(number % 1000)
    summary = f"{chance.choice(_QUALITIES)} {package.summary[:1].lower()}{package.summary[1:]}"
    return Package(name, f"{summary} for {chance.choice(words)}", package.section, package.tags)


def _listing(chance: random.Random, package: Package, number: int) -> Listing:
    at_ms = _FIRST_MS + number * _BETWEEN_MS
    technologies = {_TECHNOLOGIES.get(package.section, "C")}
    while chance.random() < 0.35:
        technologies.add(chance.choice(list(_TECHNOLOGIES.values())))
    return Listing(
        id=_id(chance, at_ms),
        name=package.name,
        title=package.name,
        summary=package.summary,
        owner=f"author{int(chance.paretovariate(0.7)) % 50_000}",
        created_at=at_ms * 1000,
        updated_at=(at_ms + int(chance.expovariate(1 / 3e10))) * 1000,
        technologies=tuple(sorted(technologies)),
        tags=tuple(dict.fromkeys((package.section, *package.tags)))[:7],
        license=_LICENSES[min(int(chance.paretovariate(0.9)) - 1, len(_LICENSES) - 1)],
        is_free=chance.random() < 0.92,
    )


def _standing(chance: random.Random, number: int) -> Standing:
    stars = int(chance.paretovariate(0.9)) - 1
    downloads = int(chance.paretovariate(0.6) * 10) - 10
    trending = trend(
        float("-inf"), 1.0 + stars, (_FIRST_MS + number * _BETWEEN_MS) / 1000 + chance.random() * HALF_LIFE_S
    )
    return Standing(popularity(stars, min(downloads, 10**10)), trending)


def _id(chance: random.Random, at_ms: int) -> ProjectId:
    return ProjectId(id_of("prj", at_ms << 80 | chance.getrandbits(80)))
