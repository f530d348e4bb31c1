"""
What a client of Piston asks for, checked as Piston checks it.

All that is wrong is found at once; the first of it is what Piston would have said, in its words and its order. What
Piston takes for absent is absent here too: `0`, `""`, `false` and `null`. It passes a limit of 0 on to its sandbox,
where it means "no limit"; here it means "not given".
"""

import base64
import binascii
import math
from dataclasses import dataclass
from posixpath import normpath
from typing import Any, cast

from opencode.contracts.execution import Limits, RunRequest, SourceFile, Terminal
from opencode.kernel.errors import FieldProblem
from opencode.modules.execution.errors import JobRefused
from opencode.modules.execution.schemas.catalogue import Catalogue, Runtime
from opencode.modules.execution.settings import ExecutionSettings, PistonSettings

Json = dict[str, Any]

ANY_FILE = "file"
"""Piston's language that runs nothing of its own: its files may all be data."""
_LONGEST_SIDE = 1000  # of a terminal, in characters; see `Terminal`


@dataclass(frozen=True, slots=True)
class LimitRule:
    """A limit as a request names it. `default` is taken when it is not given, `ceiling` is the most that is allowed."""

    field: str
    default: int
    ceiling: int

    @property
    def takes_minus_one(self) -> bool:
        """For memory, -1 is Piston's word for "as much as the operator allows"."""
        return self.field.endswith("memory_limit")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What jobs may use. `rules` are in the order in which Piston checks them."""

    rules: tuple[LimitRule, ...]
    run_output_bytes: int
    compile_output_bytes: int

    @classmethod
    def of(cls, piston: PistonSettings, execution: ExecutionSettings) -> "Allowance":
        run, compiling = execution.run, execution.compile

        def rule(field: str, default: int, ceiling: int) -> LimitRule:
            return LimitRule(field, min(default, ceiling), ceiling)

        most = piston.piston_output_bytes
        return cls(
            (
                rule("compile_memory_limit", compiling.memory_bytes, compiling.memory_bytes),
                rule("run_memory_limit", run.memory_bytes, run.memory_bytes),
                rule("compile_timeout", piston.piston_compile_timeout_ms, compiling.wall_time_ms),
                rule("run_timeout", piston.piston_run_timeout_ms, run.wall_time_ms),
                rule("compile_cpu_time", piston.piston_compile_cpu_time_ms, compiling.cpu_time_ms),
                rule("run_cpu_time", piston.piston_run_cpu_time_ms, run.cpu_time_ms),
            ),
            min(most or run.output_bytes, run.output_bytes),
            min(most or compiling.output_bytes, compiling.output_bytes),
        )


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a request. `place` is its index; its name is not looked at yet."""

    place: int
    name: Any
    encoding: str
    content: str


@dataclass(frozen=True, slots=True)
class Job:
    """A request that is in order: what to run, the main file first."""

    runtime: Runtime
    files: tuple[SourceFile, ...]
    stdin: bytes
    args: tuple[str, ...]
    limits: Limits
    compile_limits: Limits
    terminal: Terminal | None

    def once(self, run_id: str, owner: str) -> RunRequest:
        """The run of an `execute`: its input is known from the start."""
        return self._request(run_id, owner, live=False)

    def live(self, run_id: str, owner: str) -> RunRequest:
        """The run of a `connect`: what it reads is typed while it runs."""
        return self._request(run_id, owner, live=True)

    def _request(self, run_id: str, owner: str, *, live: bool) -> RunRequest:
        return RunRequest(
            run_id=run_id,
            language=self.runtime.language.id,
            version=self.runtime.version,
            files=self.files,
            stdin=b"" if live else self.stdin,
            args=self.args,
            limits=self.limits,
            compile_limits=self.compile_limits,
            live=live,
            terminal=self.terminal if live else None,
            owner=owner,
        )


def read_job(body: Any, catalogue: Catalogue, allowance: Allowance, *, live: bool = False) -> Job:
    """
    Check a request.

    Args:
        body: decoded JSON of any shape.
        live: it is the `init` of a socket, where `stdin` is ignored and `terminal` is known.

    Raises:
        JobRefused: something is wrong; all of it is named.
    """
    fields = cast("Json", body) if isinstance(body, dict) else {}
    problems: list[FieldProblem] = []
    language, version = (_required_text(fields, name, problems) for name in ("language", "version"))
    files = _files(fields, problems)
    runtime = catalogue.find(language, version) if language and version else None
    nearest: tuple[str, ...] | None = None
    if language and version and runtime is None:
        nearest = catalogue.nearest(language)
        problems.append(_unknown(language, version, catalogue))
    main = next((place for place, file in enumerate(files) if file.encoding == "utf8"), None)
    if main is None and language != ANY_FILE and isinstance(fields.get("files"), list):
        problems.append(FieldProblem("/files", "files must include at least one utf8 encoded file"))
    limits = {rule.field: _limit(rule, fields.get(rule.field), problems) for rule in allowance.rules}
    default_name = runtime.language.file_name if runtime else ""
    sources = _sources(files, main or 0, default_name, problems)
    stdin = b"" if live else _stdin(fields, problems)
    args = _args(fields.get("args"), problems)
    terminal = read_terminal(fields["terminal"], problems) if live and fields.get("terminal") else None
    if problems or runtime is None:
        raise JobRefused(tuple(problems), nearest)
    return Job(
        runtime=runtime,
        files=sources,
        stdin=stdin,
        args=args,
        limits=_stage_limits("run", limits, allowance.run_output_bytes),
        compile_limits=_stage_limits("compile", limits, allowance.compile_output_bytes),
        terminal=terminal,
    )


def read_terminal(value: Any, problems: list[FieldProblem]) -> Terminal:
    """The size of a terminal; what is missing is that of `Terminal`. What is wrong is added to `problems`."""
    sizes = cast("Json", value) if isinstance(value, dict) else {"columns": value}
    usual = Terminal()
    columns, rows = sizes.get("columns", usual.columns), sizes.get("rows", usual.rows)
    for name, size in (("columns", columns), ("rows", rows)):
        if type(size) is not int or not 1 <= size <= _LONGEST_SIDE:
            problems.append(
                FieldProblem(f"/terminal/{name}", f"terminal.{name} must be a number from 1 to {_LONGEST_SIDE}")
            )
    return usual if problems else Terminal(columns, rows)


def is_absent(value: Any) -> bool:
    """What JavaScript takes for false."""
    return value is None or value is False or value == 0 or value == ""


def _required_text(fields: Json, name: str, problems: list[FieldProblem]) -> str:
    value = fields.get(name)
    if isinstance(value, str) and value:
        return value
    problems.append(FieldProblem(f"/{name}", f"{name} is required as a string"))
    return ""


def _unknown(language: str, version: str, catalogue: Catalogue) -> FieldProblem:
    pointer = "/version" if catalogue.versions(language) else "/language"
    return FieldProblem(pointer, f"{language}-{version} runtime is unknown")


def _files(fields: Json, problems: list[FieldProblem]) -> list[_File]:
    """The files that are objects with a text in them."""
    files: Any = fields.get("files")
    if not isinstance(files, list):
        problems.append(FieldProblem("/files", "files is required as an array"))
        return []
    good: list[_File] = []
    for place, file in enumerate(cast("list[Any]", files)):
        given = cast("Json", file) if isinstance(file, dict) else {}
        content, encoding = given.get("content"), given.get("encoding")
        if isinstance(content, str):
            known = encoding if encoding == "base64" or encoding == "hex" else "utf8"
            good.append(_File(place, given.get("name"), known, content))
        else:
            problems.append(FieldProblem(f"/files/{place}/content", f"files[{place}].content is required as a string"))
    return good


def _sources(files: list[_File], main: int, default_name: str, problems: list[FieldProblem]) -> tuple[SourceFile, ...]:
    """
    The files of the program, the main one first.

    Args:
        default_name: what the main file is called when it has no name, so that its compiler knows what it is.
    """
    names = [_name(file, problems) for file in files]
    if main < len(files) and is_absent(files[main].name) and default_name and default_name not in names:
        names[main] = default_name
    sources = [SourceFile(name, _content(file, problems)) for name, file in zip(names, files, strict=True)]
    return (*sources[main : main + 1], *sources[:main], *sources[main + 1 :])


def _name(file: _File, problems: list[FieldProblem]) -> str:
    name, place = file.name, file.place
    pointer = f"/files/{place}/name"
    if is_absent(name):
        return f"file{place}.code"
    if not isinstance(name, str):
        problems.append(FieldProblem(pointer, f"files[{place}].name must be a string"))
        return ""
    # As Piston joins it to the program's folder: `/a`, `./a` and `b/../a` are `a`.
    plain = normpath(name.lstrip("/"))
    if plain in {".", ".."} or plain.startswith("../"):
        problems.append(FieldProblem(pointer, f"files[{place}].name must not lead out of the program's folder"))
    return plain


def _content(file: _File, problems: list[FieldProblem]) -> bytes:
    try:
        if file.encoding == "base64":
            return _from_base64(file.content)
        return bytes.fromhex(file.content) if file.encoding == "hex" else file.content.encode()
    except ValueError:
        detail = f"files[{file.place}].content is not valid {file.encoding}"
        problems.append(FieldProblem(f"/files/{file.place}/content", detail))
        return b""


def _from_base64(text: str) -> bytes:
    """
    Both alphabets (RFC 4648 §4 and §5), with or without the padding, on any number of lines: as Node reads it.

    Raises:
        ValueError: there is something else in it, which Node would skip.
    """
    plain = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _stdin(fields: Json, problems: list[FieldProblem]) -> bytes:
    """Exactly the bytes of `stdin_base64`, which is ours; or the text of `stdin`, which gets a line end."""
    exact, text = fields.get("stdin_base64"), fields.get("stdin")
    if exact is not None:
        try:
            if isinstance(exact, str):
                return _from_base64(exact)
        except ValueError:
            pass
        problems.append(FieldProblem("/stdin_base64", "If specified, stdin_base64 must be base64"))
        return b""
    if is_absent(text):
        return b"\n"
    if isinstance(text, str):
        return (text if text.endswith("\n") else text + "\n").encode()
    problems.append(FieldProblem("/stdin", "If specified, stdin must be a string"))
    return b""


def _args(value: Any, problems: list[FieldProblem]) -> tuple[str, ...]:
    if is_absent(value):
        return ()
    if not isinstance(value, list):
        problems.append(FieldProblem("/args", "If specified, args must be an array"))
        return ()
    args = cast("list[Any]", value)
    problems += [
        FieldProblem(f"/args/{place}", f"args[{place}] must be a string")
        for place, arg in enumerate(args)
        if not isinstance(arg, str)
    ]
    return tuple(args)


def _limit(rule: LimitRule, value: Any, problems: list[FieldProblem]) -> int:
    if is_absent(value):
        return rule.default
    pointer = f"/{rule.field}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.append(FieldProblem(pointer, f"If specified, {rule.field} must be a number"))
    elif value == -1 and rule.takes_minus_one:
        return rule.ceiling
    elif value > rule.ceiling:
        problems.append(FieldProblem(pointer, f"{rule.field} cannot exceed the configured limit of {rule.ceiling}"))
    elif value < 0:
        problems.append(FieldProblem(pointer, f"{rule.field} must be non-negative"))
    else:
        return math.ceil(value)
    return rule.default


def _stage_limits(stage: str, limits: dict[str, int], output_bytes: int) -> Limits:
    return Limits(
        wall_time_ms=limits[f"{stage}_timeout"],
        cpu_time_ms=limits[f"{stage}_cpu_time"],
        memory_bytes=limits[f"{stage}_memory_limit"],
        output_bytes=output_bytes,
    )
