"""Writes the lists of docs/languages.md from the runtime files: `make docs`. A test holds the page to them."""

from pathlib import Path
from typing import get_args

from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.domain.programs import Runtime, Tier

PAGE = Path(__file__).parents[1] / "docs" / "languages.md"
_LISTS = "\n## All languages\n"
_TITLES: dict[Tier, str] = {
    "S": "Tier S: small, and what `make test` installs",
    "M": "Tier M: what most people ask for",
    "L": "Tier L: all the others",
}


def render() -> str:
    """The page: what people wrote as it is, the lists anew."""
    written = PAGE.read_text(encoding="utf-8").partition(_LISTS)[0]
    runtimes = toolchains.load()
    parts = [written, _LISTS, f"\n{len(runtimes)} of them. Made by `make docs` from the files under `runtimes/`.\n"]
    for tier in get_args(Tier):
        chosen = sorted((one for one in runtimes if one.tier == tier), key=lambda one: one.name.casefold())
        parts.append(f"\n### {_TITLES[tier]} ({len(chosen)})\n\n")
        parts.append("| language | id and aliases | packages | cannot |\n|---|---|---|---|\n")
        parts += [_row(runtime) for runtime in chosen]
    return "".join(parts)


def _row(runtime: Runtime) -> str:
    names = ", ".join(f"`{name}`" for name in (runtime.id, *runtime.aliases))
    packages = ", ".join((*runtime.install.apt, *runtime.install.pypi, *runtime.install.npm))
    return f"| {runtime.name} | {names} | {packages} | {', '.join(runtime.probes.cannot)} |\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
