"""Writes docs/errors.md from the error classes: `make docs`. A test holds the page to them."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import opencode
from opencode.infra.http.problems import PROBLEM_BASE, slug_of, status_of
from opencode.kernel.errors import OpenCodeError

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"

_HEAD = f"""\
# Problems

Every error is answered as a problem document (RFC 9457, `application/problem+json`): `type`, `title`, `status`, \
`detail` (what happened, with the value), `action` (what to do), `request_id`, and for bodies `errors`, one entry \
for each wrong field. `type` is `{PROBLEM_BASE}` and the name below; it names the kind, and nothing is to be fetched \
there. Programs should look at `type` and `status`; the sentences may get better.

Litestar's own findings come in the same form: `not-found` (404), `method-not-allowed` (405), `too-slow` (408), \
`too-large` (413). A fault of the server is `internal-fault` (500). `429` carries `Retry-After`. How document sockets \
are closed is in [protocol.md](protocol.md). Made by `make docs`: change the classes, not this page.

| type | status | title | when |
|---|---|---|---|
"""


def error_classes() -> list[type[OpenCodeError]]:
    """Every class that may be answered, by status and name."""
    for module in pkgutil.walk_packages(opencode.__path__, "opencode."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: set[type[OpenCodeError]] = set()
    waiting = [OpenCodeError]
    while waiting:
        waiting += (fresh := [each for each in waiting.pop().__subclasses__() if each not in found])
        found.update(fresh)
    # Tests make errors of their own.
    found = {each for each in found if each.__module__.startswith("opencode.")}
    return sorted(found, key=lambda each: (_status(each), slug_of(each)))


def render() -> str:
    rows = [f"| `{slug_of(each)}` | {_status(each)} | {each.title} | {_when(each)} |" for each in error_classes()]
    return _HEAD + "\n".join(rows) + "\n"


def _status(error: type[OpenCodeError]) -> int:
    return status_of(error.__new__(error))


def _when(error: type[OpenCodeError]) -> str:
    first = (inspect.getdoc(error) or "").partition("\n\n")[0]
    return " ".join(first.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
