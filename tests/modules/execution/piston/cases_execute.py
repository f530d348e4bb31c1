"""What `execute` is asked, and the exact answers, as data."""

from typing import Any

from .kit import Json, answer, compiled, job, printed, stage

MIB = 1024 * 1024
A_FILE = [{"content": "out hello"}]
DATA_ONLY = [{"content": "b3V0IGhp", "encoding": "base64"}]


def without(name: str) -> Json:
    return {key: value for key, value in job("out hello").items() if key != name}


REFUSED: list[tuple[str, Any, list[str]]] = [
    # A sentence, the body, and everything that is wrong: `pointer: detail`. The first detail is also the message.
    ("nothing was said", {}, [
        "/language: language is required as a string",
        "/version: version is required as a string",
        "/files: files is required as an array",
    ]),
    ("the body is an array", [], [
        "/language: language is required as a string",
        "/version: version is required as a string",
        "/files: files is required as an array",
    ]),
    ("there is no language", without("language"), ["/language: language is required as a string"]),
    ("the language is empty", job("", language=""), ["/language: language is required as a string"]),
    ("the language is a number", job("", language=5), ["/language: language is required as a string"]),
    ("there is no version", without("version"), ["/version: version is required as a string"]),
    ("the version is a number", job("", version=3), ["/version: version is required as a string"]),
    ("the version is empty", job("", version=""), ["/version: version is required as a string"]),
    ("there are no files", without("files"), ["/files: files is required as an array"]),
    ("the files are one text", job("", files="out hello"), ["/files: files is required as an array"]),
    ("the files are an object", job("", files={"0": A_FILE[0]}), ["/files: files is required as an array"]),
    ("a file has no content", job("", files=[{"name": "a"}, *A_FILE]), [
        "/files/0/content: files[0].content is required as a string",
    ]),
    ("the content of a file is a number", job("", files=[*A_FILE, {"content": 5}]), [
        "/files/1/content: files[1].content is required as a string",
    ]),
    ("a file is null", job("", files=[None, *A_FILE]), ["/files/0/content: files[0].content is required as a string"]),
    ("a file is a text", job("", files=["out hello", *A_FILE]), [
        "/files/0/content: files[0].content is required as a string",
    ]),
    ("no file is text", job("", files=DATA_ONLY), ["/files: files must include at least one utf8 encoded file"]),
    ("there is not one file", job("", files=[]), ["/files: files must include at least one utf8 encoded file"]),
    ("no version matches", job("", version="4.x"), ["/version: python-4.x runtime is unknown"]),
    ("the version is no range", job("", version="latest"), ["/version: python-latest runtime is unknown"]),
    ("the version of an alias does not match", job("", language="py", version="1"), [
        "/version: py-1 runtime is unknown",
    ]),
    ("a limit is a text", job("", run_timeout="1000"), ["/run_timeout: If specified, run_timeout must be a number"]),
    ("a limit is true", job("", run_timeout=True), ["/run_timeout: If specified, run_timeout must be a number"]),
    ("a limit is an array", job("", run_timeout=[]), ["/run_timeout: If specified, run_timeout must be a number"]),
    ("a limit is an object", job("", run_timeout={}), ["/run_timeout: If specified, run_timeout must be a number"]),
    ("the run may not take so long", job("", run_timeout=10_001), [
        "/run_timeout: run_timeout cannot exceed the configured limit of 10000",
    ]),
    ("the run may not take so long by a hair", job("", run_timeout=10_000.5), [
        "/run_timeout: run_timeout cannot exceed the configured limit of 10000",
    ]),
    ("the compiler may not take so long", job("", compile_timeout=60_001), [
        "/compile_timeout: compile_timeout cannot exceed the configured limit of 60000",
    ]),
    ("the run may not use so much processor time", job("", run_cpu_time=10_001), [
        "/run_cpu_time: run_cpu_time cannot exceed the configured limit of 10000",
    ]),
    ("the compiler may not use so much processor time", job("", compile_cpu_time=20_001), [
        "/compile_cpu_time: compile_cpu_time cannot exceed the configured limit of 20000",
    ]),
    ("the run may not have so much memory", job("", run_memory_limit=512 * MIB + 1), [
        "/run_memory_limit: run_memory_limit cannot exceed the configured limit of 536870912",
    ]),
    ("the compiler may not have so much memory", job("", compile_memory_limit=1024 * MIB + 1), [
        "/compile_memory_limit: compile_memory_limit cannot exceed the configured limit of 1073741824",
    ]),
    ("a limit is larger than any number of a machine", job("", run_timeout=10**30), [
        "/run_timeout: run_timeout cannot exceed the configured limit of 10000",
    ]),
    ("a time is negative", job("", run_timeout=-1), ["/run_timeout: run_timeout must be non-negative"]),
    ("a processor time is negative", job("", compile_cpu_time=-0.5), [
        "/compile_cpu_time: compile_cpu_time must be non-negative",
    ]),
    ("a memory limit is less than -1", job("", run_memory_limit=-2), [
        "/run_memory_limit: run_memory_limit must be non-negative",
    ]),
    ("limits are looked at in Piston's order", job("", run_cpu_time="a", run_timeout="b", run_memory_limit="c"), [
        "/run_memory_limit: If specified, run_memory_limit must be a number",
        "/run_timeout: If specified, run_timeout must be a number",
        "/run_cpu_time: If specified, run_cpu_time must be a number",
    ]),
    ("stdin is a number", job("", stdin=5), ["/stdin: If specified, stdin must be a string"]),
    ("exact input is no base64", job("", stdin_base64="%"), [
        "/stdin_base64: If specified, stdin_base64 must be base64",
    ]),
    ("exact input is a number", job("", stdin_base64=5), ["/stdin_base64: If specified, stdin_base64 must be base64"]),
    ("stdin is an array", job("", stdin=["a"]), ["/stdin: If specified, stdin must be a string"]),
    ("args are a text", job("", args="-v"), ["/args: If specified, args must be an array"]),
    ("args are an object", job("", args={"0": "-v"}), ["/args: If specified, args must be an array"]),
    ("an argument is a number", job("", args=["-n", 5]), ["/args/1: args[1] must be a string"]),
    ("two arguments are no text", job("", args=[None, "a", True]), [
        "/args/0: args[0] must be a string",
        "/args/2: args[2] must be a string",
    ]),
    ("a name climbs out", job("", files=[{"name": "../a", "content": ""}]), [
        "/files/0/name: files[0].name must not lead out of the program's folder",
    ]),
    ("a name climbs out on a detour", job("", files=[*A_FILE, {"name": "a/../../b", "content": ""}]), [
        "/files/1/name: files[1].name must not lead out of the program's folder",
    ]),
    ("a name is the folder itself", job("", files=[{"name": "a/..", "content": ""}]), [
        "/files/0/name: files[0].name must not lead out of the program's folder",
    ]),
    ("a name is a slash", job("", files=[{"name": "/", "content": ""}]), [
        "/files/0/name: files[0].name must not lead out of the program's folder",
    ]),
    ("a name is a number", job("", files=[{"name": 5, "content": ""}]), [
        "/files/0/name: files[0].name must be a string",
    ]),
    ("base64 is none", job("", files=[*A_FILE, {"content": "a*b", "encoding": "base64"}]), [
        "/files/1/content: files[1].content is not valid base64",
    ]),
    ("base64 is cut short", job("", files=[*A_FILE, {"content": "aGVsb", "encoding": "base64"}]), [
        "/files/1/content: files[1].content is not valid base64",
    ]),
    ("hex is none", job("", files=[*A_FILE, {"content": "0g", "encoding": "hex"}]), [
        "/files/1/content: files[1].content is not valid hex",
    ]),
    ("hex is cut short", job("", files=[*A_FILE, {"content": "abc", "encoding": "hex"}]), [
        "/files/1/content: files[1].content is not valid hex",
    ]),
    ("everything is wrong", {
        "version": 3,
        "files": [{"content": 1}, {"content": "zz", "encoding": "hex", "name": "../x"}],
        "stdin": 1,
        "args": [1],
        "run_timeout": -5,
        "compile_memory_limit": "much",
    }, [
        "/language: language is required as a string",
        "/version: version is required as a string",
        "/files/0/content: files[0].content is required as a string",
        "/files: files must include at least one utf8 encoded file",
        "/compile_memory_limit: If specified, compile_memory_limit must be a number",
        "/run_timeout: run_timeout must be non-negative",
        "/files/1/name: files[1].name must not lead out of the program's folder",
        "/files/1/content: files[1].content is not valid hex",
        "/stdin: If specified, stdin must be a string",
        "/args/0: args[0] must be a string",
    ]),
]  # fmt: skip

UNKNOWN: list[tuple[str, str, str, list[str]]] = [
    # A sentence, the language, the message, and the names that may have been meant.
    ("a letter is missing", "pyton", "pyton-* runtime is unknown", ["python", "python3", "py"]),
    ("capitals are no letters of ours", "Python", "Python-* runtime is unknown", ["python", "python3", "py"]),
    ("an alias is misspelt", "ndoe", "ndoe-* runtime is unknown", ["node"]),
    ("nothing is like it", "zzzzzz", "zzzzzz-* runtime is unknown", []),
    ("it is known and not installed", "haskell", "haskell-* runtime is unknown", []),
]

ANSWERED: list[tuple[str, Json, Json]] = [
    ("a program prints a line", job("out hello"), answer(printed("hello\n"))),
    ("a program prints nothing", job(), answer(stage())),
    ("a program fails", job("err oh no", "exit 3"), answer(
        stage(stderr="oh no\n", output="oh no\n", code=3, status="RE", message="Exited with error status 3"),
    )),
    ("a program ends by itself in the middle", job("out a", "exit 0", "out b"), answer(printed("a\n"))),
    ("a program reads its input", job("cat", stdin="one\ntwo\n"), answer(printed("one\ntwo\n"))),
    ("input gets the line end that it lacks", job("cat", stdin="one"), answer(printed("one\n"))),
    ("no input is one line end", job("cat"), answer(printed("\n"))),
    ("input of false is no input", job("cat", stdin=False), answer(printed("\n"))),
    ("a program gets its arguments", job("args", args=["-v", "two words", ""]), answer(printed("-v two words "))),
    ("arguments of null are none", job("args", args=None), answer(stage())),
    ("both streams come in their order", job("out a", "err b", "out c"), answer(
        stage(stdout="a\nc\n", stderr="b\n", output="a\nb\nc\n"),
    )),
    ("a segmentation fault has its number", job("die SIGSEGV"), answer(
        stage(code=None, signal="SIGSEGV", status="SG", message="Caught fatal signal 11"),
    )),
    ("a real-time signal has its number", job("die SIGRTMIN+3"), answer(
        stage(code=None, signal="SIGRTMIN+3", status="SG", message="Caught fatal signal 37"),
    )),
    ("a program takes too long", job("out so far", "end wall_time"), answer(
        stage(stdout="so far\n", output="so far\n", code=None, signal="SIGKILL", status="TO",
              message="Time limit exceeded (wall clock)"),
    )),
    ("a program uses too much processor time", job("end cpu_time"), answer(
        stage(code=None, signal="SIGKILL", status="TO", message="Time limit exceeded"),
    )),
    ("a program uses too much memory", job("end memory"), answer(
        stage(code=None, signal="SIGKILL", status="SG", message="It ended: memory.", verdict="memory"),
    )),
    ("a program is stopped", job("end stopped"), answer(
        stage(code=None, signal="SIGKILL", status="SG", message="It ended: stopped.", verdict="stopped"),
    )),
    ("a program prints too much", job("much 4", "end output"), answer(
        stage(stdout="xxxx", output="xxxx", code=None, signal="SIGKILL", status="OL",
              message="stdout length exceeded"),
    )),
    ("a program complains too much", job("out a", "errmuch 4", "end output"), answer(
        stage(stdout="a\n", stderr="xxxx", output="a\nxxxx", code=None, signal="SIGKILL", status="EL",
              message="stderr length exceeded"),
    )),
    ("a program starts too many processes", job("end processes"), answer(
        stage(code=None, signal="SIGKILL", status="SG", message="It ended: processes.", verdict="processes"),
    )),
    ("a program fills its folders", job("end disk"), answer(
        stage(code=None, signal="SIGKILL", status="SG", message="It ended: disk.", verdict="disk"),
    )),
    ("the sandbox is at fault", job("end sandbox_fault"), answer(
        stage(code=None, status="XX", message="It ended: sandbox_fault."),
    )),
    ("a character is split over two pieces", job("bytes e282", "bytes ac"), answer(printed("€"))),
    ("a character is split by the other stream", job("bytes e282", "errbytes c3", "bytes ac", "errbytes a4"), answer(
        stage(stdout="€", stderr="ä", output="€ä"),
    )),
    ("bytes that are no text are kept beside it", job("bytes 61ff62"), answer(
        stage(stdout="a\ufffdb", output="a\ufffdb", stdout_base64="Yf9i"),
    )),
    ("bytes on stderr that are no text are kept beside it", job("out a", "errbytes ff"), answer(
        stage(stdout="a\n", stderr="\ufffd", output="a\n\ufffd", stderr_base64="/w=="),
    )),
    ("half a character at the end is shown as such", job("bytes 61e282"), answer(
        stage(stdout="a\ufffd", output="a\ufffd", stdout_base64="YeKC"),
    )),
    ("zero bytes are characters like others", job("bytes 610062"), answer(printed("a\0b"))),
    ("a compiler has its own stage", job("compiles", "out hi"), answer(printed("hi\n"), compile=compiled())),
    ("what a compiler says stays with it", job("compiles careful", "out hi"), answer(
        printed("hi\n"), compile=compiled(stdout="careful\n", output="careful\n"),
    )),
    ("where the compiler fails, the run is a copy of it", job("garbles no semicolon", "out hi"), answer(
        stage(stderr="no semicolon\n", output="no semicolon\n", code=1, status="RE",
              message="Exited with error status 1"),
        compile=stage(stderr="no semicolon\n", output="no semicolon\n", code=1, status="RE",
                      message="Exited with error status 1"),
    )),
    ("the highest version is taken", job("out a", version="*"), answer(printed("a\n"), version="3.12.1")),
    ("a range chooses among versions", job("out a", version="~3.11"), answer(printed("a\n"), version="3.11.2")),
    ("a major version is a range", job("out a", version="2"), answer(printed("a\n"), version="2.7.18")),
    ("an alias is answered with the name", job("out a", language="py", version="3"), answer(printed("a\n"))),
    ("a version of two numbers gets its third", job("out a", language="gcc", version="12"), {
        "run": printed("a\n"), "language": "c", "version": "12.2.0",
    }),
    ("fields that nobody knows are overlooked", job("out a", colour="blue"), answer(printed("a\n"))),
]  # fmt: skip

# A sentence, fields of the request, and what the runner is asked with them.
ASKED: list[tuple[str, Json, Json]] = [
    ("a run gets three seconds unless it asks", {}, {"limits.wall_time_ms": 3000, "limits.cpu_time_ms": 3000}),
    ("a compiler gets ten seconds unless it asks", {}, {
        "compile_limits.wall_time_ms": 10_000, "compile_limits.cpu_time_ms": 10_000,
    }),
    ("memory is what the operator allows unless it asks", {}, {
        "limits.memory_bytes": 512 * MIB, "compile_limits.memory_bytes": 1024 * MIB,
    }),
    ("output is what the operator allows", {}, {
        "limits.output_bytes": MIB, "compile_limits.output_bytes": 256 * 1024,
    }),
    ("a run that asks for more time gets it", {"run_timeout": 10_000}, {"limits.wall_time_ms": 10_000}),
    ("a run that asks for less time gets less", {"run_timeout": 100}, {"limits.wall_time_ms": 100}),
    ("a part of a millisecond is a whole one", {"run_timeout": 0.2}, {"limits.wall_time_ms": 1}),
    ("a run that asks for memory gets it", {"run_memory_limit": 64 * MIB}, {"limits.memory_bytes": 64 * MIB}),
    ("processor time is a limit of its own", {"run_cpu_time": 500}, {
        "limits.cpu_time_ms": 500, "limits.wall_time_ms": 3000,
    }),
    ("a compiler's limits are its own", {"compile_timeout": 1, "compile_cpu_time": 2, "compile_memory_limit": 3}, {
        "compile_limits.wall_time_ms": 1, "compile_limits.cpu_time_ms": 2, "compile_limits.memory_bytes": 3,
        "limits.wall_time_ms": 3000,
    }),
    ("a time of 0 is not given, and never without end", {"run_timeout": 0, "run_cpu_time": 0}, {
        "limits.wall_time_ms": 3000, "limits.cpu_time_ms": 3000,
    }),
    ("a time of 0.0 is not given", {"run_timeout": 0.0}, {"limits.wall_time_ms": 3000}),
    ("an empty limit is not given", {"run_timeout": ""}, {"limits.wall_time_ms": 3000}),
    ("a limit of false is not given", {"run_memory_limit": False}, {"limits.memory_bytes": 512 * MIB}),
    ("a limit of null is not given", {"run_cpu_time": None}, {"limits.cpu_time_ms": 3000}),
    ("memory of 0 is not given, and never without end", {"run_memory_limit": 0}, {"limits.memory_bytes": 512 * MIB}),
    ("memory of -1 is all that the operator allows", {"run_memory_limit": -1, "compile_memory_limit": -1}, {
        "limits.memory_bytes": 512 * MIB, "compile_limits.memory_bytes": 1024 * MIB,
    }),
    ("a run is asked for the very version that is answered", {"version": "3.x"}, {"version": "3.12.1"}),
    ("a version counts before the one that is taken by default", {"language": "js", "version": "18"}, {
        "language": "javascript", "version": "18.20.4",
    }),
    ("a run reads what it is given, and then the end", {"stdin": "a"}, {"live": False, "stdin": b"a\n"}),
    ("a run gets no terminal", {"terminal": {"columns": 10}}, {"terminal": None}),
    ("exact input may be any bytes", {"stdin": "no", "stdin_base64": "AP8="}, {"stdin": b"\0\xff"}),
    ("exact input may be empty", {"stdin_base64": ""}, {"stdin": b""}),
    ("input may be any text", {"stdin": "größe\0"}, {"stdin": "größe\0\n".encode()}),
    ("files keep their names and their order", {"files": [
        {"name": "main.py", "content": "a"}, {"name": "lib/tree.py", "content": "b"},
    ]}, {"files": [("main.py", b"a"), ("lib/tree.py", b"b")]}),
    ("the main file without a name is called as its language calls it", {"files": [{"content": "a"}]}, {
        "files": [("main.py", b"a")],
    }),
    ("an empty name is no name", {"files": [{"name": "", "content": "a"}]}, {"files": [("main.py", b"a")]}),
    ("the others without a name are numbered", {"files": [{"content": "a"}, {"content": "b"}]}, {
        "files": [("main.py", b"a"), ("file1.code", b"b")],
    }),
    ("a name that is taken is not taken twice", {"files": [{"content": "a"}, {"name": "main.py", "content": "b"}]}, {
        "files": [("file0.code", b"a"), ("main.py", b"b")],
    }),
    ("the first text is the main file", {"files": [
        {"name": "data.bin", "content": "AP8=", "encoding": "base64"}, {"content": "a"},
    ]}, {"files": [("main.py", b"a"), ("data.bin", b"\x00\xff")]}),
    ("hex is read", {"files": [{"content": "a"}, {"name": "d", "content": "00FF 10", "encoding": "hex"}]}, {
        "files": [("main.py", b"a"), ("d", b"\x00\xff\x10")],
    }),
    ("base64 is read on several lines, without padding, in either alphabet", {"files": [
        {"content": "a"}, {"name": "d", "content": "-_\n8", "encoding": "base64"},
    ]}, {"files": [("main.py", b"a"), ("d", b"\xfb\xff")]}),
    ("an encoding that nobody knows is utf8", {"files": [{"content": "ä", "encoding": "latin1"}]}, {
        "files": [("main.py", "ä".encode())],
    }),
    ("an encoding that is no text is utf8", {"files": [{"content": "a", "encoding": 8}]}, {
        "files": [("main.py", b"a")],
    }),
    ("a name is tidied as Piston tidies it", {"files": [
        {"name": "/main.py", "content": "a"}, {"name": "./lib//b.py", "content": "b"},
        {"name": "x/../c.py", "content": "c"},
    ]}, {"files": [("main.py", b"a"), ("lib/b.py", b"b"), ("c.py", b"c")]}),
]  # fmt: skip
