"""
What is said over a `connect` socket, and what is heard, as data.

A script is a list of steps: `say` a message (an object, a text, or bytes), `hear` exactly this one, `until` the program
reaches a word, `word` lets it go on, `told` is what the run has been told since the last time. Every script ends with
the `bye` of the server, before which nothing else is heard.
"""

from typing import Any

from opencode.contracts.execution import Terminal

from .kit import Json, init

Step = tuple[str, Any]

RUNTIME = {"type": "runtime", "language": "python", "version": "3.12.1"}
RUN = {"type": "stage", "stage": "run"}
COMPILE = {"type": "stage", "stage": "compile"}
COMPLETED = (4999, "Job Completed")
NOTIFIED = (4002, "Notified Error")
TIMEOUT = (4001, "Initialization Timeout")
NOT_YET = (4003, "Not yet initialized")


def out(data: str, stream: str = "stdout") -> Json:
    return {"type": "data", "stream": stream, "data": data}


def err(data: str) -> Json:
    return out(data, "stderr")


def ended(**changes: Any) -> Json:
    """The end of a run that went well, but for these keys."""
    well = {"type": "exit", "stage": "run", "code": 0, "signal": None, "status": None}
    return {**well, "cpu_time": 3, "wall_time": 5, "memory": 3_000_000_000, **changes}


def typed(data: str) -> Json:
    return {"type": "data", "stream": "stdin", "data": data}


def signal(name: Any) -> Json:
    return {"type": "signal", "signal": name}


def killed(status: str, **more: Any) -> Json:
    return ended(code=None, signal="SIGKILL", status=status, **more)


def error(message: str, **more: Any) -> Json:
    return {"type": "error", "message": message, **more}


def refused(pointer: str, detail: str, **more: Any) -> Json:
    return error(detail, errors=[{"pointer": pointer, "detail": detail}], **more)


def whole(*lines: str, heard: list[Json], **fields: Any) -> list[Step]:
    """A job that needs nobody to talk to it."""
    return [("say", init(*lines, **fields)), ("hear", RUNTIME), *(("hear", each) for each in heard), ("bye", COMPLETED)]


def begun(*lines: str, **fields: Any) -> list[Step]:
    """A job of which the run has begun."""
    return [("say", init(*lines, **fields)), ("hear", RUNTIME), ("hear", RUN)]


def fails(said: Any, heard: Json) -> list[Step]:
    return [("say", said), ("hear", heard), ("bye", NOTIFIED)]


NOT_JSON = error("The body is not JSON: Input data was truncated. Send a JSON object, encoded as UTF-8.")
NO_OBJECT = error("A message must be a JSON object.")

SCRIPTS: list[tuple[str, list[Step]]] = [
    ("a program prints and ends", whole("out hello", heard=[RUN, out("hello\n"), ended()])),
    ("a program prints nothing", whole(heard=[RUN, ended()])),
    ("both streams are told apart", whole("out a", "err b", "out c", heard=[
        RUN, out("a\n"), err("b\n"), out("c\n"), ended(),
    ])),
    ("a program fails", whole("exit 3", heard=[RUN, ended(code=3, status="RE")])),
    ("a program dies", whole("die SIGSEGV", heard=[RUN, ended(code=None, signal="SIGSEGV", status="SG")])),
    ("a program takes too long", whole("out a", "end wall_time", heard=[RUN, out("a\n"), killed("TO")])),
    ("a program uses too much processor time", whole("end cpu_time", heard=[RUN, killed("TO")])),
    ("a program uses too much memory", whole("end memory", heard=[RUN, killed("SG", verdict="memory")])),
    ("a program prints too much", whole("much 3", "end output", heard=[RUN, out("xxx"), killed("OL")])),
    ("a program complains too much", whole("out a", "errmuch 3", "end output", heard=[
        RUN, out("a\n"), err("xxx"), killed("EL"),
    ])),
    ("the sandbox is at fault", whole("end sandbox_fault", heard=[RUN, ended(code=None, status="XX")])),
    ("a character in two pieces comes out whole", whole("bytes 61e282", "bytes ac62", heard=[
        RUN, out("a"), out("€b"), ended(),
    ])),
    ("a piece with no whole character is no message", whole("bytes e2", "bytes 82", "bytes ac", heard=[
        RUN, out("€"), ended(),
    ])),
    ("the streams do not disturb each other's characters", whole("bytes e282", "errbytes c3", "bytes ac", "errbytes a4",
        heard=[RUN, out("€"), err("ä"), ended()],
    )),
    ("half a character at the end is shown before the end", whole("bytes 61c3", heard=[
        RUN, out("a"), out("\ufffd"), ended(),
    ])),
    ("a compiler has its own stage", whole("compiles careful", "out hi", heard=[
        COMPILE, {"type": "data", "stream": "stdout", "data": "careful\n"},
        ended(stage="compile", cpu_time=20, wall_time=30, memory=1_000_000), RUN, out("hi\n"), ended(),
    ])),
    ("where the compiler fails, nothing is run", whole("garbles no semicolon", "out hi", heard=[
        COMPILE, err("no semicolon\n"), ended(stage="compile", code=1, status="RE"),
    ])),
    ("arguments are passed on", whole("args", args=["a", "b"], heard=[RUN, out("a b"), ended()])),
    ("input of the first message is ignored", whole("cat", stdin="early", heard=[RUN, ended()])),
    ("input of the first message may be anything", whole(stdin=5, heard=[RUN, ended()])),
    ("a line is typed and answered", [
        *begun("ask", "out done"), ("say", typed("Ada\n")), ("hear", out("Ada\n")), ("hear", out("done\n")),
        ("hear", ended()), ("bye", COMPLETED),
    ]),
    ("what is typed before the program runs is kept for it", [
        ("say", init("ask", "ask")), ("say", typed("one\n")), ("say", typed("two\n")), ("hear", RUNTIME), ("hear", RUN),
        ("hear", out("one\n")), ("hear", out("two\n")), ("hear", ended()), ("bye", COMPLETED),
    ]),
    ("a line is typed in pieces", [
        *begun("ask"), ("say", typed("A")), ("say", typed("d")), ("say", typed("a\n")), ("hear", out("Ada\n")),
        ("hear", ended()), ("bye", COMPLETED),
    ]),
    ("input can end", [
        *begun("ask", "ask"), ("say", typed("Ada\n")), ("say", {"type": "eof"}), ("hear", out("Ada\n")),
        ("hear", out("end of input\n")), ("hear", ended()), ("bye", COMPLETED),
    ]),
    ("what is typed after the end of input is lost, and nothing else", [
        *begun("ask", "wait on"), ("say", {"type": "eof"}), ("say", typed("late\n")),
        ("hear", out("end of input\n")), ("word", "on"), ("hear", ended()), ("bye", COMPLETED),
    ]),
    ("a signal arrives", [
        *begun("trap"), ("say", signal("SIGINT")), ("hear", out("SIGINT\n")), ("hear", ended()), ("bye", COMPLETED),
    ]),
    ("signals arrive in their order", [
        *begun("trap", "trap"), ("say", signal("SIGUSR1")), ("say", signal("SIGTERM")), ("hear", out("SIGUSR1\n")),
        ("hear", out("SIGTERM\n")), ("hear", ended()), ("bye", COMPLETED),
    ]),
    ("real-time signals have names from both ends", [
        *begun("trap", "trap", "trap"), ("say", signal("SIGRTMIN+15")), ("say", signal("SIGRTMAX-14")),
        ("say", signal("SIGRTMAX")), ("hear", out("SIGRTMIN+15\n")), ("hear", out("SIGRTMIN+16\n")),
        ("hear", out("SIGRTMAX\n")), ("hear", ended()), ("bye", COMPLETED),
    ]),
    ("a program is given no terminal", whole("tty", heard=[RUN, out("no terminal\n"), ended()])),
    ("a program is given a terminal", whole("tty", terminal={"columns": 120, "rows": 40}, heard=[
        RUN, out("120x40\n"), ended(),
    ])),
    ("a terminal has a usual size", whole("tty", terminal={"rows": 50}, heard=[RUN, out("80x50\n"), ended()])),
    ("a terminal changes its size", [
        *begun("tty", "size", terminal={"columns": 80, "rows": 24}), ("hear", out("80x24\n")),
        ("say", {"type": "resize", "columns": 100, "rows": 30}), ("hear", out("100x30\n")), ("hear", ended()),
        ("bye", COMPLETED),
    ]),
    ("a terminal is too wide", fails(init(terminal={"columns": 1001}), refused(
        "/terminal/columns", "terminal.columns must be a number from 1 to 1000",
    ))),
    ("a terminal becomes too small", [*begun("wait on"), *fails({"type": "resize", "rows": 0}, refused(
        "/terminal/rows", "terminal.rows must be a number from 1 to 1000",
    ))]),
    ("a second job is asked for", [*begun("wait on"), ("say", init("out b")), ("bye", (4000, "Already Initialized"))]),
    ("nothing is said", [("bye", TIMEOUT)]),
    ("nothing is said that counts", [("say", {"type": "hello"}), ("bye", TIMEOUT)]),
    ("no JSON is said", fails("{", NOT_JSON)),
    ("nothing is in a message", fails("", NOT_JSON)),
    ("a number is said", fails("5", NO_OBJECT)),
    ("null is said", fails("null", NO_OBJECT)),
    ("no JSON is said in the middle", [*begun("wait on"), *fails("{", NOT_JSON)]),
    ("a bad request is made", fails({"type": "init"}, error("language is required as a string", errors=[
        {"pointer": "/language", "detail": "language is required as a string"},
        {"pointer": "/version", "detail": "version is required as a string"},
        {"pointer": "/files", "detail": "files is required as an array"},
    ]))),
    ("a language is asked for that nobody knows", fails(init(language="pyton"), refused(
        "/language", "pyton-* runtime is unknown", nearest=["python", "python3", "py"],
    ))),
    ("too much time is asked for", fails(init(run_timeout=10_001), refused(
        "/run_timeout", "run_timeout cannot exceed the configured limit of 10000",
    ))),
    ("the queue is full", [
        ("say", init("refuse busy")), ("hear", RUNTIME), ("hear", RUN),
        ("hear", error("The queue is full. Try again.")), ("bye", NOTIFIED),
    ]),
    ("the engine has no sandbox", [
        ("say", init("refuse sandbox")), ("hear", RUNTIME), ("hear", RUN),
        ("hear", error("No sandbox can be made. Ask the operator.")), ("bye", NOTIFIED),
    ]),
    ("the engine makes a mistake", [
        ("say", init("break")), ("hear", RUNTIME), ("hear", RUN),
        ("hear", error("The server made a mistake. Try again; if it stays, tell the operator.")), ("bye", NOTIFIED),
    ]),
    ("something is typed before there is a job", [("say", typed("a")), ("bye", NOT_YET)]),
    ("a signal comes before there is a job", [("say", signal("SIGINT")), ("bye", NOT_YET)]),
    ("a wrong signal comes before there is a job", [("say", signal("SIGNOT")), ("bye", NOT_YET)]),
    ("input ends before there is a job", [("say", {"type": "eof"}), ("bye", NOT_YET)]),
    ("a terminal changes before there is a job", [("say", {"type": "resize", "rows": 9}), ("bye", NOT_YET)]),
    ("somebody types to the output", [
        *begun("wait on"), ("say", out("a")), ("bye", (4004, "Can only write to stdin")),
    ]),
    ("somebody types to nowhere", [
        *begun("wait on"), ("say", {"type": "data", "data": "a"}), ("bye", (4004, "Can only write to stdin")),
    ]),
    ("a number is typed", [*begun("wait on"), *fails({**typed(""), "data": 5}, refused(
        "/data", "data must be a string",
    ))]),
    ("a signal is sent that there is not", [
        *begun("wait on"), ("say", signal("SIGNOT")), ("bye", (4005, "Invalid signal")),
    ]),
    ("a signal is sent by number", [*begun("wait on"), ("say", signal(9)), ("bye", (4005, "Invalid signal"))]),
    ("a signal is sent without a name", [
        *begun("wait on"), ("say", {"type": "signal"}), ("bye", (4005, "Invalid signal")),
    ]),
    ("messages that nobody knows are overlooked", [
        *begun("wait on"), ("say", {"type": "hello"}), ("say", {}), ("say", {"type": 5}), ("word", "on"),
        ("hear", ended()), ("bye", COMPLETED),
    ]),
    ("bytes are read like text", [
        ("say", b'{"type": "init", "language": "python", "version": "*", "files": [{"content": "out a"}]}'),
        ("hear", RUNTIME), ("hear", RUN), ("hear", out("a\n")), ("hear", ended()), ("bye", COMPLETED),
    ]),
    ("a run is told what was said, and in its order", [
        *begun("wait on", terminal={}), ("say", typed("a")), ("say", typed("b")), ("say", {"type": "eof"}),
        ("say", signal("SIGHUP")), ("say", {"type": "resize"}),
        ("told", {("write", b"a"), ("write", b"b"), ("end_input", None), ("signal", "SIGHUP"), ("resize", Terminal())}),
        ("word", "on"), ("hear", ended()), ("bye", COMPLETED),
    ]),
]  # fmt: skip
