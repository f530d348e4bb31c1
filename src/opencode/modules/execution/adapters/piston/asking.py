"""What is asked of other servers: a run in Piston's words."""

import base64
from collections.abc import Collection
from typing import Any

from opencode.contracts.execution import Limits, RunRefused, RunRequest, SourceFile, Stage

Json = dict[str, Any]

EOF = "eof"
RESIZE = "resize"
STDIN_BASE64 = "stdin_base64"
TERMINAL = "terminal"
_SHOWN = 60


def job_of(request: RunRequest, language: str, version: str, extensions: Collection[str], server: str) -> Json:
    """
    The fields that `execute` and `connect` share. Limits that nobody asked for are left to the server.

    Args:
        language: as the server calls it.
        extensions: what the server understands beyond Piston.

    Raises:
        RunRefused: Piston has no words for this.
    """
    main, *others = request.files
    first = _file(main)
    if "encoding" in first:
        raise RunRefused(
            f"{main.name[:_SHOWN]} is not UTF-8, and the main file of a run on {server} must be.",
            action="Save it as UTF-8.",
        )
    if request.terminal and TERMINAL not in extensions:
        raise RunRefused(
            f"{server} runs {request.language[:_SHOWN]}, and has no terminals.", action="Run it without a terminal."
        )
    return {
        "language": language,
        "version": version,
        "files": [first, *map(_file, others)],
        "args": list(request.args),
        **_limits("compile", request.compile_limits),
        **_limits("run", request.limits),
    }


def input_of(stdin: bytes, extensions: Collection[str], server: str) -> Json:
    """
    The input of a run that is not live. Stock Piston adds a line end to what has none; another OpenCode does not.

    Raises:
        RunRefused: it is not text, and the server takes nothing else.
    """
    if STDIN_BASE64 in extensions:
        return {"stdin_base64": base64.b64encode(stdin).decode()}
    try:
        return {"stdin": stdin.decode()}
    except UnicodeDecodeError:
        raise RunRefused(f"The input is not UTF-8, and {server} takes no other.", action="Give it text.") from None


def terminal_of(request: RunRequest) -> Json:
    terminal = request.terminal
    return {"terminal": {"columns": terminal.columns, "rows": terminal.rows}} if terminal else {}


def _file(file: SourceFile) -> Json:
    try:
        return {"name": file.name, "content": file.content.decode()}
    except UnicodeDecodeError:
        return {"name": file.name, "content": base64.b64encode(file.content).decode(), "encoding": "base64"}


def _limits(stage: Stage, limits: Limits) -> Json:
    asked = {
        f"{stage}_timeout": limits.wall_time_ms,
        f"{stage}_cpu_time": limits.cpu_time_ms,
        f"{stage}_memory_limit": limits.memory_bytes,
    }
    return {name: value for name, value in asked.items() if value is not None}
