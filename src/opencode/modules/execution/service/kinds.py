"""Which kinds of cells a runtime uses, and which of them may have its program up already."""

import functools
import sys
from dataclasses import replace

from opencode.contracts.execution import RunRequest
from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.adapters.sandbox import PLAIN
from opencode.modules.execution.adapters.toolchains import Found
from opencode.modules.execution.adapters.zygotes import Kind
from opencode.modules.execution.domain.programs import Program, Runtime, Warm


def kind_of(runtime: Runtime, found: Found) -> Kind:
    """What kind of cell the run stage needs."""
    if runtime.interpreter and not runtime.compile:
        return Kind(found.surroundings, python=found.places[runtime.interpreter])
    return plain(found)


def plain(found: Found) -> Kind:
    """Without the environment, which a program gets with its command: so most languages share their cells."""
    return Kind(replace(found.surroundings, environment=PLAIN.surroundings.environment))


def warm_kind_of(runtime: Runtime, found: Found, usual: Program) -> Kind | None:
    """Cells in which the program of the run stage is up, for those who ask for what is usual."""
    return _warm(runtime.warm, found, usual.warm)


def warm_compiler_of(runtime: Runtime, found: Found, usual: Program) -> Kind | None:
    """Cells in which the compiler is up."""
    return _warm(runtime.warm_compile, found, usual.warm_compile)


def suits_warm(runtime: Runtime, request: RunRequest, program: Program, usual: Program) -> bool:
    """Whether a program that was started for what is usual will do for the run stage of a request."""
    warm = runtime.warm
    if warm is None or request.terminal is not None or (request.args and not warm.arguments):
        return False
    # Names and limits that are part of the command cannot be changed any more.
    return program.warm == usual.warm


def _warm(warm: Warm | None, found: Found, command: tuple[str, ...]) -> Kind | None:
    if warm is None or not found.is_prepared:
        return None
    most = sys.maxsize if warm.most is None else warm.most
    return Kind(found.surroundings, warm=command, files=_files(warm), most=most)


@functools.cache
def _files(warm: Warm) -> tuple[tuple[str, bytes], ...]:
    return tuple((f"/.warm/{name}", (toolchains.WARM_FILES / name).read_bytes()) for name in warm.files)
