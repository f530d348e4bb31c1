"""What is made once for a toolchain, so that its programs start sooner."""

import errno
import hashlib
from dataclasses import replace
from pathlib import Path

import structlog

from opencode.modules.execution.adapters import host, shelf
from opencode.modules.execution.adapters.surroundings import PREPARED
from opencode.modules.execution.adapters.toolchains import WARM_FILES, Found
from opencode.modules.execution.domain.programs import Runtime, fill_in

log = structlog.get_logger(__name__)


async def prepare(runtime: Runtime, found: Found, shelves: tuple[str, ...]) -> Found:
    """
    Have a toolchain make what its runtime file asks for, or find it on the shelf. Takes seconds. Should it fail, the
    runtime stays as it is, which is slower and nothing else.
    """
    # One that was put on a shelf is known by another place in there than here, and archives remember places.
    if runtime.prepare is None or not found.is_of_system:
        return found
    try:
        folder = await _made(runtime, found, shelves)
    except OSError as error:
        log.warning("a toolchain could not be prepared", runtime=runtime.id, reason=str(error))
        return found
    surroundings = found.surroundings.showing(folder, PREPARED)
    return replace(found, places=found.places | runtime.prepare.words, surroundings=surroundings, is_prepared=True)


async def _made(runtime: Runtime, found: Found, shelves: tuple[str, ...]) -> Path:
    assert runtime.prepare
    files = {name: (WARM_FILES / name).read_bytes() for name in runtime.prepare.files}
    commands = [[fill_in(word, found.places) for word in command] for command in runtime.prepare.commands]
    target = shelf.first_usable(shelves) / f"{runtime.id}-prepared-{found.version}-{_state(found, files, commands)}"
    if target.is_dir():
        return target
    with shelf.unfinished(target) as folder:
        for name, content in files.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        for command in commands:
            good, said = await host.make(command, folder)
            if not good:
                raise OSError(errno.EIO, f"{Path(command[0]).name} failed or took too long: {said.strip()}")
        shelf.show(folder)
    return target


def _state(found: Found, files: dict[str, bytes], commands: list[list[str]]) -> str:
    state = hashlib.sha256(repr((sorted(files.items()), commands)).encode())
    for place in found.places.values():
        if place.startswith("/"):
            status = Path(place).resolve().stat()
            state.update(f"{place}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return state.hexdigest()[:16]
