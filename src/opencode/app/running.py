"""`ocp run`: one file in the same sandbox as an interview's, with this terminal as its input and output."""

import asyncio
import contextlib
import difflib
import os
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Generator
from pathlib import Path

from opencode.contracts.execution import (
    Finished,
    LanguageUnknown,
    Limits,
    Output,
    RunRequest,
    SourceFile,
    Terminal,
    Verdict,
)
from opencode.kernel.errors import Invalid
from opencode.kernel.ids import new_id
from opencode.modules.execution.domain.programs import Runtime
from opencode.modules.execution.service.runner import Runs

_READ_BYTES = 4096
_NO_EXIT_CODE = 1
_SIGNALLED = 128  # what shells add to the number of a signal


class FileNotReadable(Invalid):
    """`ocp run` was given a file that cannot be read."""

    title = "The file cannot be read"


_TIERS = (None, "S", "M", "L")  # an operator's own languages are in none


def language_of(path: Path, asked: str | None, runtimes: tuple[Runtime, ...]) -> Runtime:
    """
    The language that was asked for, or the one of the file's ending.

    Raises:
        LanguageUnknown: there is none; the nearest names are in its action.
    """
    wanted = asked.lower() if asked else path.suffix
    # Several share an ending, such as Python and Jython. The usual one is in the smaller tier.
    for runtime in sorted(runtimes, key=lambda runtime: _TIERS.index(runtime.tier)):
        if wanted in ((runtime.id, *runtime.aliases) if asked else runtime.suffixes):
            return runtime
    if not asked:
        known = " ".join(sorted({suffix for runtime in runtimes for suffix in runtime.suffixes}))
        ending = f"ends in {path.suffix}, which" if path.suffix else "has no ending, so that"
        raise LanguageUnknown(
            f"{path.name} {ending} tells no language.", action=f"Name it with --language, or end the file in: {known}."
        )
    names = [name for runtime in runtimes for name in (runtime.id, *runtime.aliases)]
    nearest = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(nearest)}? " if nearest else ""
    raise LanguageUnknown(f"There is no language {asked!r}.", action=f"{hint}ocp runtimes lists them all.")


def request_for(
    path: Path,
    runtime: Runtime,
    *,
    stdin: str | None,
    args: tuple[str, ...],
    limits: Limits,
    terminal: bool,
) -> RunRequest:
    """
    Args:
        stdin: what the program reads; `-` takes all of our own input.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileNotReadable(f"{path} cannot be read: {error.strerror}.", action="Check the name.") from error
    name = path.name if path.suffix in runtime.suffixes else runtime.file_name
    typed = sys.stdin.buffer.read() if stdin == "-" else (stdin or "").encode()
    return RunRequest(
        new_id("run"),
        runtime.id,
        (SourceFile(name, content),),
        stdin=typed,
        args=args,
        limits=limits,
        live=terminal,
        terminal=_own_size() if terminal else None,
    )


async def run_file(runner: Runs, request: RunRequest) -> Finished:
    """Run it and pass on what it prints as it comes. Ctrl-C stops it; in a terminal it goes to the program."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as at_the_end:
        if request.terminal:
            at_the_end.enter_context(_passing_on_keys(runner, request.run_id))
        loop.add_signal_handler(signal.SIGINT, lambda: loop.create_task(runner.stop(request.run_id)))
        at_the_end.callback(loop.remove_signal_handler, signal.SIGINT)
        async with contextlib.aclosing(runner.run(request)) as events:
            async for event in events:
                match event:
                    case Output():
                        _write(event)
                    case Finished():
                        return event
                    case _:
                        continue
    raise RuntimeError("the engine ended without a verdict")


def status_of(finished: Finished) -> int:
    """The exit status that a shell would see: the program's own, or 128 and the number of its signal."""
    if finished.verdict is Verdict.STOPPED:
        return _SIGNALLED + signal.SIGINT
    if finished.signal:
        return _SIGNALLED + signal.Signals[finished.signal].value
    return _NO_EXIT_CODE if finished.exit_code is None else finished.exit_code


def verdict_in_words(finished: Finished) -> str:
    """Such as `The program ended with exit code 3. 12 ms, 8.1 MB`."""
    took = f"{finished.wall_time_ms} ms"
    if finished.memory_bytes is not None:
        took += f", {finished.memory_bytes / 1024 / 1024:.1f} MB"
    cut = " Its output was cut." if finished.truncated else ""
    return f"{finished.message}{cut} {took}"


def _write(output: Output) -> None:
    target = sys.stdout if output.stream == "stdout" else sys.stderr
    target.buffer.write(output.data)
    target.buffer.flush()


def _own_size() -> Terminal:
    size = shutil.get_terminal_size()
    return Terminal(min(max(size.columns, 1), 1000), min(max(size.lines, 1), 1000))


@contextlib.contextmanager
def _passing_on_keys(runner: Runs, run_id: str) -> Generator[None]:
    """What is typed here goes to the program key by key, and a new size of our window, too."""
    loop = asyncio.get_running_loop()
    source = sys.stdin.fileno()
    keys: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        typed = os.read(source, _READ_BYTES)
        if not typed:
            loop.remove_reader(source)
        keys.put_nowait(typed)

    async def pass_on() -> None:
        while typed := await keys.get():
            await runner.write(run_id, typed)
        await runner.end_input(run_id)

    with _raw(source):
        loop.add_reader(source, read)
        loop.add_signal_handler(signal.SIGWINCH, lambda: loop.create_task(runner.resize(run_id, _own_size())))
        passing = loop.create_task(pass_on())
        try:
            yield
        finally:
            passing.cancel()
            loop.remove_reader(source)
            loop.remove_signal_handler(signal.SIGWINCH)


@contextlib.contextmanager
def _raw(source: int) -> Generator[None]:
    """Leave it to the program's own terminal to echo, to edit lines, and to make signals of keys."""
    if not os.isatty(source):
        yield
        return
    before = termios.tcgetattr(source)
    tty.setraw(source)
    try:
        yield
    finally:
        termios.tcsetattr(source, termios.TCSADRAIN, before)
